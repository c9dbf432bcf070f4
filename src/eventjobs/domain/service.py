"""What a decision may know about a service: its definition, its users, and whose turn it is."""

from dataclasses import dataclass, replace
from typing import assert_never

from eventjobs.domain.job import Job, awaited, claimed, joined, released, run_closed, run_opened
from eventjobs.events.service import (
    ServiceAdded,
    ServiceAttached,
    ServiceAwaited,
    ServiceClaimed,
    ServiceConfigured,
    ServiceDeleted,
    ServiceDetached,
    ServiceEvent,
    ServiceJoined,
    ServiceReleased,
    ServiceRestored,
    ServiceRunClosed,
    ServiceRunOpened,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Job):
    """A service as its stream tells it; `type` is its Connector/Module/Type, where it has one (R85)."""

    type: str | None = None


INITIAL = Service()


def evolve(service: Service, event: ServiceEvent) -> Service:  # noqa: C901, PLR0911 one case a fact
    """Move the service by one fact."""
    match event:
        case ServiceAdded() | ServiceConfigured():
            return replace(
                service,
                exists=True,
                definition_version=service.definition_version + 1,
                name=event.name,
                handler=event.handler,
                config=event.config,
                policy=event.policy,
                type=event.type,
                origin=event.origin,
            )
        case ServiceDeleted() | ServiceRestored():
            gone = isinstance(event, ServiceDeleted)
            return replace(service, deleted=gone, definition_version=service.definition_version + 1)
        case ServiceAttached():
            return replace(service, users=service.users | {event.schedule})
        case ServiceDetached():
            return replace(service, users=service.users - {event.schedule})
        case ServiceRunOpened():
            return run_opened(service, event.run)
        case ServiceRunClosed():
            return run_closed(service, event.run)
        case ServiceClaimed():
            return claimed(service, event.turn)
        case ServiceAwaited():
            return awaited(service, event.turn)
        case ServiceJoined():
            return joined(service, event.turn)
        case ServiceReleased():
            return released(service, event.turn)
        case _:
            assert_never(event)
