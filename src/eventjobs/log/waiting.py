"""The appends that wait, and how the next batch is drawn from them."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from eventjobs.events.recorded import StreamId
from eventjobs.log.prepared import Prepared

EVENTS_ENOUGH: Final = 512
"""A batch of so many is sent by who writes alone: more would make no event cheaper, and keep their callers waiting."""
EVENTS_MAX: Final = 2_000
BYTES_MAX: Final = 2_000_000
LOOKED_AT_MAX: Final = 2_000
"""How many appends that cannot go into a batch are passed over, at most, in search of one that can."""


class Waiting:
    """A queue of appends; in what it gives out, no append touches a stream or key of one before it."""

    def __init__(self) -> None:
        self._queue: deque[Prepared] = deque()
        self._events_max = EVENTS_MAX
        self._singly = 0

    def __len__(self) -> int:
        return len(self._queue)

    def __iter__(self) -> Iterator[Prepared]:
        return iter(self._queue)

    def put(self, prepared: Prepared) -> None:
        """Add one at the end."""
        self._queue.append(prepared)

    def put_back(self, appends: Sequence[Prepared], *, singly: bool = False) -> None:
        """Put what was taken before the others again; `singly`: to be given out one by one."""
        self._queue.extendleft(reversed(appends))
        if singly:
            self._singly = len(appends)

    def clear(self) -> Sequence[Prepared]:
        """Take everything out."""
        left = tuple(self._queue)
        self._queue.clear()
        self._singly = 0
        return left

    def limit(self, events_max: int = EVENTS_MAX) -> None:
        """Give out no more events at once than these, from now on."""
        self._events_max = max(1, events_max)

    def take(self, *, appends_max: int, enough: int = EVENTS_ENOUGH) -> Sequence[Prepared]:
        """Take the next batch's appends, in order, until it has `enough` events; one in any case, however large."""
        if self._singly:
            self._singly -= 1
            return [self._queue.popleft()]
        taken: list[Prepared] = []
        passed: list[Prepared] = []
        busy: set[StreamId | str] = set()
        events = size = 0
        queue = self._queue
        while queue and events < enough and len(passed) < LOOKED_AT_MAX:
            prepared = queue[0]
            weight = len(prepared.facts) or 1
            if taken and (
                len(taken) >= appends_max or events + weight > self._events_max or size + prepared.size > BYTES_MAX
            ):
                break
            queue.popleft()
            append = prepared.append
            keys = [receipt.key for receipt in append.receipts]
            if busy and not (busy.isdisjoint(keys) and busy.isdisjoint(append.expected)):
                passed.append(prepared)
                busy.update(append.expected)  # whoever comes later may not overtake it
            else:
                taken.append(prepared)
                events += weight
                size += prepared.size
                busy.update(prepared.written)
            busy.update(keys)
        queue.extendleft(reversed(passed))
        return taken
