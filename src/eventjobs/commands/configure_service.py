"""Replace a service's definition; open runs keep the snapshot that they started with (R44)."""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.fields import ServiceFields, ServiceType, handler_facts, no_such
from eventjobs.commands.managing import refuse_managed, warn_customer
from eventjobs.commands.spec import CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR
from eventjobs.domain.streams import service_stream
from eventjobs.events.service import ServiceConfigured


class ConfigureService(ServiceFields):
    """The service's whole new definition."""

    id: Id
    type: ServiceType | None = None


def decide(command: ConfigureService, world: World, context: Context) -> None:
    """Configure it; the same definition again decides nothing."""
    present = world.service(command.id)
    if not present.alive:
        raise no_such("service", command.id)
    refuse_managed(present, f"the service {command.id!r}")
    facts = handler_facts(command, context)
    name, policy = command.name or command.id, command.policy(facts)
    if (present.name, present.handler, present.config, present.policy, present.type) == (
        name,
        command.handler,
        command.config,
        policy,
        command.type,
    ):
        return
    warn_customer(world)
    world.emit(
        service_stream(context.workspace, command.id),
        ServiceConfigured(name=name, handler=command.handler, config=command.config, policy=policy, type=command.type),
    )


SPEC: Final = CommandSpec(
    name="ConfigureService",
    command=ConfigureService,
    streams=lambda command, context: [service_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({FLOW_AUTHOR}),
    summary="Replace a service's definition",
    example={
        "id": "load-contacts",
        "name": "Load contacts",
        "handler": "csv.import",
        "config": {"source": "contacts.csv", "table": "contacts", "mode": "merge", "keys": ["id"]},
    },
)
