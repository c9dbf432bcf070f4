"""Where the register of persons starts from in a long log: the view of members."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from eventjobs.auth.people import Identity, Membership
from eventjobs.domain.streams import member_stream
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement

LIST_PEOPLE: Final = statement("auth/list_people")


class ViewedPeople:
    """A `PeopleSource` over the view of members."""

    def __init__(self, pool: TimedPool) -> None:
        self._pool = pool

    async def load(self) -> tuple[int, Iterable[tuple[Identity, Membership]]]:
        """Return everybody whom the view has, and its position; position 0 for a view that was never built."""
        rows = await self._pool.fetch(LIST_PEOPLE)
        position = rows[0]["position"] if rows else 0
        return position, [_known(dict(row)) for row in rows if row["id"] is not None]


def _known(row: Mapping[str, Any]) -> tuple[Identity, Membership]:
    membership = Membership(
        stream=member_stream(row["workspace"], row["id"]),
        name=row["name"],
        roles=frozenset(orjson.loads(row["roles"])),
        read_only=row["read_only"],
        since=row["from_position"],
    )
    return Identity(row["issuer"], row["subject"]), membership
