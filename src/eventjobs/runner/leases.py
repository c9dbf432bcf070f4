"""
Who is alive, by observed beats.

Each instance raises its own row's beat from a thread with its own connection. Another takes it for gone only after it
has itself seen the beat stand still for 10 s of its own monotonic clock while its own reads succeeded and its own beat
rose: a database that can be read and takes no writes lets every beat stand still. There are no timestamps, so no clock
step ends or stretches a lease.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

BEAT_S: Final = 2.0
TRUST_S: Final = 7.0
"""How long after the start of its last good beat an instance starts new things."""
GONE_S: Final = 10.0
"""How long a beat must be seen standing still."""
ROSE_MIN: Final = 4
"""How often the own beat must have risen meanwhile."""
LIVELY_S: Final = 5.0
"""An instance whose beat was seen to rise within this time is given work."""
FORGOTTEN_S: Final = 60.0
"""How long a beat must be seen standing still until its row may go."""
STUCK_LOOP_S: Final = 30.0
"""The beat stops when the event loop has not answered for this long."""


class Trust:
    """A lease as its holder sees it; written by the beating thread, read by the event loop."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._good_since = float("-inf")

    def beaten(self, started: float) -> None:
        """A beat that began at `started` was accepted."""
        with self._lock:
            self._good_since = max(self._good_since, started)

    def lose(self) -> None:
        """The others have forgotten this instance: its lease is over until it has joined anew."""
        with self._lock:
            self._good_since = float("-inf")

    def trusted(self) -> bool:
        """Tell whether new things may be started."""
        return self.left_s() > 0

    def left_s(self) -> float:
        """Seconds for which the lease is trusted yet (0: not)."""
        with self._lock:
            return max(0.0, self._good_since + TRUST_S - self._monotonic())


class Watch:
    """What one instance has seen of the others' beats."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float]] = {}
        self._own_then: dict[str, int] = {}
        self._own: int | None = None
        self._own_rose_at: float | None = None
        self._read_at: float | None = None

    def observe(
        self, beats: Mapping[str, int], now: float, *, own: str | None = None, gap_max_s: float = 3 * BEAT_S
    ) -> None:
        """
        Take a successful read at monotonic `now`; `own` is the instance that reads.

        After a failed or late read (more than `gap_max_s` since the one before), after a time as long in which the own
        beat was not taken, and after joining anew, all observations begin afresh, or an outage would make everybody
        take over everybody.
        """
        before, self._own = self._own, None if own is None else beats.get(own)
        began_anew = self._own is not None and (before is None or self._own < before)
        if began_anew or self._is_late(self._read_at, now, gap_max_s) or self._rises_late(before, now, gap_max_s):
            self._forget()
        self._read_at = now
        for instance, beat in beats.items():
            known = self._seen.get(instance)
            if known is None or known[0] != beat:
                self._seen[instance] = (beat, now)
                self._own_then[instance] = self._own or 0
        for instance in self._seen.keys() - beats.keys():
            del self._seen[instance], self._own_then[instance]

    def _rises_late(self, before: int | None, now: float, gap_max_s: float) -> bool:
        """Tell whether the own beat rises again after a time in which nobody's may have been taken."""
        if self._own == before:
            return False
        rose_at, self._own_rose_at = self._own_rose_at, now
        return rose_at is not None and self._is_late(rose_at, now, gap_max_s)

    @staticmethod
    def _is_late(last: float | None, now: float, gap_max_s: float) -> bool:
        return last is None or now - last > gap_max_s

    def fail(self) -> None:
        """A read failed: what was seen before proves nothing any more."""
        self._forget()
        self._read_at = None

    def _forget(self) -> None:
        self._seen.clear()
        self._own_then.clear()

    def gone(self, instance: str, now: float) -> bool:
        """Tell whether an instance left, or was seen standing still for long enough."""
        if self._read_at is None:
            return False
        still = self.still_s(instance, now)
        return still is None or (still >= GONE_S and self._rose_since(instance))

    def _rose_since(self, instance: str) -> bool:
        """Tell whether the own beat rose while another one stood still: else the database took no beats at all."""
        return self._own is None or self._own - self._own_then.get(instance, 0) >= ROSE_MIN

    def still_s(self, instance: str, now: float) -> float | None:
        """Return for how many seconds a beat has been seen standing still; `None` where there is no such row."""
        known = self._seen.get(instance)
        return None if known is None else now - known[1]

    def beat(self, instance: str) -> int | None:
        """Return the beat that was seen last."""
        known = self._seen.get(instance)
        return None if known is None else known[0]

    def lively(self, now: float) -> Sequence[str]:
        """Return those whose beat rose, or was first seen, a moment ago."""
        return [instance for instance, (_, seen_at) in self._seen.items() if now - seen_at < LIVELY_S]

    def forgettable(self, now: float) -> Sequence[str]:
        """Return those that have been seen standing still for so long that nobody needs their rows."""
        return [instance for instance, (_, seen_at) in self._seen.items() if now - seen_at >= FORGOTTEN_S]
