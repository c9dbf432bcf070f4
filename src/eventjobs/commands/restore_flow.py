"""
Bring a managed flow back that was deleted here (R87).

No sync does it: what a workspace deleted stays deleted, though it is kept as the definition says.
"""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.restoring import restore_job
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR
from eventjobs.domain.streams import flow_stream
from eventjobs.events.run import Ref


class RestoreFlow(CommandFields):
    """The flow to restore."""

    id: Id


def decide(command: RestoreFlow, world: World, context: Context) -> None:
    """Restore it, or refuse where no definition has it."""
    restore_job(Ref(kind="flow", id=command.id), world, context)


SPEC: Final = CommandSpec(
    name="RestoreFlow",
    command=RestoreFlow,
    streams=lambda command, context: [flow_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({FLOW_AUTHOR}),
    summary="Bring a managed flow back that was deleted here",
    example={"id": "contacts.approve"},
)
