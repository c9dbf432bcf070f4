"""Where the keyring starts from in a long log: the view of keys."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from eventjobs.auth.keyring import StoredKey
from eventjobs.domain.access import Grant
from eventjobs.domain.streams import key_stream
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement

LIST_KEYS: Final = statement("auth/list_keys")


class ViewedKeys:
    """A `KeySource` over the view of keys."""

    def __init__(self, pool: TimedPool) -> None:
        self._pool = pool

    async def load(self) -> tuple[int, Iterable[StoredKey]]:
        """Return every key that the view has, and its position; position 0 for a view that was never built."""
        rows = await self._pool.fetch(LIST_KEYS)
        position = rows[0]["position"] if rows else 0
        return position, [_key(dict(row)) for row in rows if row["id"] is not None]


def _key(row: Mapping[str, Any]) -> StoredKey:
    return StoredKey(
        stream=key_stream(row["workspace"], row["id"]),
        lookup=row["lookup"],
        secret_sha256=bytes.fromhex(row["secret_sha256"]),
        grant=Grant(
            roles=frozenset(orjson.loads(row["roles"])),
            workspaces=frozenset(orjson.loads(row["workspaces"])),
            read_only=row["read_only"],
            expires_at=row["expires_at"],
        ),
        member=row["member"],
        revoked=row["revoked_at"] is not None,
    )
