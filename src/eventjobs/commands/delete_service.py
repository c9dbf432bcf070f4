"""Delete a service that no schedule uses; its history and its id stay."""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.job_facts import refuse_in_use
from eventjobs.commands.managing import warn_customer
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR
from eventjobs.domain.streams import service_stream
from eventjobs.events.run import Ref
from eventjobs.events.service import ServiceDeleted


class DeleteService(CommandFields):
    """The service to delete."""

    id: Id


def decide(command: DeleteService, world: World, context: Context) -> None:
    """Delete it, or refuse with the schedules that use it (R87)."""
    present = world.service(command.id)
    if not present.exists:
        raise no_such("service", command.id)
    if present.deleted:
        return
    refuse_in_use(world, Ref(kind="service", id=command.id))
    if present.origin is not None:
        warn_customer(world)
    world.emit(service_stream(context.workspace, command.id), ServiceDeleted())


SPEC: Final = CommandSpec(
    name="DeleteService",
    command=DeleteService,
    streams=lambda command, context: [service_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({FLOW_AUTHOR}),
    summary="Delete a service that nothing uses",
    example={"id": "load-contacts"},
)
