"""Rows as the documents that clients get: plain JSON, with what follows from several columns worked out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import asyncpg
import orjson
from pydantic import TypeAdapter

from eventjobs.domain.preview import drifted_from_label
from eventjobs.events.cadence import Cadence, NextDue, TimingState
from eventjobs.events.schedule import SchedulePolicies
from eventjobs.events.service import AttemptPolicy
from eventjobs.ids import EVERYWHERE

Row: TypeAlias = asyncpg.Record
Document: TypeAlias = dict[str, Any]

_CADENCE: TypeAdapter[Cadence] = TypeAdapter(Cadence)
_POLICIES: TypeAdapter[SchedulePolicies] = TypeAdapter(SchedulePolicies)
_TIMING: TypeAdapter[TimingState] = TypeAdapter(TimingState)
_POLICY: TypeAdapter[AttemptPolicy] = TypeAdapter(AttemptPolicy)
_DURATION: TypeAdapter[timedelta] = TypeAdapter(timedelta)


def loads(text: str | None) -> Any:
    """Read a json column."""
    return None if text is None else orjson.loads(text)


def cadence_of(row: Row) -> Cadence:
    """The cadence of a schedule's row."""
    return _CADENCE.validate_json(row["cadence"])


def policies_of(row: Row) -> SchedulePolicies:
    """The policies of a schedule's row."""
    return _POLICIES.validate_json(row["policies"])


def timing_of(row: Row) -> TimingState:
    """What a schedule's periods count from."""
    return TimingState() if row["timing"] is None else _TIMING.validate_json(row["timing"])


def next_of(row: Row) -> NextDue | None:
    """The recorded due moment of a schedule's row."""
    if row["due"] is None:
        return None
    return NextDue(due=row["due"], local=row["local"], fold=row["fold"], zone_data=row["zone_data"], asked=row["asked"])


def schedule_document(row: Row) -> Document:
    """A schedule, with its activity, what is due next, and its runs (R12, R20)."""
    cadence, due = cadence_of(row), next_of(row)
    return {
        "id": row["id"],
        "version": row["version"],
        "description": row["description"],
        "origin": "workspace",
        "active": row["active"],
        "activity": {"active": row["active"], "set_by": "local"},
        "deleted": row["deleted_at"] is not None,
        "created_at": row["created_at"],
        "cadence": loads(row["cadence"]),
        "cadence_version": row["cadence_version"],
        "policies": policies_document(policies_of(row)),
        "jobs": [_job_document(job) for job in loads(row["jobs"])],
        "next_due": None if due is None else due_document(due, cadence.time_zone),
        "drifted_from_label": due is not None and drifted_from_label(cadence, due),
        "pause": _pause_of(row),
        "waiting": row["waiting"] or 0,
        **_runs_of(row),
    }


def _pause_of(row: Row) -> Document | None:
    if row["paused_since"] is None:
        return None
    return {
        "since": row["paused_since"],
        "until": row["paused_until"],
        "note": row["pause_note"],
        "by": row["paused_by"],
    }


def hold_document(row: Row) -> Document:
    """A hold of all starts, of the workspace or of the whole deployment."""
    return {
        "since": row["since"],
        "until": row["until"],
        "note": row["note"],
        "by": row["held_by"],
        "everywhere": row["workspace"] == EVERYWHERE,
    }


def due_document(due: NextDue, zone: str) -> Document:
    """A due moment in UTC and as the wall clock of its zone shows it."""
    return {
        "due": due.due,
        "local": due.local,
        "fold": due.fold,
        "zone": zone,
        "asked": due.asked,
        "zone_data": due.zone_data,
    }


def policies_document(policies: SchedulePolicies) -> Document:
    """Policies in the shape in which they are sent."""
    timing = policies.timing
    return {
        "timing": timing.timing,
        "gap": timing.gap,
        "repeat": timing.repeat,
        "catch_up": timing.catch_up,
        "catch_up_window": duration(timing.catch_up_window_s),
        "overlap": policies.overlap,
        "on_failure": policies.on_failure,
    }


def duration(seconds: float | None) -> str | None:
    """Seconds as an ISO 8601 duration."""
    return None if seconds is None else str(_DURATION.dump_python(timedelta(seconds=seconds), mode="json"))


def _job_document(job: Mapping[str, Any]) -> Document:
    return {
        "row": job["row"],
        "job": job["job"],
        "seq": job["seq"],
        "skip_wait": job["skip_wait"],
        "attempts": job["attempts"],
        "timeout": duration(job["timeout_s"]),
        "wait_timeout": duration(job["wait_timeout_s"]),
        "delivery": job["delivery"],
    }


def policy_document(policy: AttemptPolicy) -> Document:
    """How often and how long a job may try, in the shape in which it is sent."""
    backoff = policy.backoff
    return {
        "delivery": policy.delivery,
        "attempts": policy.attempts,
        "backoff": {
            "initial": duration(backoff.initial_s),
            "factor": backoff.factor,
            "max": duration(backoff.max_s),
            "jitter": backoff.jitter,
        },
        "timeout": duration(policy.timeout_s),
        "wait_timeout": duration(policy.wait_timeout_s),
        "non_retryable": list(policy.non_retryable),
    }


def service_document(row: Row) -> Document:
    """A service, with the schedules that use it and its runs."""
    return {
        "id": row["id"],
        "kind": "service",
        "version": row["version"],
        "name": row["name"],
        "origin": "workspace",
        "handler": row["handler"],
        "config": loads(row["config"]),
        "policy": policy_document(_POLICY.validate_json(row["policy"])),
        "deleted": row["deleted_at"] is not None,
        "created_at": row["created_at"],
        "used_by": [{"kind": "schedule", "id": schedule} for schedule in row["used_by"]],
        **_runs_of(row),
    }


