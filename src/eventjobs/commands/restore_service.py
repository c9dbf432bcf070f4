"""
Bring a managed service back that was deleted here (R87).

No sync does it: what a workspace deleted stays deleted, though it is kept as the definition says.
"""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.restoring import restore_job
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR
from eventjobs.domain.streams import service_stream
from eventjobs.events.run import Ref


class RestoreService(CommandFields):
    """The service to restore."""

    id: Id


def decide(command: RestoreService, world: World, context: Context) -> None:
    """Restore it, or refuse where no definition has it."""
    restore_job(Ref(kind="service", id=command.id), world, context)


SPEC: Final = CommandSpec(
    name="RestoreService",
    command=RestoreService,
    streams=lambda command, context: [service_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({FLOW_AUTHOR}),
    summary="Bring a managed service back that was deleted here",
    example={"id": "contacts.load"},
)
