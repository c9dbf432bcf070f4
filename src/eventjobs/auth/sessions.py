"""
Who signed in from a browser: a cookie that stands for a key, or for a person whom an identity provider knows.

A key is sent once, to sign in, and kept nowhere; the cookie holds a secret of its own, of which only the SHA-256 is
stored. A session ends twelve hours after it began, when its key or person may no longer act, or when its owner signs
out. They are rows that all instances share and no facts: nothing is decided from them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeAlias

from eventjobs.auth.people import Identity
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement

BEGIN: Final = statement("auth/begin_session")
BEGIN_PERSON: Final = statement("auth/begin_person_session")
FIND: Final = statement("auth/find_session")
END: Final = statement("auth/end_session")

LASTS: Final = timedelta(hours=12)
PER_KEY_MAX: Final = 100
"""How many sessions a key or person may have; one more ends the oldest."""
SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class KeySession:
    """A session of the key that is found by `lookup`."""

    lookup: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSession:
    """
    A session of whom an identity provider knows.

    It began when the person was known as of `position`: a membership that is newer does not count in it.
    `id_token` is the provider's word, which it wants to see again when they sign out.
    """

    identity: Identity
    position: int
    id_token: str | None = field(default=None, repr=False)


Session: TypeAlias = KeySession | PersonSession


class Sessions(Protocol):
    """Where sessions are kept, each by the SHA-256 of its secret."""

    async def begin(self, digest: bytes, session: KeySession, now: datetime) -> None:
        """Keep the session of a key that begins at `now`."""
        ...

    async def begin_once(
        self, digest: bytes, session: PersonSession, now: datetime, *, sign_in: bytes, until: datetime
    ) -> bool:
        """
        Keep the session of a person that begins at `now`, and tell whether that was so.

        It is not where the sign-in with this digest led to a session before. That is remembered `until` it could not
        be tried again.
        """
        ...

    async def find(self, digest: bytes, now: datetime) -> Session | None:
        """Return the session, `None` for one that is over or never was."""
        ...

    async def end(self, digest: bytes) -> None:
        """End a session; again has no effect."""
        ...


class PostgresSessions:
    """Sessions in Postgres."""

    def __init__(self, pool: TimedPool) -> None:
        self._pool = pool

    async def begin(self, digest: bytes, session: KeySession, now: datetime) -> None:
        """Keep the session of a key that begins at `now`."""
        await self._pool.execute(BEGIN, digest, session.lookup, now, now + LASTS, PER_KEY_MAX)

    async def begin_once(
        self, digest: bytes, session: PersonSession, now: datetime, *, sign_in: bytes, until: datetime
    ) -> bool:
        """Keep the session of a person, unless the sign-in led to one before; tell whether that was so."""
        identity = session.identity
        whose = (identity.issuer, identity.subject, session.position, session.id_token)
        begun = await self._pool.fetchval(BEGIN_PERSON, digest, sign_in, *whose, now, until, now + LASTS, PER_KEY_MAX)
        return begun is not None

    async def find(self, digest: bytes, now: datetime) -> Session | None:
        """Return the session, `None` for one that is over or never was."""
        rows = await self._pool.fetch(FIND, digest, now)
        return _session(dict(rows[0])) if rows else None

    async def end(self, digest: bytes) -> None:
        """End a session; again has no effect."""
        await self._pool.execute(END, digest)


def _session(row: Mapping[str, Any]) -> Session:
    if row["lookup"] is not None:
        return KeySession(row["lookup"])
    return PersonSession(
        identity=Identity(row["issuer"], row["subject"]), position=row["position"], id_token=row["id_token"]
    )


def digest_of(secret: str) -> bytes:
    """Return what is kept of a cookie's secret."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).digest()
