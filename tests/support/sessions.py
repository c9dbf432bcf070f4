"""Sessions in memory."""

from datetime import datetime

from eventjobs.auth.sessions import LASTS, PER_KEY_MAX


class MemorySessions:
    """Keeps what `PostgresSessions` keeps, for one process."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[str, datetime]] = {}

    async def begin(self, digest: bytes, lookup: str, now: datetime) -> None:
        self._kept = {one: kept for one, kept in self._kept.items() if kept[1] > now}
        own = [one for one, kept in self._kept.items() if kept[0] == lookup]
        for oldest in own[: max(0, len(own) - PER_KEY_MAX + 1)]:
            del self._kept[oldest]
        self._kept[digest] = (lookup, now + LASTS)

    async def find(self, digest: bytes, now: datetime) -> str | None:
        lookup, expires_at = self._kept.get(digest, ("", now))
        return lookup if expires_at > now else None

    async def end(self, digest: bytes) -> None:
        self._kept.pop(digest, None)
