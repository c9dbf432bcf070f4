"""
Folded states, kept while they are in use.

A stale state is harmless: every append names the versions it was decided on. What is not appended (a refusal, nothing
to do) is checked again on fresh states by the dispatcher.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from eventjobs.commands.world import Loaded
from eventjobs.domain.streams import FOLDS
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.port import EventLog

CAPACITY: Final = 20_000


class States:
    """A bounded cache of folded streams over a log."""

    def __init__(self, log: EventLog, capacity: int = CAPACITY) -> None:
        self._log = log
        self._capacity = capacity
        self._kept: OrderedDict[StreamId, Loaded] = OrderedDict()

    async def load(self, streams: Iterable[StreamId]) -> Mapping[StreamId, Loaded]:
        """Return the streams' states, from the cache where they are in it."""
        wanted = tuple(streams)
        missing = [stream for stream in wanted if stream not in self._kept]
        if missing:
            await self.refresh(missing)
        found = {}
        for stream in wanted:
            self._kept.move_to_end(stream)
            found[stream] = self._kept[stream]
        return found

    async def refresh(self, streams: Iterable[StreamId]) -> bool:
        """Read what was added to these streams; tell whether anything was."""
        as_of = self._log.known_head.position
        wanted = [(stream, self._version(stream)) for stream in streams]
        news = await self._log.read_streams(wanted)
        changed = False
        for stream, version in wanted:
            facts: Sequence[Recorded[Any]] = news.get(stream, ())
            changed = changed or bool(facts)
            self._advance(stream, version, facts, as_of)
        self._shrink()
        return changed

    def applied(self, states: Mapping[StreamId, Any], written: Mapping[StreamId, int], as_of: int) -> None:
        """Take over the states that a successful append left: `written` gives the new versions."""
        for stream, version in written.items():
            kept = self._kept.get(stream)
            if kept is None or kept.version <= version:
                self._kept[stream] = Loaded(version, states[stream], as_of)
                self._kept.move_to_end(stream)
        self._shrink()

    def forget(self, stream: StreamId) -> None:
        """Drop a state, e.g. of a run that ended."""
        self._kept.pop(stream, None)

    def _version(self, stream: StreamId) -> int:
        kept = self._kept.get(stream)
        return 0 if kept is None else kept.version

    def _advance(self, stream: StreamId, read_from: int, facts: Sequence[Recorded[Any]], as_of: int) -> None:
        kept = self._kept.get(stream)
        fold = FOLDS[stream.kind]
        if kept is not None and kept.version != read_from:
            return  # another task moved it meanwhile; its version is the newer one
        version, state = (0, fold.initial) if kept is None else (kept.version, kept.state)
        for fact in facts:
            state = fold.evolve(state, fact.event)
            version = fact.stream_version
        self._kept[stream] = Loaded(version, state, as_of)
        self._kept.move_to_end(stream)

    def _shrink(self) -> None:
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
