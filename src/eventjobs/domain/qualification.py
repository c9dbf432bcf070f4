"""Which jobs may be members of a group, and why others may not (G15 to G24)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from eventjobs.domain.connect_job import ConnectJob
from eventjobs.domain.group import LEAST, Group
from eventjobs.domain.slot_owner import Activity
from eventjobs.errors import FieldError
from eventjobs.events.connect import Notification
from eventjobs.events.slots import SlotType

MISSING = "missing"


def objections(job: ConnectJob, group_id: str | None, now: datetime, kinds: Sequence[str]) -> tuple[str, ...]:
    """
    Return why a job does not qualify for a group, or for a new one, nothing where it does.

    `kinds` are those that groups may have here; `in_other_group` is one of the reasons.
    """
    if not job.exists or (job.deleted and not job.own.is_over(now)):
        return (MISSING,)
    return tuple(_objections(job, group_id, now, kinds))


def _objections(job: ConnectJob, group_id: str | None, now: datetime, kinds: Sequence[str]) -> Iterator[str]:
    if job.own.is_over(now):
        yield "expired"
    elif job.own.activity is not Activity.ACTIVE:
        yield job.own.activity
    if job.own.schedule.type is not SlotType.ON_DEMAND:
        yield "scheduled"
    if job.kind == "partner":
        yield "partner"
    elif job.kind not in kinds:
        yield f"not_{kinds[0]}"
    if job.group not in (None, group_id):
        yield "in_other_group"


def group_errors(group: Group, members: Iterable[tuple[str, Sequence[str]]]) -> list[FieldError]:
    """
    Return what keeps a group from being active besides its schedule (G5, G12, G15 to G18, G67).

    `members` are its jobs with the reasons why each does not qualify.
    """
    errors = []
    if len(group.members) < LEAST:
        errors.append(FieldError("jobs", "group_too_small", f"an active group has at least {LEAST} jobs"))
    for place, (job, reasons) in enumerate(members):
        if reasons:
            detail = f"the job {job!r} does not qualify: {', '.join(reasons)}"
            errors.append(FieldError(f"jobs.{place}", "job_not_qualified", detail))
    return [*errors, *nobody_told(group.notification)]


def nobody_told(notification: Notification) -> list[FieldError]:
    """Return the error for a mode that tells nobody (G67): who is active has recipients, or the mode `none`."""
    if notification.mode == "none" or notification.recipients or notification.webhooks:
        return []
    if notification.mode == "failure" and notification.failure_recipients:
        return []
    detail = f"the mode {notification.mode} needs somebody to tell"
    return [FieldError("notification.recipients", "recipients_required", detail)]
