"""
Facts about one flow: its definition, who uses it, and, where it is exclusive, whose turn it is.

A flow is work that may go on elsewhere: it may suspend, and a signed callback then says how it ended. These classes are
a storage format.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

from eventjobs.events.service import AttemptPolicy, JobOrigin, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowAdded:
    """
    A flow exists from now on.

    `trigger` is what starts it; only `on_demand` ones stand in job tables (R10). One that is not `active` is not run
    (R95); an `exclusive` one runs for one job run at a time, as services do. Without an `origin` it is the
    workspace's own.
    """

    TYPE: ClassVar[str] = "flow.added"
    SCHEMA: ClassVar[int] = 2

    name: str
    trigger: str
    handler: str
    config: Mapping[str, Any]
    policy: AttemptPolicy
    exclusive: bool = False
    active: bool = True
    origin: JobOrigin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowEdited:
    """The flow's definition is this from now on; open runs keep their snapshot."""

    TYPE: ClassVar[str] = "flow.edited"
    SCHEMA: ClassVar[int] = 2

    name: str
    trigger: str
    handler: str
    config: Mapping[str, Any]
    policy: AttemptPolicy
    exclusive: bool = False
    active: bool = True
    origin: JobOrigin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDeleted:
    """The flow leaves the lists; its history and its id stay."""

    TYPE: ClassVar[str] = "flow.deleted"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRestored:
    """A managed flow is there again: a schedule of its integration needs it."""

    TYPE: ClassVar[str] = "flow.restored"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowAttached:
    """A schedule has the flow in its job table."""

    TYPE: ClassVar[str] = "flow.attached"
    SCHEMA: ClassVar[int] = 1

    schedule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDetached:
    """A schedule has the flow in its job table no more."""

    TYPE: ClassVar[str] = "flow.detached"
    SCHEMA: ClassVar[int] = 1

    schedule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowClaimed:
    """A job run has the flow for itself now."""

    TYPE: ClassVar[str] = "flow.claimed"
    SCHEMA: ClassVar[int] = 1

    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowAwaited:
    """The flow is busy; this job run is next, if its turn comes before `deadline`."""

    TYPE: ClassVar[str] = "flow.awaited"
    SCHEMA: ClassVar[int] = 1

    turn: Turn
    deadline: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowJoined:
    """The flow is busy and awaited; this job run takes the result of the one that waits (R46)."""

    TYPE: ClassVar[str] = "flow.joined"
    SCHEMA: ClassVar[int] = 1

    turn: Turn
    with_turn: Turn
    deadline: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowReleased:
    """A job run gave its turn, its place in the queue or its share up."""

    TYPE: ClassVar[str] = "flow.released"
    SCHEMA: ClassVar[int] = 1

    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRunOpened:
    """The flow was started by itself, outside any schedule."""

    TYPE: ClassVar[str] = "flow.run_opened"
    SCHEMA: ClassVar[int] = 1

    run: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRunClosed:
    """Such a run ended; `open_run` is the newest of those that are still open (a flow that is not exclusive)."""

    TYPE: ClassVar[str] = "flow.run_closed"
    SCHEMA: ClassVar[int] = 2

    run: str
    state: str
    reason: str | None = None
    open_run: str | None = None


FlowEvent: TypeAlias = (
    FlowAdded
    | FlowEdited
    | FlowDeleted
    | FlowRestored
    | FlowAttached
    | FlowDetached
    | FlowClaimed
    | FlowAwaited
    | FlowJoined
    | FlowReleased
    | FlowRunOpened
    | FlowRunClosed
)
