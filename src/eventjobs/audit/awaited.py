"""Which owners have a moment that has passed, without a look at all the others."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from heapq import heappop, heappush

from eventjobs.audit.owners import Kept
from eventjobs.events.recorded import StreamId


class Awaited:
    """The moments that owners wait for, the earliest first; one that is not waited for any more goes when it is met."""

    def __init__(self) -> None:
        self._coming: list[tuple[datetime, StreamId]] = []
        self._passed: set[StreamId] = set()

    def note(self, stream: StreamId, awaits: datetime | None) -> None:
        """Take note of what an owner waits for from now on."""
        if awaits is not None:
            heappush(self._coming, (awaits, stream))

    def passed(self, at: datetime, known: Mapping[StreamId, Kept]) -> Sequence[StreamId]:
        """Return the owners whose moment was at or before `at` and has no answer yet."""
        while self._coming and self._coming[0][0] <= at:
            self._passed.add(heappop(self._coming)[1])
        for stream in list(self._passed):
            awaits = known[stream].awaits
            if awaits is None or awaits > at:
                self._passed.discard(stream)
                self.note(stream, awaits)
        return sorted(self._passed)
