"""
The right to say how a suspended flow ended: a URL with a signature.

Whoever has the URL may answer for one try of one row, once, and nothing else. What it stands for is written in it and
signed with HMAC-SHA-256 under a key that never leaves the database, so nothing is kept for it, every instance knows it,
and it outlives restarts.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement

FIND_KEY: Final = statement("auth/find_callback_key")
KEPT: Final = timedelta(days=30)
"""How long after the end of the wait a callback may still tell a late outcome."""

_TOKEN: Final = re.compile(
    r"(?P<run>[a-z0-9][a-z0-9._-]{0,159})~(?P<row>\d{1,6})~(?P<attempt>\d{1,6})~(?P<until>\d{1,12})~[0-9a-f]{64}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One try of a row of a run, and the instant until which it may be answered."""

    workspace: str
    run: str
    row: int
    attempt: int
    until: datetime


class CallbackKey:
    """Signs callbacks and knows its signature again."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, callback: Callback) -> str:
        """Return the signed text that stands for a callback."""
        until = int(callback.until.timestamp())
        said = f"{callback.run}~{callback.row}~{callback.attempt}~{until}"
        return f"{said}~{self._signature(callback.workspace, said)}"

    def read(self, workspace: str, token: str, now: datetime) -> Callback | None:
        """Return what a token stands for, `None` for one that was not given out here or whose time is over."""
        found = _TOKEN.fullmatch(token)
        if found is None:
            return None
        said, _, signature = token.rpartition("~")
        if not hmac.compare_digest(signature, self._signature(workspace, said)):
            return None
        until = datetime.fromtimestamp(int(found["until"]), UTC)
        if now > until:
            return None
        row, attempt = int(found["row"]), int(found["attempt"])
        return Callback(workspace=workspace, run=found["run"], row=row, attempt=attempt, until=until)

    def _signature(self, workspace: str, said: str) -> str:
        return hmac.new(self._key, f"{workspace}\n{said}".encode(), hashlib.sha256).hexdigest()


async def read_callback_key(pool: TimedPool) -> CallbackKey:
    """Return the deployment's key."""
    return CallbackKey(await pool.fetchval(FIND_KEY))


@dataclass(slots=True)
class CallbackUrls:
    """Makes the addresses that flows are answered at; `base` is the service's own, as others reach it."""

    key: CallbackKey
    base: str

    def url(self, callback: Callback) -> str:
        """Return the address of a callback."""
        return f"{self.base}/v1/{callback.workspace}/callbacks/{self.key.token(callback)}"
