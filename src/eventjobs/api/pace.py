"""
How fast a key may ask: a bucket of tokens for each, filled at a steady rate.

A request takes one token, and one more for each 4 KiB of its body, so that a batch weighs more than a look. The bucket
holds what two seconds bring.
"""

from collections.abc import Callable
from math import ceil
from typing import Final

from eventjobs.api.problems import HttpRefusal

BYTES_PER_TOKEN: Final = 4_096
BURST_S: Final = 2.0
BUCKETS_MAX: Final = 10_000
_ROUNDING_S: Final = 1e-9


class Pace:
    """
    The buckets of all keys; `rate` is in tokens a second, `burst` in tokens, `monotonic` in seconds.

    `detail` is what is said to who has none left.
    """

    def __init__(
        self, rate: float, monotonic: Callable[[], float], *, burst: float | None = None, detail: str | None = None
    ) -> None:
        self._rate = rate
        self._capacity = max(1.0, rate * BURST_S) if burst is None else burst
        self._monotonic = monotonic
        self._detail = detail or f"a key has {rate:g} requests a second; a large body counts for several"
        self._full_at: dict[str, float] = {}

    def take(self, who: str, body_bytes: int) -> None:
        """
        Take what a request costs; raises `HttpRefusal` 429 with the seconds until there is enough.

        A bucket is kept as the instant at which it will be full again. A request that costs more than a whole bucket
        passes when the bucket is full.
        """
        now = self._monotonic()
        cost = min(1.0 + body_bytes / BYTES_PER_TOKEN, self._capacity)
        full_at = max(now, self._full_at.get(who, now)) + cost / self._rate
        wait_s = full_at - now - self._capacity / self._rate
        if wait_s > _ROUNDING_S:
            raise HttpRefusal(429, "too_many_requests", self._detail, headers={"Retry-After": str(ceil(wait_s))})
        self._full_at[who] = full_at
        if len(self._full_at) > BUCKETS_MAX:
            self._full_at = {one: at for one, at in self._full_at.items() if at > now}

    def give_back(self, who: str) -> None:
        """Give back what a request without a body took."""
        if who in self._full_at:
            self._full_at[who] -= 1.0 / self._rate
