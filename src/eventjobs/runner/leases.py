"""
Who is alive, by observed beats.

Each instance raises its own row's beat from a thread with its own connection. Another takes it for gone only after it
has itself seen the beat stand still for 10 s of its own monotonic clock while its own reads succeeded. There are no
timestamps, so no clock step ends or stretches a lease.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Final

BEAT_S: Final = 2.0
TRUST_S: Final = 7.0
"""How long after the start of its last good beat an instance starts new things."""
GONE_S: Final = 10.0
"""How long a beat must be seen standing still."""
STUCK_LOOP_S: Final = 30.0
"""The beat stops when the event loop has not answered for this long."""


class Trust:
    """A lease as its holder sees it; written by the beating thread, read by the event loop."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._good_since = float("-inf")
        self._lost = False

    def beaten(self, started: float) -> None:
        """A beat that began at `started` was accepted."""
        with self._lock:
            self._good_since = max(self._good_since, started)

    def lose(self) -> None:
        """The others declared this instance gone; it may not come back under this name."""
        with self._lock:
            self._lost = True

    @property
    def lost(self) -> bool:
        """Whether the row was taken away."""
        return self._lost

    def trusted(self) -> bool:
        """Tell whether new things may be started."""
        with self._lock:
            return not self._lost and self._monotonic() < self._good_since + TRUST_S

    def left_s(self) -> float:
        """Seconds for which the lease is trusted yet (0: not)."""
        with self._lock:
            return 0.0 if self._lost else max(0.0, self._good_since + TRUST_S - self._monotonic())


class Watch:
    """What one instance has seen of the others' beats."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float]] = {}
        self._read_at: float | None = None

    def observe(self, beats: Mapping[str, int], now: float, *, gap_max_s: float = 3 * BEAT_S) -> None:
        """
        Take a successful read at monotonic `now`.

        After a failed or late read (more than `gap_max_s` since the one before) all observations begin afresh, or an
        outage would make everybody take over everybody.
        """
        if self._read_at is None or now - self._read_at > gap_max_s:
            self._seen.clear()
        self._read_at = now
        for instance, beat in beats.items():
            known = self._seen.get(instance)
            if known is None or known[0] != beat:
                self._seen[instance] = (beat, now)
        for instance in [known for known in self._seen if known not in beats]:
            del self._seen[instance]

    def fail(self) -> None:
        """A read failed: what was seen before proves nothing any more."""
        self._seen.clear()
        self._read_at = None

    def gone(self, instance: str, now: float) -> bool:
        """Tell whether an instance left, or was seen standing still for long enough."""
        if self._read_at is None:
            return False
        known = self._seen.get(instance)
        return known is None or now - known[1] >= GONE_S
