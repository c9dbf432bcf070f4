"""
The bare loop that a rebuild is compared with: one function over raw JSON, one dictionary of present rows.

It has no codec, no port, no checkpoint, no other instances, no stop at what it does not know, and it never asks the
database for a row. It writes the same present and past rows, which the benchmark checks.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson

from eventjobs.projections import (
    delays,
    halts,
    job_runs,
    keys,
    occurrences,
    queues,
    runs,
    schedules,
    services,
    timers,
    workspaces,
)
from eventjobs.projections.storage import REMOVE_ROWS, WRITE_ROWS, _columns_of, _filled
from eventjobs.projections.temporal import Keeps, Table

READ = (
    "SELECT position, workspace, stream, type, at, actor, data FROM events "
    "WHERE position > $1 ORDER BY position LIMIT $2"
)
JSON = orjson.OPT_UTC_Z
TURNS = frozenset({"service.claimed", "service.released", "service.awaited", "service.joined"})

Row = tuple[Table, tuple[Any, ...], dict[str, Any]]


def text(value: Any) -> str:
    return orjson.dumps(value).decode()


def instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


async def rebuild(pool: asyncpg.Pool, head: int, size: int) -> None:
    """Build all views from position 0 to the head."""
    present: dict[Any, Any] = {}
    position = 0
    while position < head:
        rows = await pool.fetch(READ, position, size)
        batch: dict[Table, tuple[dict[Any, Any], list[Any], set[Any]]] = {}
        for row in rows:
            position = row["position"]
            if row["type"] not in TURNS:
                for table, key, values in derive(row, orjson.loads(row["data"]), present):
                    fold(present, batch, table, key, values, position)
        async with pool.acquire() as connection, connection.transaction():
            for table, (changed, past, gone) in batch.items():
                if past:
                    names = [*table.all_columns, "to_position"]
                    await connection.copy_records_to_table(table.past, columns=names, records=past)
                if changed:
                    await connection.execute(_filled(WRITE_ROWS, table, ""), *_columns_of(list(changed.values())))
                if gone:
                    await connection.execute(_filled(REMOVE_ROWS, table, ""), *_columns_of(sorted(gone)))


def fold(present: dict[Any, Any], batch: dict[Any, Any], table: Table, key: Any, values: Any, position: int) -> None:
    if table not in batch:
        batch[table] = ({}, [], set())
    changed, past, gone = batch[table]
    if values is None:
        if present.pop((table, key), None) is not None:
            changed.pop(key, None)
            gone.add(key)
        return
    row = present.get((table, key))
    if row is None:
        row = present[(table, key)] = [*key, *[None] * len(table.columns), position]
        gone.discard(key)
    elif row[-1] != position:
        if table.keeps is Keeps.VERSIONS:
            past.append((*row, position))
        row[-1] = position
    places = table.places
    for name, value in values.items():
        row[places[name]] = value
    changed[key] = row


def derive(row: Any, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Any]:
    """Yield the rows that an event writes; `None` for one that is no more."""
    workspace, at, kind = row["workspace"], row["at"], row["type"]
    the_id = row["stream"].partition(":")[2]
    key = (workspace, the_id)
    if kind == "attempt.started":
        began = {"state": "running", "attempt": data["attempt"], "retry_at": None, "holder": None, "joined": None,
                 "deadline": None}  # fmt: skip
        yield job_runs.JOB_RUNS, (*key, data["row"]), began
        started = {"state": "running", "term": data["term"], "started_at": at}
        yield job_runs.ATTEMPTS, (*key, data["row"], data["attempt"]), started
        if present[(runs.STATUS, key)][runs.STATUS.places["started_at"]] is None:
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
    elif kind.startswith("schedule."):
        yield from schedule(key, at, kind, data, present)
    else:
        yield from other(row, key, at, data, present)


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
    if due is not None:
        ran = {"owner_kind": owner["kind"], "owner_id": owner["id"], "cadence_version": data["cadence_version"],
               "due": due, "last": due, "count": 1, "outcome": "ran", "run": key[1], "answered_at": at}  # fmt: skip
        yield occurrences.OCCURRENCES, key, ran


def schedule(key: Any, at: datetime, kind: str, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Any]:
    if kind == "schedule.run_opened":
        yield schedules.RUNS, key, {"open_run": data["run"]}
        if data["timing"] is not None:
            yield from stands(key, data)
        elif data["due"] is not None:
            yield waiting(key, -1, present)
    elif kind == "schedule.run_closed":
        yield closed(schedules.RUNS, key, at, data, present)
    elif kind == "schedule.occurrence_queued":
        yield from stands(key, data)
        yield waiting(key, 1, present)
        yield delayed(key, at, data)
    elif kind == "schedule.occurrence_dropped":
        yield dropped(key, at, data)
        yield waiting(key, -1, present)
    elif kind in ("schedule.paused", "schedule.unpaused"):
        yield from paused(key, data if kind == "schedule.paused" else {})
    elif kind in ("schedule.occurrences_skipped", "schedule.occurrences_missed"):
        yield from stands(key, data)
        due, skipped = datetime.fromisoformat(data["first"]), kind.endswith("skipped")
        named = occurrence(key, data, due)
        values = {"owner_kind": "schedule", "owner_id": key[1], "cadence_version": data["cadence_version"], "due": due,
                  "last": instant(data["last"]), "count": data["count"], "anchor_day": data["anchor_day"],
                  "reason": data["reason"], "answered_at": at,
                  "outcome": "skipped" if skipped else "missed"}  # fmt: skip
        values |= {name: data[name] for name in ("open_run", "covered_by") if name in data}
        yield occurrences.OCCURRENCES, (key[0], named), values
    else:
        yield from defined(key, at, kind, data, present)


def defined(key: Any, at: datetime, kind: str, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Any]:
    row = present.get((schedules.SCHEDULES, key))
    values: dict[str, Any] = {"version": 1 if row is None else row[schedules.SCHEDULES.places["version"]] + 1}
    for name in ("description", "active", "cadence_version"):
        if name in data:
            values[name] = data[name]
    for name in ("cadence", "policies"):
        if name in data:
            values[name] = text(data[name])
    if kind == "schedule.created":
        values["created_at"] = at
    elif kind == "schedule.activated":
        values["active"] = True
    elif kind in ("schedule.inactivated", "schedule.deleted"):
        values["active"] = False
    if kind == "schedule.deleted":
        values["deleted_at"] = at
    yield schedules.SCHEDULES, key, values
    if "jobs" in data:
        yield schedules.JOBS, key, {"jobs": text(data["jobs"])}
    if "timing" in data:
        yield from stands(key, data)
    elif kind == "schedule.deleted":
        yield from stands(key, {"next": None})
        yield timers.TIMERS, (key[0], "schedule", key[1], "pause_end"), None


def waiting(key: Any, more: int, present: Mapping[Any, Any]) -> Row:
    owner = (key[0], "schedule", key[1])
    row = present.get((queues.QUEUES, owner))
    return queues.QUEUES, owner, {"waiting": more + (0 if row is None else row[queues.QUEUES.places["waiting"]])}


def occurrence(key: Any, data: dict[str, Any], due: datetime) -> str:
    return f"schedule.{key[1]}.{data['cadence_version']}.{due.astimezone(UTC):%Y%m%dt%H%M%Sz}"


def delayed(key: Any, at: datetime, data: dict[str, Any]) -> Row:
    due = datetime.fromisoformat(data["due"])
    named = occurrence(key, data, due)
    why = {"reason": data["reason"], "limited_to": data["limit"], "open_run": data["open_run"], "since": at}
    return delays.DELAYS, (key[0], named, delays.IN_QUEUE), why


def dropped(key: Any, at: datetime, data: dict[str, Any]) -> Row:
    due = datetime.fromisoformat(data["due"])
    named = occurrence(key, data, due)
    values = {"owner_kind": "schedule", "owner_id": key[1], "cadence_version": data["cadence_version"], "due": due,
              "last": due, "count": 1, "outcome": data["outcome"], "reason": data["reason"],
              "open_run": data["open_run"], "answered_at": at}  # fmt: skip
    return occurrences.OCCURRENCES, (key[0], named), values


def paused(key: Any, data: dict[str, Any]) -> Iterator[Any]:
    until, timer = instant(data.get("until")), (key[0], "schedule", key[1], "pause_end")
    span = {"since": instant(data.get("since")), "until": until, "note": data.get("note")}
    yield halts.PAUSES, (key[0], "schedule", key[1]), {**span, "paused_by": data.get("by")}
    end = {"due_at": until, "zone_data": "", "parked": False, "parked_reason": None}
    yield timers.TIMERS, timer, None if until is None else end


def stands(key: Any, data: dict[str, Any]) -> Iterator[Any]:
    due, timer = data.get("next"), (key[0], "schedule", key[1], "next_due")
    names = ("local", "fold", "asked", "zone_data")
    values = dict.fromkeys(("due", *names)) if due is None else {name: due[name] for name in names}
    if due is not None:
        values["due"] = instant(due["due"])
    if "timing" in data:
        values["timing"] = text(data["timing"])
    yield schedules.NEXT, key, values
    put = {"due_at": values["due"], "zone_data": values["zone_data"], "parked": False, "parked_reason": None}
    yield timers.TIMERS, timer, None if due is None else put


def closed(table: Table, key: Any, at: datetime, data: dict[str, Any], present: Mapping[Any, Any]) -> Row:
    values = {"last_run": data["run"], "last_state": data["state"], "last_reason": data["reason"], "last_ended_at": at}
    row = present.get((table, key))
    if row is not None and row[table.places["open_run"]] == data["run"]:
        values["open_run"] = data.get("open_run")
    return table, key, values


def other(row: Any, key: Any, at: datetime, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Any]:
    kind = row["type"]
    if kind in ("service.attached", "service.detached"):
        yield services.USES, (*key, data["schedule"]), {"attached": kind == "service.attached"}
    elif kind == "service.run_opened":
        yield services.RUNS, key, {"open_run": data["run"]}
    elif kind == "service.run_closed":
        yield closed(services.RUNS, key, at, data, present)
    elif kind in ("service.added", "service.configured"):
        old = present.get((services.SERVICES, key))
        version = 1 if old is None else old[services.SERVICES.places["version"]] + 1
        values = {"version": version, "name": data["name"], "handler": data["handler"],
                  "config": text(data["config"]), "policy": text(data["policy"])}  # fmt: skip
        yield services.SERVICES, key, {**values, "created_at": at} if old is None else values
    elif kind == "access.key_issued":
        values = {"version": 1, "lookup": data["lookup"], "secret_sha256": data["secret_sha256"],
                  "roles": text(data["roles"]), "workspaces": text(data["workspaces"]), "read_only": data["read_only"],
                  "expires_at": instant(data["expires_at"]), "issued_at": at, "issued_by": row["actor"]}  # fmt: skip
        yield keys.KEYS, key, values
    elif kind == "access.key_revoked":
        old = present[(keys.KEYS, key)]
        yield keys.KEYS, key, {"version": old[keys.KEYS.places["version"]] + 1, "revoked_at": at}
    elif kind in ("workspace.starts_held", "workspace.starts_released"):
        held = kind.endswith("held")
        span = {"since": instant(data["since"]), "until": instant(data["until"]), "note": data["note"]} if held else {}
        ended = {**dict.fromkeys(("since", "until", "note", "held_by")), **span}
        yield halts.HOLDS, (key[0],), {**ended, "held_by": data["by"] if held else None}
    elif kind == "workspace.created":
        made = {"version": 1, "time_zone": data["time_zone"], "kind": data["kind"], "created_at": at}
        yield workspaces.WORKSPACES, (key[0],), made
