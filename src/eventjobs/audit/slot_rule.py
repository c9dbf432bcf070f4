"""What the rule gives for those who are due by a slot schedule and expire: groups, and Connect jobs by themselves."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from eventjobs.audit.comparing import differs, swallowed, text
from eventjobs.audit.findings import Kind, Mismatch
from eventjobs.audit.steps import Settling, Step
from eventjobs.domain.activation import on_inactivated
from eventjobs.domain.edits import on_zone_data_changed
from eventjobs.domain.expiry import days_left, expiry_instant, today, warning_instants
from eventjobs.domain.slot_activation import is_drawn_anew, on_minute_drawn, on_slots_set, thresholds
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.slots import MINUTES, cadence_of, undrawn
from eventjobs.events.group import (
    GroupActivated,
    GroupCreated,
    GroupDeleted,
    GroupExpiryDeferred,
    GroupReordered,
    GroupSaved,
)
from eventjobs.events.job import JobActivated, JobCreated, JobDeleted, JobSaved
from eventjobs.events.owner import (
    OwnerExpirationSet,
    OwnerExpired,
    OwnerExpiryDeferred,
    OwnerExpiryWarned,
    OwnerMinuteDrawn,
    OwnerRunOpened,
    OwnerScheduled,
    OwnerUnscheduled,
    OwnerZoneDataAdopted,
)
from eventjobs.events.slots import Redraw, SlotSchedule

_DAY: Final = timedelta(days=1)
_BEFORE_ALL: Final = datetime(1969, 1, 1, tzinfo=UTC)


def slot_mismatch(zone: str, owner: SlotOwner, step: Any, now: datetime) -> Mismatch | None:
    """Return what is wrong with a fact that was decided at `now`, in a workspace of this zone."""
    match step:
        case GroupCreated() | JobCreated():
            return _expires(zone, step, now)
        case OwnerExpirationSet():
            return swallowed(owner, now) or _expires(zone, step, now) or _due_by_then(owner, step, now)
        case OwnerExpiryWarned():
            return _warned(zone, owner, step, now)
        case OwnerExpiryDeferred():
            return _deferred(owner, step, now)
        case OwnerExpired():
            return swallowed(owner, now) or _expired(owner, step, now)
        case GroupDeleted() | JobDeleted():
            return swallowed(owner, now) or _not_free(owner)
        case _:
            return _of_a_living_one(owner, step, now)


def not_rescheduled(owner: SlotOwner, step: Any, later: Sequence[Step]) -> Mismatch | None:
    """Return that an active one was saved with another schedule, and is not due by it from the same append on."""
    if not isinstance(step, (GroupSaved, JobSaved)) or not owner.active:
        return None
    before, after = owner.policies.timing, step.policies.timing
    if undrawn(owner.schedule) == step.schedule and (before.gap, before.repeat) == (after.gap, after.repeat):
        return None
    scheduled = next((one for one in later if isinstance(one, OwnerScheduled)), None)
    if scheduled is not None and undrawn(scheduled.schedule) == step.schedule:
        return None
    return Mismatch(Kind.NOT_THE_RULE, "it is saved with another schedule, and not due by it")


def not_redrawn(owner: SlotOwner, step: Any, later: Sequence[Step]) -> Mismatch | None:
    """Return that a moment was answered whose next one has its minute drawn anew, and it was not."""
    if not isinstance(step, Settling) or owner.schedule.redraw != Redraw.PER_OCCURRENCE or step.next is None:
        return None
    if later and isinstance(later[0], OwnerMinuteDrawn):
        return None
    return Mismatch(Kind.NOT_THE_RULE, "the minute of its next moment is to be drawn anew, and was not")


def slot_marks(zone: str, owner: SlotOwner, steps: Sequence[Step], at: datetime) -> Iterator[datetime]:
    """Yield the instants next to `at` at which the rule begins to decide otherwise about facts of these."""
    if owner.expires_at is not None:
        yield owner.expires_at
    yield from owner.warn_at
    for step in steps:
        match step:
            case OwnerScheduled():
                yield from thresholds(step.schedule, owner.policies.timing, at)
            case GroupCreated() | JobCreated() | OwnerExpirationSet():
                yield from _warnings(zone, step.expires_on, _BEFORE_ALL)
            case OwnerExpiryWarned():
                yield expiry_instant(zone, today(zone, at) - _DAY)
            case _:
                pass


def _of_a_living_one(owner: SlotOwner, step: Any, now: datetime) -> Mismatch | None:
    match step:
        case OwnerScheduled():
            return swallowed(owner, now) or _over(owner, now) or _scheduled(owner, step, now)
        case OwnerMinuteDrawn():
            return swallowed(owner, now) or _minute_drawn(owner, step)
        case OwnerUnscheduled():
            wanted = on_inactivated(owner.timing)
            return swallowed(owner, now) or _over(owner, now) or differs(step.timing, wanted, None, None)
        case GroupSaved() | JobSaved() | GroupReordered():
            return swallowed(owner, now) or _over(owner, now)
        case OwnerRunOpened():
            return _over(owner, now)
        case OwnerZoneDataAdopted():
            decision = on_zone_data_changed(owner.cadence, owner.policies.timing, owner.timing, owner.next, now)
            return swallowed(owner, now) or differs(step.timing, decision.state, step.next, decision.next)
        case _:
            return None


def _scheduled(owner: SlotOwner, step: OwnerScheduled, now: datetime) -> Mismatch | None:
    if step.cadence_version != owner.cadence_version + 1:
        what = f"its cadence version is {step.cadence_version} after {owner.cadence_version}"
        return Mismatch(Kind.NOT_THE_RULE, what)
    if not _is_drawn(step.schedule):
        return Mismatch(Kind.NOT_THE_RULE, f"the minute {step.schedule.minute} does not lie in its slot")
    begins = isinstance(step, (GroupActivated, JobActivated))
    if begins == owner.active:
        return Mismatch(Kind.NOT_THE_RULE, f"it was {'active' if owner.active else 'not active'} before")
    if begins and undrawn(step.schedule) != undrawn(owner.schedule):
        return Mismatch(Kind.NOT_THE_RULE, "it is activated with another schedule than it was saved with")
    decision = on_slots_set(step.schedule, owner.policies.timing, owner.timing, now, owner.expires_at)
    return differs(step.timing, decision.state, step.next, decision.next)


def _minute_drawn(owner: SlotOwner, step: OwnerMinuteDrawn) -> Mismatch | None:
    if owner.schedule.redraw != Redraw.PER_OCCURRENCE or undrawn(step.schedule) != undrawn(owner.schedule):
        return Mismatch(Kind.NOT_THE_RULE, "its schedule draws no such minute")
    if not _is_drawn(step.schedule):
        return Mismatch(Kind.NOT_THE_RULE, f"the minute {step.schedule.minute} does not lie in its slot")
    if owner.next is None or is_drawn_anew(owner.timing):
        return Mismatch(Kind.NOT_THE_RULE, "no moment was answered since its minute was drawn")
    decision = on_minute_drawn(step.schedule, owner.policies.timing, owner.timing, owner.expires_at)
    return differs(step.timing, decision.state, step.next, decision.next)


def _is_drawn(schedule: SlotSchedule) -> bool:
    if schedule.slot is None or schedule.minute is None:
        return schedule.minute is None
    return schedule.minute // MINUTES == schedule.slot


def _over(owner: SlotOwner, now: datetime) -> Mismatch | None:
    if not owner.is_over(now):
        return None
    return Mismatch(Kind.NOT_THE_RULE, f"it had expired on {owner.expires_on}, and nothing may change or start then")


def _not_over(owner: SlotOwner, now: datetime) -> Mismatch | None:
    if owner.is_over(now):
        return None
    end = "never" if owner.expires_at is None else text(owner.expires_at)
    return Mismatch(Kind.NOT_THE_RULE, f"it expires {end}, which had not come")


def _not_free(owner: SlotOwner) -> Mismatch | None:
    if owner.open_runs:
        return Mismatch(Kind.NOT_THE_RULE, f"it ends while the run {owner.open_run} is open")
    if owner.waiting:
        return Mismatch(Kind.LEFT_OVER, f"it ends while {text(owner.waiting[0].due)} waits for its run")
    return None


def _expires(zone: str, step: GroupCreated | JobCreated | OwnerExpirationSet, now: datetime) -> Mismatch | None:
    on = step.expires_on
    end = None if on is None else expiry_instant(zone, date.fromisoformat(on))
    if step.expires_at != end:
        return Mismatch(Kind.NOT_THE_RULE, f"its last day {on} is over at {end}, and it says {step.expires_at}")
    return _warns(step.warn_at, _warnings(zone, on, now))


def _warnings(zone: str, on: str | None, now: datetime) -> tuple[datetime, ...]:
    return () if on is None else warning_instants(zone, date.fromisoformat(on), now)


def _warns(told: tuple[datetime, ...], wanted: tuple[datetime, ...]) -> Mismatch | None:
    if told == wanted:
        return None
    return Mismatch(Kind.NOT_THE_RULE, f"{len(wanted)} warnings are left by the rule, and it says {len(told)}")


def _due_by_then(owner: SlotOwner, step: OwnerExpirationSet, now: datetime) -> Mismatch | None:
    due, timing = owner.next, owner.policies.timing
    if owner.active:
        cadence = cadence_of(owner.schedule, step.expires_at)
        due = on_zone_data_changed(cadence, timing, owner.timing, owner.next, now).next
    return differs(owner.timing, owner.timing, step.next, due)


def _warned(zone: str, owner: SlotOwner, step: OwnerExpiryWarned, now: datetime) -> Mismatch | None:
    left = tuple(at for at in owner.warn_at if at > now)
    if owner.expires_on is None or owner.is_over(now) or left == owner.warn_at:
        return Mismatch(Kind.NOT_THE_RULE, "nobody was to be warned then")
    days = days_left(zone, date.fromisoformat(owner.expires_on), now)
    if (step.days_left, step.expires_at) != (days, owner.expires_at):
        return Mismatch(Kind.NOT_THE_RULE, f"{days} days are left by the rule, and it says {step.days_left}")
    return _warns(step.warn_at, left)


def _deferred(owner: SlotOwner, step: OwnerExpiryDeferred, now: datetime) -> Mismatch | None:
    if owner.deferred:
        return Mismatch(Kind.NOT_THE_RULE, "its end was put off before")
    by_itself = owner.open_run is not None or isinstance(step, GroupExpiryDeferred)
    if by_itself and step.run != owner.open_run:
        return Mismatch(Kind.UNFOUNDED, f"its open run is {owner.open_run}, and not {step.run}")
    return _not_over(owner, now)


def _expired(owner: SlotOwner, step: OwnerExpired, now: datetime) -> Mismatch | None:
    if step.on_expiry != owner.on_expiry:
        return Mismatch(Kind.NOT_THE_RULE, f"by its definition {owner.on_expiry} follows, and not {step.on_expiry}")
    if owner.expired:
        return Mismatch(Kind.DOUBLED, "it had expired before")
    unfit = _not_over(owner, now) or _not_free(owner)
    return unfit or differs(step.timing, on_inactivated(owner.timing), None, None)
