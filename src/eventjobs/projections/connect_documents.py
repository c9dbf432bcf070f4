"""
Rows of groups and Connect jobs as the documents that clients get (G24, G28, G31, G57, G79).

Whether one is defined to run, whether it runs, and how its last run ended are three columns. What is relative to now
follows from the instant that the page is read of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Final

from eventjobs.domain.connect_job import INITIAL, ConnectJob
from eventjobs.domain.expiry import WARNED_DAYS, days_left
from eventjobs.domain.group import Group
from eventjobs.domain.qualification import objections
from eventjobs.domain.slot_checks import Finding
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.slots import MINUTES, SLOTS, describe, window, window_of
from eventjobs.domain.standing import Standing, group_standing, job_standing
from eventjobs.events.connect import Notification
from eventjobs.events.slots import SlotSchedule
from eventjobs.projections.documents import (
    Document,
    Row,
    due_document,
    duration,
    loads,
    pause_of,
    policy_document,
    policy_of,
    runs_of,
)
from eventjobs.projections.slot_rows import group_of, job_of

GROUP: Final = "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """From where a page is read: the instant that counts as now, and the kinds of job that groups may have here."""

    now: datetime
    kinds: Sequence[str]


def group_document(
    row: Row, members: Mapping[str, Row], states: Mapping[str, ConnectJob], runs: Mapping[str, Document], seen: Seen
) -> Document:
    """A group with its jobs in their order; `members` are their rows by id, `states` the same for the rules."""
    group = group_of(row)
    standing = group_standing(row["id"], group, states, seen.now, seen.kinds)
    jobs = [
        {
            "row": place,
            "job": asdict(member.job),
            "seq": place,
            "skip_wait": False,
            "required": member.required,
            **_member(members.get(member.job.id), states.get(member.job.id, INITIAL), row["id"], seen),
        }
        for place, member in enumerate(group.members, 1)
    ]
    shown = runs_of(row, runs, jobs)
    return {
        "id": row["id"],
        "kind": GROUP,
        "status": _status(group, shown["open_run"], standing),
        **_slot_owner(row, group, standing, seen),
        "notification": _group_notification(group.notification),
        "invalid": [_finding(mark) for mark in standing.invalid],
        "jobs": jobs,
        "current_job": _current(shown["open_run"]),
        "running": shown["open_run"] is not None,
        **shown,
    }


def connect_job_document(row: Row, runs: Mapping[str, Document], seen: Seen) -> Document:
    """A Connect job; it `running` also says where it has its turn in a group's run."""
    job = job_of(row)
    standing = job_standing(job, seen.now)
    shown = runs_of(row, runs)
    group = None if row["member_of"] is None else {"kind": GROUP, "id": row["member_of"]}
    return {
        "id": row["id"],
        "kind": row["kind"],
        "subtype": row["subtype"],
        **_slot_owner(row, job.own, standing, seen),
        "origin": "workspace",
        "managed": None,
        "drift": [],
        "handler": row["handler"],
        "config": loads(row["config"]),
        "policy": policy_document(policy_of(row)),
        "used_by": [] if group is None else [group],
        "group": group,
        "group_run": row["group_run"],
        "group_of_run": row["group_of_run"],
        "group_active": _needs_it(row, seen.now),
        "group_name": row["group_name"],
        "in_run": row["in_run"],
        "running": shown["open_run"] is not None or row["in_run"] is not None,
        "last_result": _last_result(row),
        **shown,
    }


def candidate_document(row: Row, job: ConnectJob, group: str | None, seen: Seen) -> Document:
    """A job, and why it does not qualify for a group (G19)."""
    reasons = objections(job, group, seen.now, seen.kinds)
    return {
        "id": row["id"],
        "kind": row["kind"],
        "name": row["name"],
        "state": job.own.activity,
        "schedule_type": job.own.schedule.type,
        "expires_on": row["expires_on"],
        "group": row["member_of"],
        "qualified": not reasons,
        "reasons": list(reasons),
    }


def schedule_document(schedule: SlotSchedule, *, drawn: bool) -> Document:
    """A slot schedule in the shape in which it is sent, and as text; its minute counts once it is `drawn` (G31)."""
    return {
        "type": schedule.type,
        "date": schedule.date,
        "days": list(schedule.days),
        "day": schedule.day,
        "every": schedule.every,
        "hour": schedule.hour,
        "slot": None if schedule.slot is None else SLOTS[schedule.slot],
        "at": schedule.at,
        "time_zone": schedule.time_zone,
        "from": schedule.from_date,
        "until": schedule.until_date,
        "redraw": schedule.redraw,
        "minute": schedule.minute if drawn else None,
        "window": _window(schedule),
        "describe": describe(schedule),
    }


