"""How a group or a Connect job stands: what keeps it from being active, what is odd about it, which runs are left."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from eventjobs.domain.connect_job import INITIAL, ConnectJob
from eventjobs.domain.group import Group
from eventjobs.domain.qualification import MISSING, group_errors, objections
from eventjobs.domain.slot_activation import first_start, runs_left
from eventjobs.domain.slot_checks import Activation, Finding, check_activation, members_that_expire_first
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.slots import is_ready, undrawn
from eventjobs.errors import FieldError
from eventjobs.events.slots import SlotType


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    What people are told of it besides its definition.

    `errors` keep it from being activated; of an active one they are those that an edit of its jobs brought. `invalid`
    says in which respects an active group would fail its activation now (G24). `spent`: its only moment is over (G14).
    `runs_left` is `None` where they never end.
    """

    errors: tuple[FieldError, ...] = ()
    warnings: tuple[Finding, ...] = ()
    invalid: tuple[Finding, ...] = ()
    runs_left: int | None = None
    spent: bool = False


def activation_of(
    present: SlotOwner, now: datetime, members: Mapping[str, datetime | None] | None = None
) -> Activation:
    """Return the activation of it as it is defined; `members` are the jobs of a group and when each expires."""
    return Activation(
        schedule=present.schedule,
        policies=present.policies.timing,
        now=now,
        expires_at=present.expires_at,
        members=members or {},
        again=not present.drafted,
        state=present.timing,
    )


def group_standing(
    group_id: str, group: Group, jobs: Mapping[str, ConnectJob], now: datetime, kinds: Sequence[str]
) -> Standing:
    """Return how a group stands; `jobs` are its members by id, `kinds` those that groups may have here."""
    members = [(one.job.id, jobs.get(one.job.id, INITIAL)) for one in group.members]
    reasons = [objections(job, group_id, now, kinds) for _, job in members]
    found = group_errors(group, [(job, why) for (job, _), why in zip(members, reasons, strict=True)])
    expiries = {job: state.own.expires_at for job, state in members if state.exists}
    standing = _standing(group, found, now, expiries)
    if not group.active:
        return standing
    marks = (*_too_few(found), *_lost(members, reasons), *_without_a_moment(group, standing.spent))
    return Standing(
        errors=standing.errors,
        warnings=standing.warnings,
        invalid=marks,
        runs_left=standing.runs_left,
        spent=standing.spent,
    )


def job_standing(job: ConnectJob, now: datetime) -> Standing:
    """Return how a Connect job stands; what keeps it from being activated was found when it was saved."""
    return _standing(job.own, [FieldError(one.path, one.code, one.detail) for one in job.errors], now, {})


def _standing(
    owner: SlotOwner, found: Sequence[FieldError], now: datetime, members: Mapping[str, datetime | None]
) -> Standing:
    if owner.active:
        spent = _is_spent(owner, now)
        left = runs_left(owner.schedule, owner.policies.timing, owner.next, owner.expires_at)
        warnings = (*_few_runs(owner, left), *members_that_expire_first(activation_of(owner, now, members)))
        return Standing(errors=tuple(found), warnings=warnings, runs_left=left, spent=spent)
    checked = check_activation(activation_of(owner, now, members))
    known = {(error.path, error.code) for error in found}
    timely = (one.error for one in checked.errors if (one.path, one.code) not in known)
    return Standing(errors=(*found, *timely), warnings=checked.warnings, runs_left=0)


def _is_spent(owner: SlotOwner, now: datetime) -> bool:
    if owner.schedule.type is not SlotType.ONCE or owner.next is not None:
        return False
    start = first_start(undrawn(owner.schedule), owner.policies.timing)
    return start is not None and start.due <= now


def _few_runs(owner: SlotOwner, left: int | None) -> Iterator[Finding]:
    """Warn of the last run before a recurring schedule's owner expires (G57)."""
    if left != 1 or owner.next is None or owner.schedule.type is SlotType.ONCE or owner.expires_at is None:
        return
    if runs_left(owner.schedule, owner.policies.timing, owner.next, None) != 1:
        detail = f"It runs once, {owner.next.local}, and then expires."
        yield Finding(path="expires_on", code="few_runs_before_expiry", detail=detail)


def _too_few(found: Iterable[FieldError]) -> Iterator[Finding]:
    return (
        Finding(path=one.path, code=one.code, detail=one.detail)
        for one in found
        if one.code in ("group_too_small", "recipients_required")
    )


def _lost(members: Sequence[tuple[str, ConnectJob]], reasons: Sequence[tuple[str, ...]]) -> Iterator[Finding]:
    for place, ((job_id, job), why) in enumerate(zip(members, reasons, strict=True)):
        if why:
            what = MISSING if job.deleted else why[0]
            detail = f"the job {job_id!r} does not qualify: {', '.join(why)}"
            extra = {"job": job_id, "reasons": list(why)}
            yield Finding(path=f"jobs.{place}", code=f"member_{what}", detail=detail, extra=extra)


def _without_a_moment(group: Group, spent: bool) -> Iterator[Finding]:
    if group.schedule.type is SlotType.ON_DEMAND or group.next is not None or spent or not is_ready(group.schedule):
        return
    yield Finding(path="schedule", code="no_future_occurrence", detail="Nothing is due before it expires.")
