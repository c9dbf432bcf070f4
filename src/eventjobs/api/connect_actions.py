"""
What the caller may do with groups and Connect jobs, and why not.

Where an action takes `force`, its reason is that of the command without it.
"""

from collections.abc import Mapping
from typing import Final

from eventjobs.api.acting import Action, Around
from eventjobs.api.ports import Document
from eventjobs.commands import (
    activate_group,
    activate_job,
    copy_group,
    copy_job,
    create_group,
    deactivate_group,
    deactivate_job,
    delete_group,
    delete_job,
    pause_owner,
    reorder_group,
    save_group,
    save_job,
    set_expiration,
    set_job_schedule,
    unpause_owner,
)
from eventjobs.commands.expiring import expired, still_runs
from eventjobs.commands.fields import no_such
from eventjobs.commands.qualifying import needed
from eventjobs.commands.room import already_running, none_beside
from eventjobs.commands.run_by_slots import in_running_group, inactive
from eventjobs.commands.slot_activity import not_active
from eventjobs.errors import FieldError, Invalid, Rejected


def group_cannot_run(row: Document, around: Around) -> Rejected | None:
    """Return why nobody may run a group by hand now."""
    return _cannot_run(row, around) or around.room


def job_cannot_run(row: Document, around: Around) -> Rejected | None:
    """Return why nobody may run a Connect job by hand now; one of a running group is left to it."""
    return _cannot_run(row, around) or _is_busy(row) or around.room


def _cannot_run(row: Document, around: Around) -> Rejected | None:
    return (
        _is_gone(row, around)
        or (None if row["state"] == "active" else inactive(_sort(row), row["id"]))
        or around.hold
        or _beside(row, around)
    )


def _beside(row: Document, around: Around) -> Rejected | None:
    newest = None if row["open_run"] is None else row["open_run"]["id"]
    open_runs = max(around.open_runs.get((row["kind"], row["id"]), 0), newest is not None)
    return none_beside(row["policies"]["overlap"], newest, open_runs, around.limits.runs_per_owner)


def _is_busy(row: Document) -> Rejected | None:
    if row["group_run"] is not None:
        return in_running_group(row["group_run"], row["group_of_run"])
    return None if row["in_run"] is None else already_running(row["in_run"])


def _nothing(row: Document, around: Around) -> None:
    """No state refuses it."""


def _is_gone(row: Document, around: Around) -> Rejected | None:  # noqa: ARG001 as every reason
    if row["expired"]:
        return expired(row["kind"], row["id"], row["expires_on"])
    return no_such(_sort(row), row["id"]) if row["deleted"] else None


def _is_deleted(row: Document, around: Around) -> Rejected | None:  # noqa: ARG001 as every reason
    return no_such(row["kind"], row["id"]) if row["deleted"] else None


def _is_not_kept(row: Document) -> Rejected | None:
    """Return why nothing becomes of what has expired; what its expiry only deactivates is kept (G62)."""
    if not row["expired"]:
        return None
    if row["deleted"] or row["on_expiry"] == "delete":
        return expired(row["kind"], row["id"], row["expires_on"])
    return still_runs(row["kind"], _busy(row)) if row["expiry_pending"] and _busy(row) is not None else None


def _busy(row: Document) -> str | None:
    """Return the run that is open, for a job also the one that it has its turn in."""
    run: str | None = row.get("in_run") if row["open_run"] is None else row["open_run"]["id"]
    return run


def _cannot_expire_otherwise(row: Document, around: Around) -> Rejected | None:
    return _is_not_kept(row) or _is_deleted(row, around)


def _cannot_be_activated(row: Document, around: Around) -> Rejected | None:
    gone = _is_gone(row, around)
    if gone is not None or row["state"] == "active":
        return gone
    errors = [FieldError(error["path"], error["code"], error["detail"]) for error in row["errors"]]
    return Invalid.fields(errors) if errors else None


def _cannot_be_deactivated(row: Document, around: Around) -> Rejected | None:
    gone = _is_gone(row, around)
    return gone or (None if row["state"] == "active" else not_active(_sort(row), row["id"]))


def _is_needed(row: Document, around: Around) -> Rejected | None:
    gone = _is_gone(row, around)
    if gone is not None or not row["group_active"]:
        return gone
    return needed(row["id"], row["group"]["id"], row["group_name"])


def _job_cannot_be_deactivated(row: Document, around: Around) -> Rejected | None:
    return _cannot_be_deactivated(row, around) or _is_needed(row, around)


def _group_cannot_be_deleted(row: Document, around: Around) -> Rejected | None:  # noqa: ARG001 as every reason
    busy = None if row["deleted"] else _busy(row)
    return _is_not_kept(row) or (None if busy is None else still_runs("group", busy))


def _job_cannot_be_deleted(row: Document, around: Around) -> Rejected | None:  # noqa: ARG001 as every reason
    gone = _is_not_kept(row)
    if gone is not None or row["deleted"]:
        return gone
    if row["group"] is not None:
        return delete_job.job_in_group(row["id"], row["group"]["id"], row["group_name"])
    return None if _busy(row) is None else still_runs("job", _busy(row))


def _sort(row: Document) -> str:
    return "group" if row["kind"] == "group" else "job"


GROUP: Final[Mapping[str, Action]] = {
    "activate": Action(activate_group.SPEC, _cannot_be_activated),
    "deactivate": Action(deactivate_group.SPEC, _cannot_be_deactivated),
    "pause": Action(pause_owner.SPEC, _is_deleted),
    "unpause": Action(unpause_owner.SPEC, _is_deleted),
    "save": Action(save_group.SPEC, _is_gone),
    "copy": Action(copy_group.SPEC, _nothing),
    "reorder": Action(reorder_group.SPEC, _is_gone),
    "set_expiration": Action(set_expiration.SPEC, _cannot_expire_otherwise),
    "delete": Action(delete_group.SPEC, _group_cannot_be_deleted),
}
"""Those of a group besides running it."""
CONNECT_JOB: Final[Mapping[str, Action]] = {
    "activate": Action(activate_job.SPEC, _cannot_be_activated),
    "deactivate": Action(deactivate_job.SPEC, _job_cannot_be_deactivated),
    "pause": Action(pause_owner.SPEC, _is_deleted),
    "unpause": Action(unpause_owner.SPEC, _is_deleted),
    "save": Action(save_job.SPEC, _is_gone),
    "copy": Action(copy_job.SPEC, _nothing),
    "set_schedule": Action(set_job_schedule.SPEC, _is_needed),
    "set_expiration": Action(set_expiration.SPEC, _cannot_expire_otherwise),
    "delete": Action(delete_job.SPEC, _job_cannot_be_deleted),
}
"""Those of a Connect job besides running it; what is gone is copied too (G62)."""
TAB: Final[Mapping[str, Action]] = {"create_group": Action(create_group.SPEC, _nothing)}
"""Those of a tab as a whole."""
ALL_JOBS_TAB: Final[Mapping[str, Action]] = {"create_job": Action(save_job.SPEC, _nothing), **TAB}
