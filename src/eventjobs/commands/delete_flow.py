"""Delete a flow that no schedule uses; its history and its id stay."""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.job_facts import refuse_in_use
from eventjobs.commands.managing import warn_customer
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR
from eventjobs.domain.streams import flow_stream
from eventjobs.events.flow import FlowDeleted
from eventjobs.events.run import Ref


class DeleteFlow(CommandFields):
    """The flow to delete."""

    id: Id


def decide(command: DeleteFlow, world: World, context: Context) -> None:
    """Delete it, or refuse with the schedules that use it (R87)."""
    present = world.flow(command.id)
    if not present.exists:
        raise no_such("flow", command.id)
    if present.deleted:
        return
    refuse_in_use(world, Ref(kind="flow", id=command.id))
    if present.origin is not None:
        warn_customer(world)
    world.emit(flow_stream(context.workspace, command.id), FlowDeleted())


SPEC: Final = CommandSpec(
    name="DeleteFlow",
    command=DeleteFlow,
    streams=lambda command, context: [flow_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({FLOW_AUTHOR}),
    summary="Delete a flow that nothing uses",
    example={"id": "approve-orders"},
)
