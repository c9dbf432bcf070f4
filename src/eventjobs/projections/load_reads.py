"""How busy a workspace will be: its load by the minute, and who is due at the same time with the same job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from eventjobs.domain.load import DAY, USUAL, Alike, grid
from eventjobs.domain.moments import Moments
from eventjobs.domain.reference import following
from eventjobs.events.cadence import Cadence, NextDue, Unit
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import Ref
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.documents import Row, cadence_of, next_of, policies_of, timing_of
from eventjobs.projections.slot_rows import rule_of

LIST_LOAD: Final = statement("reads/list_load")
FIND_DURATION: Final = statement("reads/find_duration")
LIST_SHARING: Final = statement("reads/list_sharing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """A schedule that runs some of the same jobs: which, when, and how long its runs take."""

    schedule: str
    jobs: Sequence[str]
    first: NextDue
    moments: Moments
    lasts: timedelta

    def meets(self, due: datetime, lasts: timedelta) -> datetime | None:
        """Return its moment whose run would be open at the same time as one that is due then and lasts so long."""
        earliest = due - self.lasts
        found = self.first if self.first.due > earliest else self.moments.after(earliest)
        return found.due if found is not None and found.due < due + lasts else None


async def load_of(
    pool: TimedPool, workspace: str, position: int, begin: datetime, *, without: StreamId | None = None
) -> Sequence[int]:
    """Return how many runs are open in each minute of the day, in the 24 hours from `begin` on; one query."""
    kind, the_id = (None, None) if without is None else (without.kind, without.id)
    rows = await pool.fetch(LIST_LOAD, workspace, position, begin + DAY, kind, the_id)
    return grid(map(_alike, rows), begin)


async def list_sharing(
    pool: TimedPool, workspace: str, jobs: Mapping[str, Sequence[str]], own: str
) -> Sequence[Sharing]:
    """Return the active schedules but `own` that share one of these jobs (ids by kind), 200 at most."""
    services, flows = jobs.get("service", ()), jobs.get("flow", ())
    rows = await pool.fetch(LIST_SHARING, workspace, list(services), list(flows), own)
    return [sharing for row in rows if (sharing := _sharing(row)) is not None]


async def duration_of(pool: TimedPool, workspace: str, owner: Ref) -> timedelta:
    """Return how long a run of an owner takes, by those that were seen."""
    learned: timedelta | None = await pool.fetchval(FIND_DURATION, workspace, owner.kind, owner.id)
    return max(USUAL, learned or USUAL)


def _alike(row: Row) -> Alike:
    lasts = USUAL if row["minutes"] is None else timedelta(minutes=row["minutes"])
    return Alike(count=row["count"], due=row["due"], cadence=_cadence(row), lasts=lasts)


def _cadence(row: Row) -> Cadence:
    if row["schedule"] is not None:
        return rule_of(row)
    unit = Unit(row["unit"] or Unit.ONCE)  # what is due once in a day
    return Cadence(time_zone=row["time_zone"] or "UTC", unit=unit, every=row["every"], cron=row["cron"])


def _sharing(row: Row) -> Sharing | None:
    first = next_of(row)
    if first is None:
        return None
    moments = following(cadence_of(row), policies_of(row).timing, timing_of(row), first)
    return Sharing(
        schedule=row["id"], jobs=row["jobs"], first=first, moments=moments, lasts=max(USUAL, row["lasts"] or USUAL)
    )
