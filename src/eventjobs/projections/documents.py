"""Rows as the documents that clients get: plain JSON, with what follows from several columns worked out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import asyncpg
import orjson
from pydantic import TypeAdapter

from eventjobs.domain.blackouts import blackouts
from eventjobs.domain.calendar import Calendar
from eventjobs.domain.halts import in_force
from eventjobs.domain.preview import drifted_from_label
from eventjobs.events.cadence import Cadence, NextDue, TimingState, Unit
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


def policy_of(row: Row) -> AttemptPolicy:
    """How often and how long a job's row lets it try."""
    return _POLICY.validate_json(row["policy"])


def timing_of(row: Row) -> TimingState:
    """What a schedule's periods count from."""
    return TimingState() if row["timing"] is None else _TIMING.validate_json(row["timing"])


def next_of(row: Row) -> NextDue | None:
    """The recorded due moment of a schedule's row."""
    if row["due"] is None:
        return None
    return NextDue(due=row["due"], local=row["local"], fold=row["fold"], zone_data=row["zone_data"], asked=row["asked"])


def schedule_document(
    row: Row, runs: Mapping[str, Document], calendars: Mapping[str, Calendar], origins: Mapping[str, Document]
) -> Document:
    """
    A schedule, with its activity and what set it, what is due next, and its runs (R12, R20, R60).

    `calendars` are those that it names, so that a next moment that will be skipped says so; `origins` tell where it
    comes from, and what of it was set here.
    """
    cadence, due = cadence_of(row), next_of(row)
    return {
        "id": row["id"],
        "version": row["version"],
        "description": row["description"],
        **origins[row["id"]],
        "active": row["active"],
        "activity": {
            "active": row["active"],
            "set_by": row["set_by"],
            "by": row["activity_actor"],
            "at": row["activity_at"],
            "position": row["activity_position"],
        },
        "deleted": row["deleted_at"] is not None,
        "created_at": row["created_at"],
        "cadence": cadence_document(cadence),
        "cadence_version": row["cadence_version"],
        "policies": policies_document(policies_of(row)),
        "jobs": [_job_document(job) for job in loads(row["jobs"])],
        "next_due": None if due is None else _next_document(row, due, calendars),
        "drifted_from_label": due is not None and drifted_from_label(cadence, due),
        "pause": pause_of(row),
        "waiting": row["waiting"] or 0,
        **runs_of(row, runs, loads(row["jobs"])),
    }


def _next_document(row: Row, due: NextDue, calendars: Mapping[str, Calendar]) -> Document:
    named = {name: calendars[name] for name in policies_of(row).calendars if name in calendars}
    halt = in_force(blackouts(named, due.due, due.due), due.due)
    blackout = None if halt is None else {"calendar": halt.by, "note": halt.note, "until": halt.until}
    return {**due_document(due, cadence_of(row).time_zone), "blackout": blackout}


def pause_of(row: Row) -> Document | None:
    """The pause of an owner, over or not; `None` where there is none."""
    if row["paused_since"] is None:
        return None
    return {
        "since": row["paused_since"],
        "until": row["paused_until"],
        "note": row["pause_note"],
        "by": row["paused_by"],
    }


