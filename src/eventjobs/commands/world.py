"""
What one decision sees and what it decides: folded streams in, facts out.

A `World` is made for one attempt at one command (or one atomic batch) and thrown away. Reading a stream that is neither
loaded nor in memory raises `Unloaded`; the dispatcher loads it and decides again, so a rule asks for what it needs
where it needs it. What a decision emits moves its own view of the states at once.
"""

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from eventjobs.domain.access import Key
from eventjobs.domain.calendar import Calendar
from eventjobs.domain.connect_job import ConnectJob
from eventjobs.domain.definition import Definition
from eventjobs.domain.flow import Flow
from eventjobs.domain.group import Group
from eventjobs.domain.integration import Integration
from eventjobs.domain.job import Job
from eventjobs.domain.member import Member
from eventjobs.domain.owner import Owner
from eventjobs.domain.run import Run
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.service import Service
from eventjobs.domain.streams import (
    FOLDS,
    calendar_stream,
    connect_stream,
    definition_stream,
    flow_stream,
    group_stream,
    integration_stream,
    job_stream,
    key_stream,
    member_stream,
    owner_stream,
    run_stream,
    schedule_stream,
    service_stream,
    workspace_stream,
)
from eventjobs.domain.workspace import Workspace
from eventjobs.events.recorded import Event, StreamId
from eventjobs.events.run import Ref

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A folded stream: its version, its state, and a position at which that was so."""

    version: int
    state: Any
    as_of: int


@dataclass(frozen=True, slots=True)
class Warn:
    """Something the caller should know although the command is accepted; `extra` is the way out where there is one."""

    code: str
    detail: str
    path: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def document(self) -> dict[str, Any]:
        """It as it is answered."""
        return {"code": self.code, "detail": self.detail, "path": self.path, **self.extra}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Warn":
        """Return what was answered as what it was made of."""
        extra = {name: value for name, value in document.items() if name not in ("code", "detail", "path")}
        return cls(document["code"], document["detail"], document["path"], extra)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a decision: the states there, the streams that were new, how many facts and warnings there were."""

    states: Mapping[StreamId, Any]
    fresh: frozenset[StreamId]
    emitted: int
    warnings: int


class Unloaded(Exception):
    """The decision needs these streams."""

    def __init__(self, streams: Iterable[StreamId]) -> None:
        super().__init__("streams to load")
        self.streams = tuple(streams)


