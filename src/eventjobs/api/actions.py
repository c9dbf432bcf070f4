"""
What the caller may do with what a view shows, and why not.

Rights are today's, the state is that of the row. Roles are those of the command's `SPEC`, and each reason comes from
the function that refuses the command itself: what is shown as allowed is accepted, what is not is refused with the code
that is shown. An action that would change nothing is allowed, as its command is.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from eventjobs.api import connect_actions
from eventjobs.api.acting import RESUME_RUN, STOP_RUN, Action, Around
from eventjobs.api.ports import Document
from eventjobs.commands import (
    activate_schedule,
    clear_cadence_override,
    configure_service,
    delete_flow,
    delete_schedule,
    delete_service,
    describe_schedule,
    edit_cadence,
    edit_flow,
    edit_schedule_alerts,
    edit_schedule_jobs,
    edit_schedule_policies,
    inactivate_schedule,
    managing,
    pause_owner,
    register_integration,
    remove_member,
    restore_flow,
    restore_schedule,
    restore_service,
    resume_run,
    run_now,
    save_calendar,
    set_feature_status,
    stop_run,
    sync_registration,
    unpause_owner,
)
from eventjobs.commands.fields import no_such
from eventjobs.commands.job_facts import in_use
from eventjobs.commands.restoring import not_restorable
from eventjobs.commands.room import none_beside, none_beside_job
from eventjobs.domain.run import ENDED, State
from eventjobs.domain.streams import CONNECT_JOBS
from eventjobs.errors import Rejected


def _nothing(row: Document, around: Around) -> None:
    """No state refuses it."""


def _schedule_is_gone(row: Document, around: Around) -> Rejected | None:  # noqa: ARG001 as every reason
    return no_such("schedule", row["id"]) if row["deleted"] else None


def _schedule_is_managed(row: Document, around: Around) -> Rejected | None:
    if row["managed"] is None or row["deleted"]:
        return _schedule_is_gone(row, around)
    return managing.managed_by(f"the schedule {row['id']!r}", row["managed"]["integration"])


def _schedule_has_no_switch(row: Document, around: Around) -> Rejected | None:
    of = row["managed"]
    if of is None or row["deleted"]:
        return _schedule_is_gone(row, around)
    by_hand = of["switch"] != "integration"
    return managing.not_switched_here(of["integration"], of["feature"], of["feature_status"], active=by_hand)


def _schedule_cannot_be_activated(row: Document, around: Around) -> Rejected | None:
    return _schedule_has_no_switch(row, around) or (None if row["jobs"] else managing.no_jobs(row["id"]))


def _schedule_is_not_managed(row: Document, around: Around) -> Rejected | None:
    gone = _schedule_is_gone(row, around)
    return gone or (None if row["managed"] is not None else clear_cadence_override.not_managed(row["id"]))


def _cannot_be_restored(row: Document, around: Around) -> Rejected | None:  # noqa: ARG001 as every reason
    of = row["managed"]
    if not row["deleted"] or (of is not None and of["removed"] == "asked"):
        return None
    return not_restorable(row.get("kind", "schedule"), row["id"])


def _is_off(row: Document) -> Rejected | None:
    of = row["managed"]
    if of is None or not of["features"]:
        return None
    return managing.off(of["integration"], of["features"][0], of["feature_status"])


def _job_is_managed(row: Document, around: Around) -> Rejected | None:
    if row["managed"] is None or row["deleted"]:
        return _job_is_gone(row, around)
    return managing.managed_by(f"the {row['kind']} {row['id']!r}", row["managed"]["integration"])


def _schedule_cannot_run(row: Document, around: Around) -> Rejected | None:
    newest = None if row["open_run"] is None else row["open_run"]["id"]
    open_runs = max(around.open_runs.get(("schedule", row["id"]), 0), newest is not None)
    return (
        _schedule_is_gone(row, around)
        or _is_off(row)
        or (None if row["jobs"] else managing.no_jobs(row["id"]))
        or around.hold
        or none_beside(row["policies"]["overlap"], newest, open_runs, around.limits.runs_per_owner)
        or around.room
    )


def _job_is_gone(row: Document, around: Around) -> Rejected | None:  # noqa: ARG001 as every reason
    return no_such(row["kind"], row["id"]) if row["deleted"] else None


def _job_cannot_run(row: Document, around: Around) -> Rejected | None:
    busy = row["in_run"] if row["open_run"] is None else row["open_run"]["id"]
    open_runs = around.open_runs.get((row["kind"], row["id"]), 0)
    limit, exclusive = around.limits.runs_per_owner, row.get("exclusive", True)
    return (
        _job_is_gone(row, around)
        or (None if row.get("active", True) else run_now.flow_inactive(row["id"]))
        or _is_off(row)
        or around.hold
        or none_beside_job(row["kind"], busy, open_runs, limit, exclusive=exclusive)
        or around.room
    )


def _job_is_used(row: Document, around: Around) -> Rejected | None:  # noqa: ARG001 as every reason
    if row["deleted"] or not row["used_by"]:
        return None
    return in_use(row["id"], row["used_by"])


def _run_is_over(row: Document, around: Around) -> Rejected | None:  # noqa: ARG001 as every reason
    over = row["state"] in ENDED and row["state"] != State.ABORTED
    return stop_run.run_ended(row["id"], row["state"]) if over else None


def _run_cannot_be_resumed(row: Document, around: Around) -> Rejected | None:
    return (
        resume_run.not_resumable(row["id"], row["state"], row["resumed_by"])
        or _owner_cannot_run(around)
        or (None if row["same_jobs"] else resume_run.jobs_changed())
    )


def _owner_cannot_run(around: Around) -> Rejected | None:
    owner = around.owner
    return None if owner is None else _CANNOT_RUN[owner.get("kind", "schedule")](owner, around)


def _last_run_cannot_be_resumed(row: Document, around: Around) -> Rejected | None:
    return _run_cannot_be_resumed(row["last_run"], replace(around, owner=row))


_CANNOT_RUN: Final[Mapping[str, Callable[[Document, Around], Rejected | None]]] = {
    "schedule": _schedule_cannot_run,
    "service": _job_cannot_run,
    "flow": _job_cannot_run,
    "group": connect_actions.group_cannot_run,
    **dict.fromkeys(CONNECT_JOBS, connect_actions.job_cannot_run),
}


def _running(kind: str) -> Mapping[str, Action]:
    """Return what is done with the runs of owners of a kind."""
    return {
        "run_now": Action(run_now.SPEC, _CANNOT_RUN[kind]),
        STOP_RUN: Action(stop_run.SPEC, _nothing),
        RESUME_RUN: Action(resume_run.SPEC, _last_run_cannot_be_resumed),
    }


SCHEDULE: Final[Mapping[str, Action]] = {
    **_running("schedule"),
    "activate": Action(activate_schedule.SPEC, _schedule_cannot_be_activated),
    "inactivate": Action(inactivate_schedule.SPEC, _schedule_has_no_switch),
    "pause": Action(pause_owner.SPEC, _schedule_is_gone),
    "unpause": Action(unpause_owner.SPEC, _schedule_is_gone),
    "describe": Action(describe_schedule.SPEC, _schedule_is_managed),
    "edit_cadence": Action(edit_cadence.SPEC, _schedule_is_gone),
    "edit_jobs": Action(edit_schedule_jobs.SPEC, _schedule_is_managed),
    "edit_policies": Action(edit_schedule_policies.SPEC, _schedule_is_managed),
    "edit_alerts": Action(edit_schedule_alerts.SPEC, _schedule_is_gone),
    "clear_override": Action(clear_cadence_override.SPEC, _schedule_is_not_managed),
    "delete": Action(delete_schedule.SPEC, _nothing),
    "restore": Action(restore_schedule.SPEC, _cannot_be_restored),
}
SERVICE: Final[Mapping[str, Action]] = {
    **_running("service"),
    "configure": Action(configure_service.SPEC, _job_is_managed),
    "delete": Action(delete_service.SPEC, _job_is_used),
    "restore": Action(restore_service.SPEC, _cannot_be_restored),
}
FLOW: Final[Mapping[str, Action]] = {
    **_running("flow"),
    "edit": Action(edit_flow.SPEC, _job_is_managed),
    "delete": Action(delete_flow.SPEC, _job_is_used),
    "restore": Action(restore_flow.SPEC, _cannot_be_restored),
}
GROUP: Final[Mapping[str, Action]] = {**_running("group"), **connect_actions.GROUP}
CONNECT_JOB: Final[Mapping[str, Action]] = {**_running("import"), **connect_actions.CONNECT_JOB}
COMPLETED: Final[Mapping[str, Action]] = {"run_again": Action(run_now.SPEC, connect_actions.job_cannot_run)}
"""Of a job run that is over: running its job once more."""
JOB: Final[Mapping[str, Mapping[str, Action]]] = {
    "service": SERVICE,
    "flow": FLOW,
    **dict.fromkeys(CONNECT_JOBS, CONNECT_JOB),
}
"""Those of a job, by its kind."""
INTEGRATION: Final[Mapping[str, Action]] = {
    "sync": Action(sync_registration.SPEC, _nothing),
    "configure": Action(register_integration.SPEC, _nothing),
    "set_feature_status": Action(set_feature_status.SPEC, _nothing),
}
"""Of a registration; which status a feature may take from its present one is the command's to say."""
_RESTORING: Final = {
    "schedule": Action(restore_schedule.SPEC, _nothing),
    "service": Action(restore_service.SPEC, _nothing),
    "flow": Action(restore_flow.SPEC, _nothing),
}


def drift_actions(drifted: Document) -> Mapping[str, Action]:
    """Return what is done about a difference between a workspace and a definition (R78, R79)."""
    if drifted["what"] == "deleted":
        return {"restore": _RESTORING[drifted["thing"]["kind"]]}
    if drifted["what"] == "cadence":
        return {"clear_override": Action(clear_cadence_override.SPEC, _nothing)}
    return {}


CALENDAR: Final[Mapping[str, Action]] = {"save": Action(save_calendar.SPEC, _nothing)}
MEMBER: Final[Mapping[str, Action]] = {"remove": Action(remove_member.SPEC, _nothing)}
RUN: Final[Mapping[str, Action]] = {
    "stop": Action(stop_run.SPEC, _run_is_over),
    "resume": Action(resume_run.SPEC, _run_cannot_be_resumed),
    "run_again": Action(run_now.SPEC, lambda _, around: _owner_cannot_run(around)),
}