def calendar_document(row: Row, users: Sequence[str]) -> Document:
    """A blackout calendar as it was saved last; `users` are the schedules that name it."""
    return {
        "id": row["id"],
        "version": row["version"],
        "name": row["name"],
        "time_zone": row["time_zone"],
        "saved_at": row["saved_at"],
        **loads(row["entries"]),
        "used_by": [{"kind": "schedule", "id": schedule} for schedule in users],
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


def cadence_json(text: str | None) -> Document | None:
    """A stored cadence in the shape in which it is sent."""
    return None if text is None else cadence_document(_CADENCE.validate_json(text))


def cadence_document(cadence: Cadence) -> Document:
    """A cadence in the shape in which it is sent."""
    if cadence.unit is Unit.CRON:
        return {"cron": cadence.cron, "time_zone": cadence.time_zone}
    return {
        "start_date": cadence.start_date,
        "start_time": cadence.start_time,
        "time_zone": cadence.time_zone,
        "every": cadence.every,
        "unit": cadence.unit,
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
        "calendars": list(policies.calendars),
        "spread": duration(policies.spread_s),
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
        "input": job.get("input") or {},
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


def service_document(row: Row, runs: Mapping[str, Document], origins: Mapping[str, Document]) -> Document:
    """A service, with the schedules that use it and its runs; `in_run` is the run that has it for itself."""
    return {
        "id": row["id"],
        "kind": "service",
        "version": row["version"],
        "name": row["name"],
        **origins[row["id"]],
        "type": row["type"],
        "handler": row["handler"],
        "config": loads(row["config"]),
        "policy": policy_document(policy_of(row)),
        "deleted": row["deleted_at"] is not None,
        "created_at": row["created_at"],
        "used_by": [{"kind": "schedule", "id": schedule} for schedule in row["used_by"]],
        "in_run": row["in_run"],
        **runs_of(row, runs),
    }


def flow_document(row: Row, runs: Mapping[str, Document], origins: Mapping[str, Document]) -> Document:
    """A flow, as a service is shown; only one that is exclusive is ever `in_run`, `inactive_by` is its tag (R62)."""
    return {
        "id": row["id"],
        "kind": "flow",
        "version": row["version"],
        "name": row["name"],
        **origins[row["id"]],
        "trigger": row["trigger"],
        "handler": row["handler"],
        "config": loads(row["config"]),
        "policy": policy_document(policy_of(row)),
        "exclusive": row["exclusive"],
        "active": row["active"],
        "inactive_by": origins[row["id"]]["inactive_by"] if row["active"] else "flow",
        "deleted": row["deleted_at"] is not None,
        "created_at": row["created_at"],
        "used_by": [{"kind": "schedule", "id": schedule} for schedule in row["used_by"]],
        "in_run": row["in_run"],
        **runs_of(row, runs),
    }


def key_document(row: Row) -> Document:
    """A key, without anything of its secret."""
    return {**row, "roles": loads(row["roles"]), "workspaces": loads(row["workspaces"])}


def member_document(row: Row) -> Document:
    """A member of a workspace, with their keys that were not revoked."""
    return {**row, "roles": loads(row["roles"]), "keys": list(row["keys"])}


def runs_of(row: Row, runs: Mapping[str, Document], jobs: Sequence[Document] | None = None) -> Document:
    """An owner's newest open run, and the last one that is over; `jobs` is its present job table, where it has one."""
    last, open_run = None, row["open_run"]
    if row["last_run"] is not None:
        known = runs.get(row["last_run"], {})
        last = {
            "id": row["last_run"],
            "state": row["last_state"],
            "reason": row["last_reason"],
            "ended_at": row["last_ended_at"],
            "resumed_by": known.get("resumed_by"),
            "same_jobs": same_jobs(known.get("jobs"), jobs),
        }
    return {"open_run": None if open_run is None else runs.get(open_run, {"id": open_run}), "last_run": last}


def same_jobs(ran: Sequence[Document] | None, present: Sequence[Document] | None) -> bool:
    """Whether a run's job table is its schedule's present one; a single job has none that could change."""
    return ran is None or present is None or _table(ran) == _table(present)


def _table(jobs: Sequence[Document]) -> Sequence[tuple[Any, ...]]:
    return [(job["row"], job["job"], job["seq"], job["skip_wait"]) for job in jobs]


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
    links = {"resumed_by": row.get("resumed_by"), "stands_for": row.get("stands_for")}
    return {**run_fields(row), **links, "delays": list(delays)}


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


def run_detail(
    row: Row,
    delays: Sequence[Document],
    job_runs: Sequence[Row],
    attempts: Sequence[Row],
    suspensions: Sequence[Row],
) -> Document:
    """A run with its stages, their job runs, and every attempt."""
    paused = {(suspension["row"], suspension["attempt"]): _suspension(suspension) for suspension in suspensions}
    tries: defaultdict[int, list[Document]] = defaultdict(list)
    for attempt in attempts:
        tries[attempt["row"]].append(_attempt(attempt, paused.get((attempt["row"], attempt["attempt"]))))
    known = {job_run["row"]: job_run for job_run in job_runs}
    rows = [_job_run(job, known.get(job["row"]), tries[job["row"]]) for job in loads(row["jobs"])]
    for job_run in rows:  # of a resumed run, what succeeded without a try was carried over
        job_run["carried"] = row["resumes"] is not None and job_run["state"] == "succeeded" and not job_run["attempts"]
    return {
        **run_document(row, delays),
        "same_jobs": same_jobs(loads(row["jobs"]), loads(row["present_jobs"])),
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


def lasted(started_at: datetime | None, ended_at: datetime | None) -> float | None:
    """How many seconds something took; `None` where it never began, or still goes on."""
    return None if started_at is None or ended_at is None else (ended_at - started_at).total_seconds()


def _job_run(job: Mapping[str, Any], row: Row | None, attempts: list[Document]) -> Document:
    started_at = attempts[0]["started_at"] if attempts else None
    suspension = attempts[-1]["suspension"] if attempts else None
    shown = {**job, "attempts_max": job["attempts"], "attempts": attempts, "started_at": started_at}
    shown["released"] = suspension is not None and suspension["released_at"] is not None
    if row is None:
        nothing = ("reason", "detail", "retry_at", "waits_for", "joined", "deadline", "ended_at", "output")
        return {
            **shown,
            "state": "queued",
            "counts": {},
            "progress": None,
            "duration_s": None,
            **dict.fromkeys(nothing),
        }
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
        "duration_s": lasted(started_at, row["ended_at"]),
        "counts": loads(row["counts"]) or {},
        "output": loads(row["output"]),
        "progress": attempts[-1]["progress"] if attempts else None,
    }


def _suspension(row: Row) -> Document:
    """How a flow went on elsewhere, and what its callback said, if it was heard."""
    return {
        "waits_for": row["waits_for"],
        "since": row["since"],
        "released_at": row["released_at"],
        "answered_at": row["answered_at"],
        "answer": loads(row["answer"]),
    }


def _attempt(row: Row, suspension: Document | None) -> Document:
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
        "suspension": suspension,
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