class Uncounted(Exception):
    """The decision needs to know how many things of this kind its workspace has."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"the number of things of kind {kind}")
        self.kind = kind


class World:
    """The states that a decision reads and the facts that it emits."""

    def __init__(
        self,
        workspace: str,
        loaded: MutableMapping[StreamId, Loaded],
        in_memory: Callable[[StreamId], Loaded | None] = lambda _: None,
        counted: Callable[[str, str], int | None] = lambda _, __: None,
    ) -> None:
        self.workspace_id = workspace
        self._loaded = loaded
        self._in_memory = in_memory
        self._counted = counted
        self._states: dict[StreamId, Any] = {}
        self._fresh: set[StreamId] = set()
        self.emitted: list[tuple[StreamId, Event]] = []
        self.warnings: list[Warn] = []
        self.answer: dict[str, Any] = {}
        self.secrets: dict[str, Any] = {}
        self.holds_until: datetime | None = None
        """The instant from which on this would be decided otherwise; `None`: it always holds."""

    def workspace(self, workspace_id: str | None = None) -> Workspace:
        """The workspace of this command, or another one."""
        return self._typed(Workspace, workspace_stream(workspace_id or self.workspace_id))

    def key(self, key_id: str) -> Key:
        """A key of this workspace."""
        return self._typed(Key, key_stream(self.workspace_id, key_id))

    def member(self, member_id: str) -> Member:
        """A member of this workspace."""
        return self._typed(Member, member_stream(self.workspace_id, member_id))

    def definition(self, workspace_id: str, definition_id: str) -> Definition:
        """A definition of the workspace that publishes it."""
        return self._typed(Definition, definition_stream(workspace_id, definition_id))

    def integration(self, definition_id: str) -> Integration:
        """A registration of this workspace, by its definition's id."""
        return self._typed(Integration, integration_stream(self.workspace_id, definition_id))

    def service(self, service_id: str) -> Service:
        """A service of this workspace."""
        return self._typed(Service, service_stream(self.workspace_id, service_id))

    def flow(self, flow_id: str) -> Flow:
        """A flow of this workspace."""
        return self._typed(Flow, flow_stream(self.workspace_id, flow_id))

    def job(self, job: Ref) -> Job:
        """A service or a flow of this workspace."""
        return self._typed(Job, job_stream(self.workspace_id, job))

    def owner(self, owner: Ref) -> Owner:
        """An owner of due moments of this workspace; a Connect job is one by itself."""
        state = self.state(owner_stream(self.workspace_id, owner))
        return state.own if isinstance(state, ConnectJob) else cast(Owner, state)

    def called(self, stream_kind: str, owner_id: str) -> Ref:
        """The owner of a stream, as its runs name it: a Connect job by its own kind, once there is one."""
        kind = self.connect_job(owner_id).kind if stream_kind == "job" else ""
        return Ref(kind=kind or stream_kind, id=owner_id)

    def connect_job(self, job_id: str) -> ConnectJob:
        """A Connect job of this workspace, of whatever kind."""
        return self._typed(ConnectJob, connect_stream(self.workspace_id, job_id))

    def group(self, group_id: str) -> Group:
        """A group of this workspace."""
        return self._typed(Group, group_stream(self.workspace_id, group_id))

    def schedule(self, schedule_id: str) -> Schedule:
        """A schedule of this workspace."""
        return self._typed(Schedule, schedule_stream(self.workspace_id, schedule_id))

    def calendar(self, calendar_id: str) -> Calendar:
        """A blackout calendar of this workspace."""
        return self._typed(Calendar, calendar_stream(self.workspace_id, calendar_id))

    def run(self, run_id: str) -> Run:
        """A run of this workspace."""
        return self._typed(Run, run_stream(self.workspace_id, run_id))

    def state(self, stream: StreamId) -> Any:
        """The state of any stream."""
        if stream in self._states:
            return self._states[stream]
        if not self._is_loaded(stream):
            raise Unloaded([stream])
        self._states[stream] = self._loaded[stream].state
        return self._states[stream]

    def need(self, streams: Iterable[StreamId]) -> None:
        """Load all of these in one go, where the decision is about to read them one by one."""
        missing = [stream for stream in streams if stream not in self._states and not self._is_loaded(stream)]
        if missing:
            raise Unloaded(missing)

    def begin(self, stream: StreamId) -> None:
        """Take a stream with an id made just now for new, without asking the log; the append still checks it."""
        if stream not in self._loaded and stream not in self._states:
            self._fresh.add(stream)
            self._states[stream] = FOLDS[stream.kind].initial

    def count(self, kind: str) -> int:
        """How many things of a kind the workspace had before this decision, as far as is known."""
        number = self._counted(self.workspace_id, kind)
        if number is None:
            raise Uncounted(kind)
        return number

    def emit(self, stream: StreamId, event: Event) -> None:
        """Decide a fact."""
        before = self.state(stream)
        self._states[stream] = FOLDS[stream.kind].evolve(before, event)
        self.emitted.append((stream, event))

    def mark(self) -> "Mark":
        """Return where this decision stands, for one that may have to begin again."""
        return Mark(dict(self._states), frozenset(self._fresh), len(self.emitted), len(self.warnings))

    def go_back(self, mark: "Mark") -> None:
        """Take back what was decided since; what was read since stays read."""
        read = {stream: self.before(stream) for stream in self._states if stream not in self._fresh - mark.fresh}
        self._states, self._fresh = {**read, **mark.states}, set(mark.fresh)
        del self.emitted[mark.emitted :], self.warnings[mark.warnings :]

    def holds_before(self, instant: datetime | None) -> None:
        """Say that this would be decided otherwise from an instant on, as something falls due then."""
        if instant is not None and (self.holds_until is None or instant < self.holds_until):
            self.holds_until = instant

    def warn(self, code: str, detail: str, path: str | None = None, **extra: Any) -> None:
        """Tell the caller something besides the answer."""
        self.warnings.append(Warn(code, detail, path, extra))

    def expected(self) -> dict[StreamId, int]:
        """The versions of all streams that were read or written: the decision holds only on them."""
        return {stream: 0 if stream in self._fresh else self._loaded[stream].version for stream in self._states}

    def read_at(self) -> dict[StreamId, int]:
        """
        Positions at which those versions were read, for the streams of which one is known.

        A stream with an id made just now cannot have been there at any position that was read.
        """
        loaded = self._loaded
        found = {stream: loaded[stream].as_of for stream in self._states if stream in loaded and loaded[stream].as_of}
        if self._fresh and found:
            found.update(dict.fromkeys(self._fresh, max(found.values())))
        return found

    def touched(self) -> frozenset[StreamId]:
        """The streams that were read or written."""
        return frozenset(self._states)

    def states(self) -> Mapping[StreamId, Any]:
        """The states as this decision leaves them."""
        return self._states

    def before(self, stream: StreamId) -> Any:
        """The state of a stream before this decision."""
        loaded = self._loaded.get(stream)
        return FOLDS[stream.kind].initial if loaded is None else loaded.state

    def _is_loaded(self, stream: StreamId) -> bool:
        if stream in self._loaded:
            return True
        found = self._in_memory(stream)
        if found is not None:
            self._loaded[stream] = found
        return found is not None

    def _typed(self, kind: type[S], stream: StreamId) -> S:  # noqa: ARG002 the kind is for the type checker
        return cast(S, self.state(stream))
