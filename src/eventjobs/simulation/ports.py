"""
Time, chance and ids of a simulation: what `SystemClock`, `SystemRandom` and `SystemIds` are to the service.

All three are made from the virtual loop's time and a seed, so a simulation is the same every time.
"""

import asyncio
import base64
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from eventjobs.clock import Clock
from eventjobs.domain.slots import MINUTES
from eventjobs.ids import Random

_VERSION_7: Final = 0x7 << 76
_VARIANT: Final = 0b10 << 62


class VirtualClock:
    """
    The running virtual loop's time, as a clock that showed `start` when the loop was made.

    `step` moves what it shows, as a wrong or corrected machine clock does; its monotonic seconds never notice.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start

    def now(self) -> datetime:
        """Return the instant that this clock shows."""
        return self._start + timedelta(seconds=asyncio.get_running_loop().time())

    def monotonic(self) -> float:
        """Return the loop's virtual seconds."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait that many virtual seconds."""
        await asyncio.sleep(seconds)

    def step(self, seconds: float) -> None:
        """Show an instant that is so much later from now on; earlier, if negative."""
        self._start += timedelta(seconds=seconds)


class SeededRandom:
    """The chance that a seed draws. Its tokens are no secrets."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)  # noqa: S311 to be repeated, not to be secret

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        return self._source.random()

    def token(self, nbytes: int) -> str:
        """Return URL-safe text made of `nbytes` drawn bytes."""
        return base64.urlsafe_b64encode(self._source.randbytes(nbytes)).rstrip(b"=").decode()


class DrawnMinutes:
    """
    The minutes of slots that commands draw: as they are told, one after another and again from the beginning.

    A command that is decided again draws the same one, until `next` says that it was drawn.
    """

    def __init__(self, minutes: Sequence[int], other: Random) -> None:
        self._minutes = minutes
        self._other = other
        self._drawn = 0

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        if not self._minutes:
            return self._other.uniform()
        return (self._minutes[self._drawn % len(self._minutes)] + 0.5) / MINUTES

    def next(self) -> None:
        """Go on to the next minute."""
        self._drawn += 1

    def token(self, nbytes: int) -> str:
        """Return URL-safe text made of `nbytes` drawn bytes."""
        return self._other.token(nbytes)


class SeededIds:
    """UUIDv7 (RFC 9562) from a virtual clock and a seed, rising as real ones do."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._source = random.Random(seed)  # noqa: S311 to be repeated, not to be secret
        self._last = 0

    def new(self) -> str:
        """Return a new UUIDv7."""
        millisecond = int(self._clock.now().timestamp() * 1_000)
        high, low = self._source.getrandbits(12), self._source.getrandbits(62)
        drawn = millisecond << 80 | _VERSION_7 | high << 64 | _VARIANT | low
        self._last = max(drawn, self._last + 1)
        return str(UUID(int=self._last))
