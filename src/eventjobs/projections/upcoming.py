"""What the runner and the keyring ask of the views, always of the present: due moments, open runs, keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from eventjobs.domain.streams import owner_stream
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import Ref
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement

LIST_DUE_TIMERS: Final = statement("reads/list_due_timers")
LIST_OUTDATED_TIMERS: Final = statement("reads/list_outdated_timers")
LIST_OPEN_RUNS: Final = statement("reads/list_open_runs")
LIST_ALL_KEYS: Final = statement("reads/list_all_keys")


class DueTimer(NamedTuple):
    """A recorded due moment whose instant has come or is near; `kind` is its owner's."""

    due_at: datetime
    workspace: str
    kind: str
    owner: str


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that began and did not end, as the views show it."""

    workspace: str
    run: str
    instance: str
    term: int


class Upcoming:
    """Reads for ticker, rescuer and keyring."""

    def __init__(self, pool: TimedPool) -> None:
        self._pool = pool

    async def due(self, until: datetime, limit: int) -> Sequence[DueTimer]:
        """Return the earliest due moments at or before `until`, at most `limit`."""
        return [DueTimer(*row) for row in await self._pool.fetch(LIST_DUE_TIMERS, until, limit)]

    async def outdated(self, zone_data: str, limit: int) -> Sequence[StreamId]:
        """Return owners by the wall clock whose next moment was found with zone data older than this."""
        rows = await self._pool.fetch(LIST_OUTDATED_TIMERS, zone_data, limit)
        return [owner_stream(row["workspace"], Ref(kind=row["owner_kind"], id=row["owner_id"])) for row in rows]

    async def open_runs(self) -> Sequence[OpenRun]:
        """Return all open runs."""
        rows = await self._pool.fetch(LIST_OPEN_RUNS)
        return [OpenRun(row["workspace"], row["id"], row["instance"], row["term"]) for row in rows]

    async def all_keys(self) -> Sequence[Mapping[str, Any]]:
        """Return every key of every workspace, with its lookup and digest."""
        return [
            {**row, "roles": orjson.loads(row["roles"]), "workspaces": orjson.loads(row["workspaces"])}
            for row in await self._pool.fetch(LIST_ALL_KEYS)
        ]
