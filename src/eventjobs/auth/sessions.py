"""
Who signed in from a browser: a cookie that stands for a key.

The key is sent once, to sign in, and kept nowhere; the cookie holds a secret of its own, of which only the SHA-256 is
stored. A session ends twelve hours after it began, when its key may no longer act, or when its owner signs out. They
are rows that all instances share and no facts: nothing is decided from them.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final, Protocol

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement

BEGIN: Final = statement("auth/begin_session")
FIND: Final = statement("auth/find_session")
END: Final = statement("auth/end_session")

LASTS: Final = timedelta(hours=12)
PER_KEY_MAX: Final = 100
"""How many sessions a key may have; one more ends the oldest."""
SECRET_BYTES: Final = 32


class Sessions(Protocol):
    """Where sessions are kept, each by the SHA-256 of its secret; `lookup` finds the key that it stands for."""

    async def begin(self, digest: bytes, lookup: str, now: datetime) -> None:
        """Keep a session that begins at `now`."""
        ...

    async def find(self, digest: bytes, now: datetime) -> str | None:
        """Return the lookup of the key, `None` for a session that is over or never was."""
        ...

    async def end(self, digest: bytes) -> None:
        """End a session; again has no effect."""
        ...


class PostgresSessions:
    """Sessions in Postgres."""

    def __init__(self, pool: TimedPool) -> None:
        self._pool = pool

    async def begin(self, digest: bytes, lookup: str, now: datetime) -> None:
        """Keep a session that begins at `now`."""
        await self._pool.execute(BEGIN, digest, lookup, now, now + LASTS, PER_KEY_MAX)

    async def find(self, digest: bytes, now: datetime) -> str | None:
        """Return the lookup of the key, `None` for a session that is over or never was."""
        found: str | None = await self._pool.fetchval(FIND, digest, now)
        return found

    async def end(self, digest: bytes) -> None:
        """End a session; again has no effect."""
        await self._pool.execute(END, digest)


def digest_of(secret: str) -> bytes:
    """Return what is kept of a cookie's secret."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).digest()
