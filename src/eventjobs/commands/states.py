"""
Folded states, kept while they are in use.

A stale state is harmless: every append names the versions it was decided on. What is not appended (a refusal, nothing
to do) is checked again on fresh states by the dispatcher.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from eventjobs.commands.gathered import GatheredReads
from eventjobs.commands.snapshots import EVERY, KINDS, Snapshots, decode, encode
from eventjobs.commands.world import Loaded
from eventjobs.domain.streams import FOLDS
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.port import EventLog

CAPACITY: Final = 20_000


class States:
    """A bounded cache of folded streams over a log."""

    def __init__(self, log: EventLog, snapshots: Snapshots | None = None, capacity: int = CAPACITY) -> None:
        self._log = log
        self._reads = GatheredReads(log)
        self._snapshots = snapshots
        self._capacity = capacity
        self._kept: OrderedDict[StreamId, Loaded] = OrderedDict()
        self._snapped: dict[StreamId, int] = {}
        self._to_snap: dict[StreamId, Loaded] = {}

    def in_memory(self, stream: StreamId) -> Loaded | None:
        """Return a stream's state if it is in the cache."""
        kept = self._kept.get(stream)
        if kept is not None:
            self._kept.move_to_end(stream)
        return kept

    async def load(
        self, streams: Iterable[StreamId], *, unless_new: Collection[StreamId] = ()
    ) -> Mapping[StreamId, Loaded]:
        """
        Return the streams' states, from the cache where they are in it.

        Those of `unless_new` that are not are taken for streams without a fact, and not read.
        """
        found: dict[StreamId, Loaded] = {}
        missing: list[StreamId] = []
        for stream in streams:
            kept = self.in_memory(stream)
            if kept is not None:
                found[stream] = kept
            elif stream in unless_new:
                found[stream] = _unread(stream)
            else:
                missing.append(stream)
        if missing:
            found.update((await self._read(missing))[0])
        return found

    async def refresh(self, streams: Iterable[StreamId]) -> bool:
        """Read what was added to these streams; tell whether anything was."""
        return (await self._read(streams))[1]

    async def _read(self, streams: Iterable[StreamId]) -> tuple[dict[StreamId, Loaded], bool]:
        as_of = self._log.known_head.position
        streams = tuple(streams)
        await self._take_snapshots([stream for stream in streams if stream not in self._kept])
        # What the facts continue is held here: while they are read, the cache may move on or forget.
        before = {stream: self._kept.get(stream) or _unread(stream) for stream in streams}
        news = await self._reads.read([(stream, loaded.version) for stream, loaded in before.items()])
        read = {stream: _advanced(stream, loaded, news.get(stream, ()), as_of) for stream, loaded in before.items()}
        for stream, loaded in read.items():
            self._keep(stream, loaded)
        self._shrink()
        return read, any(news.get(stream) for stream in before)

    def applied(self, states: Mapping[StreamId, Any], written: Mapping[StreamId, int], as_of: int) -> None:
        """Take over the states that a successful append left: `written` gives the new versions."""
        for stream, version in written.items():
            self._keep(stream, Loaded(version, states[stream], as_of))
        self._shrink()

    async def save_snapshots(self) -> None:
        """Keep the states of streams that have grown since their last snapshot."""
        waiting, self._to_snap = self._to_snap, {}
        if self._snapshots is not None:
            for stream, loaded in waiting.items():
                await self._snapshots.save(stream, loaded.version, encode(loaded.state))
                self._snapped[stream] = loaded.version

    async def _take_snapshots(self, streams: Sequence[StreamId]) -> None:
        growing = [stream for stream in streams if stream.kind in KINDS]
        if self._snapshots is None or not growing:
            return
        for stream, (version, state) in (await self._snapshots.find(growing)).items():
            if stream not in self._kept:
                self._kept[stream] = Loaded(version, decode(stream.kind, state), 0)
                self._snapped[stream] = version

    def _note_growth(self, stream: StreamId) -> None:
        if stream.kind in KINDS and self._kept[stream].version >= self._snapped.get(stream, 0) + EVERY:
            self._to_snap[stream] = self._kept[stream]

    def _keep(self, stream: StreamId, loaded: Loaded) -> None:
        kept = self._kept.get(stream)
        if kept is None or kept.version <= loaded.version:
            self._kept[stream] = loaded
            self._kept.move_to_end(stream)
            self._note_growth(stream)

    def _shrink(self) -> None:
        while len(self._kept) > self._capacity:
            gone, _ = self._kept.popitem(last=False)
            self._snapped.pop(gone, None)


def _unread(stream: StreamId) -> Loaded:
    return Loaded(0, FOLDS[stream.kind].initial, 0)


def _advanced(stream: StreamId, loaded: Loaded, facts: Sequence[Recorded[Any]], as_of: int) -> Loaded:
    fold, state, version = FOLDS[stream.kind], loaded.state, loaded.version
    for fact in facts:
        state, version = fold.evolve(state, fact.event), fact.stream_version
    return Loaded(version, state, as_of)