def _window(schedule: SlotSchedule) -> str | None:
    if schedule.hour is None or schedule.slot is None:
        return None
    return window(datetime(2000, 1, 1, schedule.hour, schedule.slot * MINUTES))  # noqa: DTZ001 a time of the clock


def _slot_owner(row: Row, owner: SlotOwner, standing: Standing, seen: Seen) -> Document:
    """What groups and jobs show alike."""
    due = owner.next
    return {
        "version": row["version"],
        "name": row["name"],
        "description": row["description"],
        "state": owner.activity,
        "deleted": owner.deleted,
        "created_at": row["created_at"],
        "created_by": row["created_by"],
        "schedule": schedule_document(owner.schedule, drawn=owner.active),
        "cadence_version": row["cadence_version"],
        "next_run": None if due is None else {**due_document(due, owner.schedule.time_zone), "window": window_of(due)},
        "runs_left": standing.runs_left,
        "spent": standing.spent,
        **_expiry(row, owner, seen.now),
        "errors": [asdict(error) for error in standing.errors],
        "warnings": [_finding(warning) for warning in standing.warnings],
        "notification": notification_document(owner.notification),
        "policies": _policies(owner),
        "pause": pause_of(row),
        "waiting": row["waiting"] or 0,
    }


def _expiry(row: Row, owner: SlotOwner, now: datetime) -> Document:
    left = None if owner.expires_on is None else days_left(row["zone"], date.fromisoformat(owner.expires_on), now)
    return {
        "expires_on": owner.expires_on,
        "expires_at": owner.expires_at,
        "on_expiry": owner.on_expiry,
        "days_left": left,
        "expires_soon": left is not None and left <= max(WARNED_DAYS),
        "expired": owner.is_over(now),
        "expiry_pending": owner.is_over(now) and not owner.expired,
    }


def notification_document(notification: Notification) -> Document:
    """Who is told, in the shape in which it is sent."""
    return {
        "mode": notification.mode,
        "recipients": list(notification.recipients),
        "failure_recipients": list(notification.failure_recipients),
        "webhook": [asdict(one) for one in notification.webhooks],
        "on_rejects": notification.on_rejects,
        "on_recovery": notification.on_recovery,
    }


def _group_notification(notification: Notification) -> Document:
    return {
        **notification_document(notification),
        "also_send_job_mails": notification.also_send_job_mails,
        "on_success": [asdict(one) for one in notification.on_success],
    }


def _policies(owner: SlotOwner) -> Document:
    timing = owner.policies.timing
    return {
        "gap": timing.gap,
        "repeat": timing.repeat,
        "catch_up": timing.catch_up,
        "catch_up_window": duration(timing.catch_up_window_s),
        "overlap": owner.policies.overlap,
    }


def _member(row: Row | None, job: ConnectJob, group: str, seen: Seen) -> Document:
    return {
        "name": None if row is None else row["name"],
        "state": None if row is None else job.own.activity,
        "running": row is not None and row["in_run"] is not None,
        "expires_on": None if row is None else row["expires_on"],
        "reasons": list(objections(job, group, seen.now, seen.kinds)),
    }


def _current(open_run: Document | None) -> Document | None:
    """Which of its jobs a running group is at: place, how many there are, and the job."""
    if open_run is None or "stage" not in open_run:
        return None
    return {"place": open_run["stage"], "of": open_run["of"], "job": open_run["job"]}


def _status(group: Group, open_run: Document | None, standing: Standing) -> str:
    """Return the one word for a group, the first that applies."""
    if open_run is not None and not group.deleted:
        return "stopping" if open_run.get("state") == "stopping" else "running"
    return "invalid" if standing.invalid else str(group.activity)


def _needs_it(row: Row, now: datetime) -> bool:
    """Tell whether the job's group is active and needs it as it is: from its last instant on only while it runs."""
    over = row["group_expires_at"] is not None and row["group_expires_at"] <= now
    return bool(row["group_active"]) and (row["group_open_run"] is not None or not over)


def _last_result(row: Row) -> Document | None:
    if row["result_run"] is None:
        return None
    return {
        "run": row["result_run"],
        "owner": {"kind": row["result_owner_kind"], "id": row["result_owner_id"]},
        "state": row["result_state"],
        "reason": row["result_reason"],
        "ended_at": row["result_ended_at"],
    }


def _finding(finding: Finding) -> Document:
    return {"path": finding.path, "code": finding.code, "detail": finding.detail, **finding.extra}