def key_document(row: Row) -> Document:
    """A key, without anything of its secret."""
    return {**row, "roles": loads(row["roles"]), "workspaces": loads(row["workspaces"])}


def _runs_of(row: Row) -> Document:
    last = None
    if row["last_run"] is not None:
        last = {
            "id": row["last_run"],
            "state": row["last_state"],
            "reason": row["last_reason"],
            "ended_at": row["last_ended_at"],
        }
    return {"open_run": row["open_run"], "last_run": last}


def delay_document(row: Row) -> Document:
    """Why a run waited, and since when; `limit` is how many runs might be open, or worked on, at once."""
    return {
        "reason": row["reason"],
        "limit": row["limited_to"],
        "open_run": row["open_run"],
        "instance": row["instance"],
        "since": row["since"],
    }


def run_document(row: Row, delays: Sequence[Document]) -> Document:
    """A run, as in lists."""
    return {**run_fields(row), "delays": list(delays)}


def run_fields(row: Row) -> Document:
    """A run, without why it waited."""
    return {
        "id": row["id"],
        "owner": {"kind": row["owner_kind"], "id": row["owner_id"]},
        "cause": row["cause"],
        "cause_detail": row["cause_detail"],
        "state": row["state"],
        "reason": row["reason"],
        "due": row["due"],
        "opened_at": row["opened_at"],
        "started_at": row["started_at"],
        "ended_at": row["ended_at"],
        "counts": loads(row["counts"]) or {},
        "resumes": row["resumes"],
        "missed_occurrences": row["missed_occurrences"],
        "missed_first": row["missed_first"],
        "missed_last": row["missed_last"],
    }


def run_detail(row: Row, delays: Sequence[Document], job_runs: Sequence[Row], attempts: Sequence[Row]) -> Document:
    """A run with its stages, their job runs, and every attempt."""
    tries: defaultdict[int, list[Document]] = defaultdict(list)
    for attempt in attempts:
        tries[attempt["row"]].append(_attempt(attempt))
    known = {job_run["row"]: job_run for job_run in job_runs}
    rows = [_job_run(job, known.get(job["row"]), tries[job["row"]]) for job in loads(row["jobs"])]
    return {
        **run_document(row, delays),
        "term": row["term"],
        "instance": row["instance"],
        "stop": row["stop_mode"],
        "on_failure": row["on_failure"],
        "cadence_version": row["cadence_version"],
        "progress": _progress(rows),
        "stages": _stages(rows),
    }


def _stages(rows: Iterable[Document]) -> list[Document]:
    stages: defaultdict[int, list[Document]] = defaultdict(list)
    for job_run in rows:
        stages[job_run["seq"]].append(job_run)
    return [{"seq": seq, "job_runs": stages[seq]} for seq in sorted(stages)]


def _job_run(job: Mapping[str, Any], row: Row | None, attempts: list[Document]) -> Document:
    started_at = attempts[0]["started_at"] if attempts else None
    shown = {**job, "attempts_max": job["attempts"], "attempts": attempts, "started_at": started_at}
    if row is None:
        nothing = ("reason", "detail", "retry_at", "waits_for", "joined", "deadline", "ended_at", "output")
        return {**shown, "state": "queued", "counts": {}, "progress": None, **dict.fromkeys(nothing)}
    return {
        **shown,
        "state": row["state"],
        "reason": row["reason"],
        "detail": row["detail"],
        "retry_at": row["retry_at"],
        "waits_for": row["holder"],
        "joined": row["joined"],
        "deadline": row["deadline"],
        "ended_at": row["ended_at"],
        "counts": loads(row["counts"]) or {},
        "output": loads(row["output"]),
        "progress": attempts[-1]["progress"] if attempts else None,
    }


def _attempt(row: Row) -> Document:
    progress = None
    if row["progressed_at"] is not None:
        progress = {"fraction": row["fraction"], "text": row["progress"], "at": row["progressed_at"]}
    return {
        "attempt": row["attempt"],
        "state": row["state"],
        "reason": row["reason"],
        "detail": row["detail"],
        "term": row["term"],
        "started_at": row["started_at"],
        "ended_at": row["ended_at"],
        "retry_at": row["retry_at"],
        "counts": loads(row["counts"]) or {},
        "progress": progress,
        "log_lines": row["log_lines"] or 0,
        "log_sha256": row["log_sha256"],
    }


def _progress(rows: Sequence[Document]) -> Document:
    ended = sum(1 for job_run in rows if job_run["ended_at"] is not None)
    return {"job_runs": len(rows), "ended": ended}


def occurrence_document(row: Row, due: datetime, named: str, delays: Sequence[Document]) -> Document:
    """An answered occurrence; of a storm, one of its moments. `delays` tell why it waited."""
    return {
        "id": named,
        "owner": {"kind": row["owner_kind"], "id": row["owner_id"]},
        "cadence_version": row["cadence_version"],
        "due": due,
        "outcome": row["outcome"],
        "reason": row["reason"],
        "run": row["run"],
        "covered_by": row["covered_by"],
        "open_run": row["open_run"],
        "answered_at": row["answered_at"],
        "delays": list(delays),
        "answered_with": None
        if row["count"] == 1
        else {"count": row["count"], "first": row["due"], "last": row["last"]},
    }
