"""
What a change will meet: changes of the clocks, other schedules with the same jobs, busy minutes.

Only a dry run tells it, of schedules, groups and Connect jobs, and only where the change moves when something runs.
What others do is read from the views, which may be away or behind: then there is no such warning, and the dry run goes
on. A group shares its jobs with nobody, so it collides with none.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import structlog

from eventjobs.api.ports import Sharing, Views
from eventjobs.api.registry import Call
from eventjobs.commands.context import Context
from eventjobs.commands.dispatch import Trial
from eventjobs.commands.world import Warn
from eventjobs.domain.connect_job import ConnectJob
from eventjobs.domain.daylight import moves
from eventjobs.domain.load import MINUTE, occupied
from eventjobs.domain.owner import Owner
from eventjobs.domain.preview import preview
from eventjobs.domain.slot_activation import on_slots_set
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.slots import SLOT, drawn
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import Ref

COMING: Final = 10
"""How many of the coming moments are compared with the others'."""
OWNERS_MAX: Final = 20
"""How many owners of one change are looked at."""
COLLISIONS_MAX: Final = 10
"""How many collisions of one schedule are told."""
CHANGES_MAX: Final = 6
BUSY: Final = 20
"""So many other runs open at once make a minute a busy one, or as many as may be open in the workspace."""
READING_S_MAX: Final = 2.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """An owner as it will be, with `ref` of the kind that its runs have; they begin `within` so long of when due."""

    stream: StreamId
    ref: Ref
    owner: Owner
    within: timedelta

    @property
    def path(self) -> str:
        """Where a command says when it is due."""
        return "schedule" if isinstance(self.owner, SlotOwner) else "cadence"


async def foreseen(call: Call, trial: Trial, owners: Mapping[str, StreamId], context: Context) -> Sequence[Warn]:
    """
    Return the warnings `moves_with_daylight_saving`, `collides` and `busy_minutes` of the owners that change.

    They are given by their names, such as `schedule/nightly`.
    """
    found: list[Warn] = []
    for one in islice(_changed(trial, owners, context.now), OWNERS_MAX):
        found += _daylight(one, context.now)
        found += await _others(call.deps.views, one, context)
    return found


def as_owner(state: Owner | ConnectJob) -> Owner:
    """Return who has the due moments: of a Connect job, it by itself."""
    return state.own if isinstance(state, ConnectJob) else state


def _changed(trial: Trial, owners: Mapping[str, StreamId], now: datetime) -> Iterator[_Changed]:
    for name, stream in owners.items():
        before, after = as_owner(trial.world.before(stream)), as_owner(trial.world.state(stream))
        if not after.alive or not after.active or after.next is None or _timing(before) == _timing(after):
            continue
        ref, within = Ref(kind=name.partition("/")[0], id=stream.id), timedelta()
        if isinstance(after, SlotOwner) and after.cadence_version != before.cadence_version:
            after, within = _at_its_slots_start(after, now), SLOT - MINUTE
        yield _Changed(stream=stream, ref=ref, owner=after, within=within)


def _timing(owner: Owner) -> tuple[object, ...]:
    """When it runs; of a schedule also what, for others may run the same."""
    if isinstance(owner, SlotOwner):
        return owner.schedule, owner.policies.timing, owner.active
    return owner.cadence, owner.policies.timing, owner.active, {row.job for row in owner.jobs}


def _at_its_slots_start(owner: SlotOwner, now: datetime) -> SlotOwner:
    """Return it with the first minute of its slot: in earnest any of them may be drawn."""
    schedule = drawn(owner.schedule, 0.0)
    decision = on_slots_set(schedule, owner.policies.timing, owner.timing, now, owner.expires_at)
    return replace(owner, schedule=schedule, timing=decision.state, next=decision.next)


def _daylight(changed: _Changed, now: datetime) -> Iterator[Warn]:
    owner = changed.owner
    told = moves(owner.cadence, owner.policies.timing, owner.timing, owner.next, now)
    if told:
        zone = owner.cadence.time_zone
        yield Warn("moves_with_daylight_saving", f"in {zone}: {'; '.join(told[:CHANGES_MAX])}", changed.path)


async def _others(views: Views, changed: _Changed, context: Context) -> Sequence[Warn]:
    owner, timing = changed.owner, changed.owner.policies.timing
    coming = preview(owner.cadence, timing, owner.timing, owner.next, COMING, now=context.now)
    dues = [one.due.due for one in coming]
    try:
        async with asyncio.timeout(READING_S_MAX):
            lasts = await views.duration(context.workspace, changed.ref)
            met = [one async for one in _collisions(views, changed, context, dues, lasts)]
            return [*met, *await _busy(views, changed, context, dues, lasts + changed.within)]
    except Exception as error:  # noqa: BLE001 a preview without these warnings is better than none
        _log.warning("foresight_failed", owner=changed.stream.name, error=type(error).__name__)
        return ()


async def _collisions(
    views: Views, changed: _Changed, context: Context, dues: Sequence[datetime], lasts: timedelta
) -> AsyncIterator[Warn]:
    if isinstance(changed.owner, SlotOwner):
        return
    jobs: defaultdict[str, list[str]] = defaultdict(list)
    for ref in sorted({row.job for row in changed.owner.jobs}, key=lambda job: job.id):
        jobs[ref.kind].append(ref.id)
    told = 0
    for other in await views.sharing(context.workspace, jobs, changed.stream.id):
        at = _first_meeting(other, dues, lasts)
        if at is None:
            continue
        told += 1
        if told > COLLISIONS_MAX:
            yield Warn("collides", "more schedules run the same jobs at the same time", "jobs")
            return
        what = ", ".join(other.jobs)
        detail = f"schedule {other.schedule} runs {what} as well, at {_text(at)}: who comes second waits for its turn"
        yield Warn("collides", detail, "jobs")


def _first_meeting(other: Sharing, dues: Sequence[datetime], lasts: timedelta) -> datetime | None:
    return next((at for due in dues if (at := other.meets(due, lasts)) is not None), None)


async def _busy(
    views: Views, changed: _Changed, context: Context, dues: Sequence[datetime], lasts: timedelta
) -> Sequence[Warn]:
    load = await views.load(context.workspace, context.now, without=changed.stream)
    most = {load[minute]: minute for due in reversed(dues) for minute in occupied(due, lasts)}
    limit = min(BUSY, context.limits.runs_per_workspace or BUSY)
    if not most or max(most) < limit:
        return ()
    minute = most[max(most)]
    detail = f"{max(most)} other runs are open at {minute // 60:02}:{minute % 60:02} UTC"
    return [Warn("busy_minutes", detail, changed.path)]


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
