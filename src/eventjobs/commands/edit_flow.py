"""Replace a flow's definition; open runs keep the snapshot that they started with (R44)."""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.flow_fields import FlowFields, defined
from eventjobs.commands.job_facts import refuse_in_use
from eventjobs.commands.managing import refuse_managed, warn_customer
from eventjobs.commands.spec import CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR
from eventjobs.domain.flow import Trigger
from eventjobs.domain.streams import flow_stream
from eventjobs.events.flow import FlowEdited
from eventjobs.events.run import Ref


class EditFlow(FlowFields):
    """The flow's whole new definition."""

    id: Id


def decide(command: EditFlow, world: World, context: Context) -> None:
    """Edit it, unless job tables would be left with a flow that is not on demand (R10)."""
    present = world.flow(command.id)
    if not present.alive:
        raise no_such("flow", command.id)
    refuse_managed(present, f"the flow {command.id!r}")
    wanted = defined(present, command, command.id, context)
    if wanted == present:
        return
    warn_customer(world)
    if wanted.trigger != Trigger.ON_DEMAND:
        refuse_in_use(world, Ref(kind="flow", id=command.id))
    event = FlowEdited(
        name=wanted.name,
        trigger=wanted.trigger,
        handler=wanted.handler,
        config=wanted.config,
        policy=wanted.policy,
        exclusive=wanted.exclusive,
        active=wanted.active,
    )
    world.emit(flow_stream(context.workspace, command.id), event)


SPEC: Final = CommandSpec(
    name="EditFlow",
    command=EditFlow,
    streams=lambda command, context: [flow_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({FLOW_AUTHOR}),
    summary="Replace a flow's definition",
    example={
        "id": "approve-orders",
        "name": "Have orders approved",
        "trigger": "on_demand",
        "handler": "http",
        "config": {"url": "https://approvals.example.org/orders", "method": "POST"},
        "wait_timeout": "P1D",
    },
)
