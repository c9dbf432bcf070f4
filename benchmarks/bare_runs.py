"""The part of the bare loop that is about runs, their rows and attempts."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from benchmarks.bare_values import Row, held, instant, text
from eventjobs.projections import job_runs, occurrences, runs


def derive(row: Any, key: Any, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Row]:
    at, kind = row["at"], row["type"]
    if kind == "attempt.started":
        began = {"state": "running", "attempt": data["attempt"], "retry_at": None, "holder": None, "joined": None,
                 "deadline": None}  # fmt: skip
        yield job_runs.JOB_RUNS, (*key, data["row"]), began
        started = {"state": "running", "term": data["term"], "started_at": at}
        yield job_runs.ATTEMPTS, (*key, data["row"], data["attempt"]), started
        if held(present, runs.STATUS, key, "started_at") is None:
            yield runs.STATUS, key, {"started_at": at}
    elif kind == "attempt.ended":
        ended = {"state": data["state"], "reason": data["reason"], "detail": data["detail"], "ended_at": at,
                 "retry_at": instant(data["retry_at"]), "counts": text(data["counts"]), "log_lines": data["log_lines"],
                 "log_sha256": data["log_sha256"]}  # fmt: skip
        queued = {
            "state": "queued",
            "reason": ended["reason"],
            "retry_at": ended["retry_at"],
            "counts": ended["counts"],
        }
        yield job_runs.JOB_RUNS, (*key, data["row"]), queued
        yield job_runs.ATTEMPTS, (*key, data["row"], data["attempt"]), ended
    elif kind == "job_run.ended":
        over = {"state": data["state"], "reason": data["reason"], "detail": data["detail"], "ended_at": at,
                "counts": text(data["counts"]), "output": None if data["output"] is None else text(data["output"]),
                "retry_at": None, "holder": None, "joined": None, "deadline": None}  # fmt: skip
        if data["joined"] is not None:
            over["joined"] = data["joined"]
        yield job_runs.JOB_RUNS, (*key, data["row"]), over
    elif kind == "attempt.progressed":
        progress = {"fraction": data["fraction"], "progress": data["text"], "counts": text(data["counts"]),
                    "progressed_at": at}  # fmt: skip
        yield job_runs.ATTEMPTS, (*key, data["row"], data["attempt"]), progress
    elif kind == "job_run.waiting":
        waiting = {"state": "waiting", "holder": data["holder"], "joined": data["joined"],
                   "deadline": instant(data["deadline"])}  # fmt: skip
        yield job_runs.JOB_RUNS, (*key, data["row"]), waiting
    elif kind == "run.opened":
        yield from opened(key, at, data)
    elif kind == "run.ended":
        ended = {"state": data["state"], "reason": data["reason"], "ended_at": at, "counts": text(data["counts"])}
        yield runs.STATUS, key, ended
    elif kind == "run.taken_over":
        yield runs.STATUS, key, {"term": data["term"], "instance": data["instance"]}
    elif kind == "run.stop_requested":
        yield runs.STATUS, key, {"state": "stopping", "stop_mode": data["mode"]}
    elif kind == "run.resumed":
        yield runs.LINKS, key, {"resumed_by": data["by"]}
    else:
        yield from elsewhere(key, at, kind, data)


def elsewhere(key: Any, at: datetime, kind: str, data: dict[str, Any]) -> Iterator[Row]:
    if kind == "job_run.carried":
        carried = {"state": "succeeded", "joined": data["run"], "ended_at": at, "counts": text(data["counts"]),
                   "output": None if data["output"] is None else text(data["output"])}  # fmt: skip
        yield job_runs.JOB_RUNS, (*key, data["row"]), carried
        return
    the_row, attempt = (*key, data["row"]), (*key, data["row"], data["attempt"])
    if kind == "job_run.suspended":
        suspended = {"state": "suspended", "deadline": instant(data["deadline"]), "counts": text(data["counts"])}
        yield job_runs.JOB_RUNS, the_row, suspended
        yield job_runs.ATTEMPTS, attempt, {"state": "suspended"}
        yield job_runs.SUSPENSIONS, attempt, {"waits_for": data["waits_for"], "since": at}
    elif kind == "job_run.released":
        yield job_runs.JOB_RUNS, the_row, {"deadline": None}
        yield job_runs.SUSPENSIONS, attempt, {"released_at": at}
    elif kind == "job_run.answered":
        answer = {name: data[name] for name in ("state", "reason", "detail", "counts", "output")}
        yield job_runs.SUSPENSIONS, attempt, {"answered_at": at, "answer": text(answer)}


def opened(key: tuple[str, str], at: datetime, data: dict[str, Any]) -> Iterator[Row]:
    due = instant(data["due"])
    owner = data["owner"]
    jobs = [
        {"row": job["row"], "job": job["job"], "seq": job["seq"], "skip_wait": job["skip_wait"],
         "handler": job["handler"], "attempts": job["policy"]["attempts"], "version": job["version"]}
        for job in data["jobs"]
    ]  # fmt: skip
    names = ("cause", "cause_detail", "cadence_version", "on_failure", "missed_occurrences", "resumes")
    values = {name: data[name] for name in names}
    values |= {"owner_kind": owner["kind"], "owner_id": owner["id"], "due": due, "opened_at": at, "jobs": text(jobs),
               "missed_first": instant(data["missed_first"]), "missed_last": instant(data["missed_last"])}  # fmt: skip
    yield runs.RUNS, key, values
    yield runs.STATUS, key, {"state": "running", "term": data["term"], "instance": data["instance"]}
    if data["stands_for"] is not None:
        yield runs.LINKS, key, {"stands_for": instant(data["stands_for"])}
    if due is not None:
        ran = {"owner_kind": owner["kind"], "owner_id": owner["id"], "cadence_version": data["cadence_version"],
               "due": due, "last": due, "count": 1, "outcome": "ran", "run": key[1], "answered_at": at}  # fmt: skip
        yield occurrences.OCCURRENCES, key, ran
