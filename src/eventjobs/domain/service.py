"""
What a decision may know about a service: its definition, its users, and whose turn it is.

One job run has the service, at most one waits for it, any number joined the one that waits (R46).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from eventjobs.events.service import (
    AttemptPolicy,
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
    ServiceRunClosed,
    ServiceRunOpened,
    Turn,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """
    A service as its stream tells it.

    `joined` are the job runs that take the result of `waiting`; when that one's turn comes they stay with it
    (`sharing`). `open_run` is a run of the service by itself.
    """

    exists: bool = False
    deleted: bool = False
    definition_version: int = 0
    name: str = ""
    handler: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    policy: AttemptPolicy = AttemptPolicy(delivery="at_most_once")
    users: frozenset[str] = frozenset()
    holder: Turn | None = None
    waiting: Turn | None = None
    joined: tuple[Turn, ...] = ()
    sharing: tuple[Turn, ...] = ()
    open_run: str | None = None

    @property
    def alive(self) -> bool:
        """Whether it can be used."""
        return self.exists and not self.deleted


INITIAL = Service()


def evolve(service: Service, event: ServiceEvent) -> Service:
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
            )
        case ServiceDeleted():
            return replace(service, deleted=True, definition_version=service.definition_version + 1)
        case ServiceAttached():
            return replace(service, users=service.users | {event.schedule})
        case ServiceDetached():
            return replace(service, users=service.users - {event.schedule})
        case ServiceRunOpened():
            return replace(service, open_run=event.run)
        case ServiceRunClosed():
            return replace(service, open_run=None if service.open_run == event.run else service.open_run)
        case ServiceClaimed() | ServiceAwaited() | ServiceJoined() | ServiceReleased():
            return _turns(service, event)
        case _:
            assert_never(event)


def _turns(service: Service, event: ServiceClaimed | ServiceAwaited | ServiceJoined | ServiceReleased) -> Service:
    match event:
        case ServiceClaimed() if event.turn == service.waiting:
            return replace(service, holder=event.turn, waiting=None, sharing=service.joined, joined=())
        case ServiceClaimed():  # by nobody who waited: it was free, or who shares it takes the place of its holder
            return replace(service, holder=event.turn, sharing=_without(service.sharing, event.turn))
        case ServiceAwaited():
            return replace(service, waiting=event.turn, joined=_without(service.joined, event.turn))
        case ServiceJoined():
            return replace(service, joined=(*service.joined, event.turn))
        case ServiceReleased():
            return replace(
                service,
                holder=None if service.holder == event.turn else service.holder,
                sharing=() if service.holder == event.turn else _without(service.sharing, event.turn),
                waiting=None if service.waiting == event.turn else service.waiting,
                joined=_without(service.joined, event.turn),
            )
        case _:
            assert_never(event)


def _without(turns: tuple[Turn, ...], gone: Turn) -> tuple[Turn, ...]:
    return tuple(turn for turn in turns if turn != gone)
