"""
The LOGIN role of each workspace's data.

A load logs in as this role and is never the owner in disguise: a query can undo `SET ROLE`, but not who logged in. The
role is a member of nothing and has rights in the workspace's own schema alone.
"""

import asyncio
import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from eventjobs.errors import JobFailed
from eventjobs.postgres.statements import statement

ROLE: Final = statement("data/role")

_LOG_ID_CHARS: Final = 8
_SCRAM_ROUNDS: Final = 4096
_SALT_BYTES: Final = 16


class Asks(Protocol):
    """A pool of connections as the application's role, or one such connection."""

    async def fetchval(self, query: str, *args: Any) -> Any:
        """Return the first value of the first row."""
        ...


@dataclass(frozen=True, slots=True)
class DataLogin:
    """Where a workspace's tables are and who may see them; without a password the server trusts its socket."""

    role: str
    schema: str
    password: str | None = field(repr=False)


class DataRoles:
    """
    Logins by workspace, made when first asked for.

    `app` asks as the application's role; `owner_url` is the URL of the owner, from whose password those of the data
    roles follow; `log_id` tells the roles of this installation from others on the same server.
    """

    def __init__(self, app: Asks, owner_url: str, log_id: str) -> None:
        self._app = app
        self._owner_password = password_of(owner_url)
        self._mark = log_id.replace("-", "")[:_LOG_ID_CHARS]
        self._made: dict[str, DataLogin] = {}
        self._making = asyncio.Lock()

    async def login(self, workspace: str, *, refused: bool = False) -> DataLogin:
        """Return a workspace's login; its schema and role are made at the first call, or if the server `refused` it."""
        async with self._making:
            if refused or workspace not in self._made:
                self._made[workspace] = await self._make(workspace)
        return self._made[workspace]

    def name(self, workspace: str) -> str:
        """Return what a workspace's role is called; no other workspace has that name, of whatever installation."""
        return f"{_schema(workspace)}_{self._mark}"

    async def _make(self, workspace: str) -> DataLogin:
        role = self.name(workspace)
        password = derived_password(self._owner_password, role)
        made = await self._app.fetchval(ROLE, workspace, scram_verifier(role, password))
        if made != role:
            raise JobFailed(f"the data role is called {made} there and {role} here; is this the log's database?")
        return DataLogin(role, _schema(workspace), password)


def _schema(workspace: str) -> str:
    return f"data_{workspace}"


def password_of(url: str) -> str | None:
    """Return the password that a URL carries, before the host or as a parameter."""
    parts = urlsplit(url)
    given = unquote(parts.password) if parts.password else parse_qs(parts.query).get("password", [""])[0]
    return given or None


def derived_password(owner_password: str | None, role: str) -> str | None:
    """Return HMAC-SHA-256(password of the owner, role), in hex; none where the owner needs none."""
    if owner_password is None:
        return None
    return hmac.new(owner_password.encode(), role.encode(), hashlib.sha256).hexdigest()


def scram_verifier(role: str, password: str | None) -> str | None:
    """
    Return what Postgres stores for a password (RFC 5803), so that the password itself is in no statement.

    The salt follows from role and password: the same login gives the same verifier, on every instance.
    """
    if password is None:
        return None
    salt = hmac.new(password.encode(), b"salt " + role.encode(), hashlib.sha256).digest()[:_SALT_BYTES]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _SCRAM_ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${_SCRAM_ROUNDS}:{_base64(salt)}${_base64(stored)}:{_base64(server)}"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
