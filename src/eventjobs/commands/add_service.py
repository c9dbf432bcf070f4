"""
Add a service: a handler with its configuration, to be run by itself or from schedules.

Ids are unique in a workspace over all kinds of job, also after deletion.
"""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.fields import ServiceFields, ServiceType, handler_facts, no_such
from eventjobs.commands.job_facts import refuse_taken
from eventjobs.commands.managing import refuse_reserved, warn_customer
from eventjobs.commands.spec import CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR
from eventjobs.domain.streams import connect_stream, flow_stream, service_stream, workspace_stream
from eventjobs.errors import Conflict
from eventjobs.events.run import Ref
from eventjobs.events.service import ServiceAdded


class AddService(ServiceFields):
    """A new service."""

    id: Id | None = None
    type: ServiceType | None = None


def service_id(command: AddService, context: Context) -> str:
    """The given id, or one made from the command's."""
    return command.id or context.command_id


def decide(command: AddService, world: World, context: Context) -> None:
    """Add it, if there is none of that id (R87)."""
    if not world.workspace().exists:
        raise no_such("workspace", context.workspace)
    facts = handler_facts(command, context)
    the_id = service_id(command, context)
    present = world.service(the_id)
    event = ServiceAdded(
        name=command.name or the_id,
        handler=command.handler,
        config=command.config,
        policy=command.policy(facts),
        type=command.type,
    )
    refuse_taken(world, Ref(kind="service", id=the_id))
    if not present.exists:
        refuse_reserved(the_id, world, context)
        warn_customer(world)
        world.emit(service_stream(context.workspace, the_id), event)
        return
    same = (present.name, present.handler, present.config, present.policy, present.type) == (
        event.name,
        event.handler,
        event.config,
        event.policy,
        event.type,
    )
    if present.deleted or present.origin is not None or not same:
        raise Conflict("id_taken", f"the id {the_id!r} is taken")


SPEC: Final = CommandSpec(
    name="AddService",
    command=AddService,
    streams=lambda command, context: [
        service_stream(context.workspace, service_id(command, context)),
        connect_stream(context.workspace, service_id(command, context)),
        flow_stream(context.workspace, service_id(command, context)),
        workspace_stream(context.workspace),
    ],
    decide=decide,
    creates=True,
    roles=frozenset({FLOW_AUTHOR}),
    summary="Add a service",
    example={
        "id": "load-contacts",
        "name": "Load contacts",
        "handler": "csv.import",
        "config": {"source": "contacts.csv", "table": "contacts", "mode": "replace"},
        "delivery": "at_least_once",
        "attempts": 3,
        "timeout": "PT1H",
    },
)
