"""What the runner and the keyring ask of the views, always of the present: due moments, open runs, keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from eventjobs.domain.streams import schedule_stream
from eventjobs.events.recorded import StreamId
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement

LIST_DUE_TIMERS: Final = statement("reads/list_due_timers")
PARK_TIMER: Final = statement("reads/park_timer")
LIST_PARKED_TIMERS: Final = statement("reads/list_parked_timers")
LIST_OUTDATED_TIMERS: Final = statement("reads/list_outdated_timers")
LIST_OPEN_RUNS: Final = statement("reads/list_open_runs")
LIST_ALL_KEYS: Final = statement("reads/list_all_keys")

_REASON_CHARS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A recorded due moment whose instant has come or is near; `kind` is its owner's."""

    due_at: datetime
    workspace: str
    kind: str
    owner: str


@dataclass(frozen=True, slots=True)
class ParkedTimer:
    """A due moment that could not be answered, and why; its owner's next fact about time sets it free."""

    timer: DueTimer
    reason: str


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that began and did not end, as the views show it."""

    workspace: str
    run: str
    instance: str
    term: int


class Upcoming:
    """Reads for ticker, rescuer and keyring, and the ticker's mark on what cannot be answered."""

    def __init__(self, pool: TimedPool) -> None:
        self._pool = pool

    async def due(self, until: datetime, limit: int) -> Sequence[DueTimer]:
        """Return the earliest due moments at or before `until` that are not parked, at most `limit`."""
        return [_timer(row) for row in await self._pool.fetch(LIST_DUE_TIMERS, until, limit)]

    async def park(self, timer: DueTimer, reason: str) -> None:
        """Leave an owner alone until its next fact about time; the clock of the others goes on."""
        text = reason[:_REASON_CHARS_MAX].replace("\0", "")
        await self._pool.execute(PARK_TIMER, timer.workspace, timer.kind, timer.owner, text)

    async def parked(self) -> Sequence[ParkedTimer]:
        """Return what is parked."""
        rows = await self._pool.fetch(LIST_PARKED_TIMERS)
        return [ParkedTimer(_timer(row), row["parked_reason"]) for row in rows]

    async def outdated(self, zone_data: str, limit: int) -> Sequence[StreamId]:
        """Return schedules by the wall clock whose next moment was found with zone data older than this."""
        rows = await self._pool.fetch(LIST_OUTDATED_TIMERS, zone_data, limit)
        return [schedule_stream(row["workspace"], row["owner_id"]) for row in rows]

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


def _timer(row: Any) -> DueTimer:
    return DueTimer(row["due_at"], row["workspace"], row["owner_kind"], row["owner_id"])
