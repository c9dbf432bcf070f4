"""
Facts about one service: its definition, who uses it, and whose turn it is.

A service runs for one job run at a time. Its turn is taken, waited for and given up in its own stream, so that every
instance sees the same queue. These classes are a storage format.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """
    How long to wait before the next attempt: `initial_s · factor^(attempt-1)`, at most `max_s`, in seconds.

    `jitter` in [0, 1] is the share of it that is drawn at random.
    """

    initial_s: float = 10.0
    factor: float = 2.0
    max_s: float = 600.0
    jitter: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptPolicy:
    """
    How often and how long a job may try.

    `delivery` is `at_least_once` or `at_most_once`; `attempts` counts all tries; `timeout_s` bounds one of them;
    `wait_timeout_s` bounds the wait for a busy job; an error whose reason is in `non_retryable` ends the job run.
    """

    delivery: str
    attempts: int = 1
    backoff: Backoff = Backoff()
    timeout_s: float | None = None
    wait_timeout_s: float = 3600.0
    non_retryable: tuple[str, ...] = ()
    interruption_counts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One job run that has, waits for, or shares a service: the run and its row."""

    run: str
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrigin:
    """What manages a service or a flow: features of an integration, by a version of its definition (R86)."""

    integration: str
    features: tuple[str, ...]
    definition_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAdded:
    """
    A service exists from now on; `type` is its Connector/Module/Type, where it has one (R85).

    Without an `origin` it is the workspace's own.
    """

    TYPE: ClassVar[str] = "service.added"
    SCHEMA: ClassVar[int] = 3

    name: str
    handler: str
    config: Mapping[str, Any]
    policy: AttemptPolicy
    type: str | None = None
    origin: JobOrigin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfigured:
    """The service is this from now on; open runs keep their snapshot. `origin` is that of a managed one."""

    TYPE: ClassVar[str] = "service.configured"
    SCHEMA: ClassVar[int] = 3

    name: str
    handler: str
    config: Mapping[str, Any]
    policy: AttemptPolicy
    type: str | None = None
    origin: JobOrigin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDeleted:
    """The service leaves the lists; its history and its id stay."""

    TYPE: ClassVar[str] = "service.deleted"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRestored:
    """A managed service is there again: a schedule of its integration needs it."""

    TYPE: ClassVar[str] = "service.restored"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAttached:
    """A schedule has the service in its job table."""

    TYPE: ClassVar[str] = "service.attached"
    SCHEMA: ClassVar[int] = 1

    schedule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDetached:
    """A schedule has the service in its job table no more."""

    TYPE: ClassVar[str] = "service.detached"
    SCHEMA: ClassVar[int] = 1

    schedule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceClaimed:
    """A job run has the service for itself now."""

    TYPE: ClassVar[str] = "service.claimed"
    SCHEMA: ClassVar[int] = 1

    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAwaited:
    """The service is busy; this job run is next, if its turn comes before `deadline`."""

    TYPE: ClassVar[str] = "service.awaited"
    SCHEMA: ClassVar[int] = 1

    turn: Turn
    deadline: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceJoined:
    """The service is busy and awaited; this job run takes the result of the one that waits (R46)."""

    TYPE: ClassVar[str] = "service.joined"
    SCHEMA: ClassVar[int] = 1

    turn: Turn
    with_turn: Turn
    deadline: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReleased:
    """A job run gave its turn, its place in the queue or its share up."""

    TYPE: ClassVar[str] = "service.released"
    SCHEMA: ClassVar[int] = 1

    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRunOpened:
    """The service was started by itself, outside any schedule."""

    TYPE: ClassVar[str] = "service.run_opened"
    SCHEMA: ClassVar[int] = 1

    run: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRunClosed:
    """Such a run ended."""

    TYPE: ClassVar[str] = "service.run_closed"
    SCHEMA: ClassVar[int] = 1

    run: str
    state: str
    reason: str | None = None


ServiceEvent: TypeAlias = (
    ServiceAdded
    | ServiceConfigured
    | ServiceDeleted
    | ServiceRestored
    | ServiceAttached
    | ServiceDetached
    | ServiceClaimed
    | ServiceAwaited
    | ServiceJoined
    | ServiceReleased
    | ServiceRunOpened
    | ServiceRunClosed
)
