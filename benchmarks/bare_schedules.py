"""The part of the bare loop that is about schedules and their moments."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from benchmarks.bare_values import Row, closed, instant, raised, text
from eventjobs.projections import activity, alerts, delays, halts, occurrences, queues, schedules, timers

SWITCHES = frozenset({"schedule.created", "schedule.activated", "schedule.inactivated", "schedule.deleted"})


def derive(row: Any, key: Any, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Row]:
    yield from schedule(key, row["at"], row["type"], data, present)
    yield from switched(row, key, row["at"], data)


def switched(row: Any, key: Any, at: datetime, data: dict[str, Any]) -> Iterator[Row]:
    if row["type"] in SWITCHES:
        active = data.get("active", row["type"] == "schedule.activated")
        values = {"active": active, "set_by": "local", "actor": row["actor"], "at": at}
        yield activity.ACTIVITY, (key[0], "schedule", key[1]), values


def schedule(key: Any, at: datetime, kind: str, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Row]:
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


def defined(key: Any, at: datetime, kind: str, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Row]:
    values: dict[str, Any] = raised(present, schedules.SCHEDULES, key)
    for name in ("description", "active", "cadence_version"):
        if name in data:
            values[name] = data[name]
    for name in ("cadence", "policies"):
        if data.get(name) is not None:
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
    if "alerts" in data:
        yield alerts.ALERTS, key, {"alerts": text(data["alerts"])}
    if "timing" in data:
        yield from stands(key, data)
    elif kind == "schedule.deleted":
        yield from stands(key, {"next": None})
        yield timers.TIMERS, (key[0], "schedule", key[1], "pause_end"), None


def waiting(key: Any, more: int, present: Mapping[Any, Any]) -> Row:
    owner = (key[0], "schedule", key[1])
    return queues.QUEUES, owner, raised(present, queues.QUEUES, owner, "waiting", more)


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


def paused(key: Any, data: dict[str, Any]) -> Iterator[Row]:
    until, timer = instant(data.get("until")), (key[0], "schedule", key[1], "pause_end")
    span = {"since": instant(data.get("since")), "until": until, "note": data.get("note")}
    yield halts.PAUSES, (key[0], "schedule", key[1]), {**span, "paused_by": data.get("by")}
    end = {"due_at": until, "zone_data": ""}
    yield timers.TIMERS, timer, None if until is None else end


def stands(key: Any, data: dict[str, Any]) -> Iterator[Row]:
    due, timer = data.get("next"), (key[0], "schedule", key[1], "next_due")
    names = ("local", "fold", "asked", "zone_data")
    values = dict.fromkeys(("due", *names)) if due is None else {name: due[name] for name in names}
    if due is not None:
        values["due"] = instant(due["due"])
    if "timing" in data:
        values["timing"] = text(data["timing"])
    yield schedules.NEXT, key, values
    put = {"due_at": values["due"], "zone_data": values["zone_data"]}
    yield timers.TIMERS, timer, None if due is None else put
