"""
What one decision sees and what it decides: folded streams in, facts out.

A `World` is made for one attempt at one command (or one atomic batch) and thrown away. Reading a stream that is neither
loaded nor in memory raises `Unloaded`; the dispatcher loads it and decides again, so a rule asks for what it needs
where it needs it. What a decision emits moves its own view of the states at once.
"""

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from eventjobs.domain.access import Key
from eventjobs.domain.run import Run
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.service import Service
from eventjobs.domain.streams import (
    FOLDS,
    key_stream,
    run_stream,
    schedule_stream,
    service_stream,
    workspace_stream,
)
from eventjobs.domain.workspace import Workspace
from eventjobs.events.recorded import Event, StreamId

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A folded stream: its version, its state, and a position at which that was so."""

    version: int
    state: Any
    as_of: int


@dataclass(frozen=True, slots=True)
class Warn:
    """Something the caller should know although the command is accepted."""

    code: str
    detail: str
    path: str | None = None


class Unloaded(Exception):
    """The decision needs these streams."""

    def __init__(self, streams: Iterable[StreamId]) -> None:
        super().__init__("streams to load")
        self.streams = tuple(streams)


class World:
    """The states that a decision reads and the facts that it emits."""

    def __init__(
        self,
        workspace: str,
        loaded: MutableMapping[StreamId, Loaded],
        in_memory: Callable[[StreamId], Loaded | None] = lambda _: None,
    ) -> None:
        self.workspace_id = workspace
        self._loaded = loaded
        self._in_memory = in_memory
        self._states: dict[StreamId, Any] = {}
        self._fresh: set[StreamId] = set()
        self.emitted: list[tuple[StreamId, Event]] = []
        self.warnings: list[Warn] = []
        self.answer: dict[str, Any] = {}
        self.secrets: dict[str, Any] = {}

    def workspace(self, workspace_id: str | None = None) -> Workspace:
        """The workspace of this command, or another one."""
        return self._typed(Workspace, workspace_stream(workspace_id or self.workspace_id))

    def key(self, key_id: str) -> Key:
        """A key of this workspace."""
        return self._typed(Key, key_stream(self.workspace_id, key_id))

    def service(self, service_id: str) -> Service:
        """A service of this workspace."""
        return self._typed(Service, service_stream(self.workspace_id, service_id))

    def schedule(self, schedule_id: str) -> Schedule:
        """A schedule of this workspace."""
        return self._typed(Schedule, schedule_stream(self.workspace_id, schedule_id))

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

    def emit(self, stream: StreamId, event: Event) -> None:
        """Decide a fact."""
        before = self.state(stream)
        self._states[stream] = FOLDS[stream.kind].evolve(before, event)
        self.emitted.append((stream, event))

    def warn(self, code: str, detail: str, path: str | None = None) -> None:
        """Tell the caller something besides the answer."""
        self.warnings.append(Warn(code, detail, path))

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
