"""
Add a flow: a handler that may suspend, so that its work goes on elsewhere until a signed callback says how it ended.

Ids are unique in a workspace over all kinds of job, also after deletion.
"""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.flow_fields import FlowFields, defined
from eventjobs.commands.job_facts import refuse_taken
from eventjobs.commands.managing import refuse_reserved, warn_customer
from eventjobs.commands.spec import CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR
from eventjobs.domain.streams import connect_stream, flow_stream, service_stream, workspace_stream
from eventjobs.errors import Conflict
from eventjobs.events.flow import FlowAdded
from eventjobs.events.run import Ref


class AddFlow(FlowFields):
    """A new flow."""

    id: Id | None = None


def flow_id(command: AddFlow, context: Context) -> str:
    """The given id, or one made from the command's."""
    return command.id or context.command_id


def decide(command: AddFlow, world: World, context: Context) -> None:
    """Add it, if there is no job of that id."""
    if not world.workspace().exists:
        raise no_such("workspace", context.workspace)
    the_id = flow_id(command, context)
    present = world.flow(the_id)
    wanted = defined(present, command, the_id, context)
    refuse_taken(world, Ref(kind="flow", id=the_id))
    if not present.exists:
        refuse_reserved(the_id, world, context)
        warn_customer(world)
        event = FlowAdded(
            name=wanted.name,
            trigger=wanted.trigger,
            handler=wanted.handler,
            config=wanted.config,
            policy=wanted.policy,
            exclusive=wanted.exclusive,
            active=wanted.active,
        )
        world.emit(flow_stream(context.workspace, the_id), event)
    elif present.deleted or present.origin is not None or present != wanted:
        raise Conflict("id_taken", f"the id {the_id!r} is taken")


SPEC: Final = CommandSpec(
    name="AddFlow",
    command=AddFlow,
    streams=lambda command, context: [
        flow_stream(context.workspace, flow_id(command, context)),
        connect_stream(context.workspace, flow_id(command, context)),
        service_stream(context.workspace, flow_id(command, context)),
        workspace_stream(context.workspace),
    ],
    decide=decide,
    creates=True,
    roles=frozenset({FLOW_AUTHOR}),
    summary="Add a flow",
    example={
        "id": "approve-orders",
        "name": "Have orders approved",
        "trigger": "on_demand",
        "handler": "http",
        "config": {"url": "https://approvals.example.org/orders", "method": "POST"},
        "timeout": "PT1M",
        "wait_timeout": "PT4H",
    },
)
