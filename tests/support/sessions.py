"""Sessions in memory."""

from datetime import datetime

from eventjobs.auth.people import Identity
from eventjobs.auth.sessions import LASTS, PER_KEY_MAX, KeySession, PersonSession, Session


class MemorySessions:
    """Keeps what `PostgresSessions` keeps, for one process."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[Session, datetime]] = {}
        self._used: dict[bytes, datetime] = {}

    async def begin(self, digest: bytes, session: KeySession, now: datetime) -> None:
        self._keep(digest, session, now)

    async def begin_once(
        self, digest: bytes, session: PersonSession, now: datetime, *, sign_in: bytes, until: datetime
    ) -> bool:
        self._used = {one: over for one, over in self._used.items() if over > now}
        if sign_in in self._used:
            return False
        self._used[sign_in] = until
        self._keep(digest, session, now)
        return True

    async def find(self, digest: bytes, now: datetime) -> Session | None:
        if digest not in self._kept:
            return None
        session, expires_at = self._kept[digest]
        return session if expires_at > now else None

    async def end(self, digest: bytes) -> None:
        self._kept.pop(digest, None)

    def _keep(self, digest: bytes, session: Session, now: datetime) -> None:
        self._kept = {one: kept for one, kept in self._kept.items() if kept[1] > now}
        own = [one for one, (kept, _) in self._kept.items() if _whose(kept) == _whose(session)]
        for oldest in own[: max(0, len(own) - PER_KEY_MAX + 1)]:
            del self._kept[oldest]
        self._kept[digest] = (session, now + LASTS)


def _whose(session: Session) -> str | Identity:
    return session.lookup if isinstance(session, KeySession) else session.identity
