"""The part of the bare loop that is about workspaces, keys, calendars, alerts, messages and integrations."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from benchmarks.bare_values import Row, instant, raised, text
from eventjobs.projections import alerts, calendars, halts, integrations, keys, notifications, workspaces

ENTRIES = ("dates", "ranges", "weekly", "yearly")
FAILED = ("failed", "failed_at", "failed_code", "failed_detail")


def derive(row: Any, key: Any, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Row]:
    kind, at = row["type"], row["at"]
    if kind == "access.key_issued":
        values = {"version": 1, "lookup": data["lookup"], "secret_sha256": data["secret_sha256"],
                  "roles": text(data["roles"]), "workspaces": text(data["workspaces"]), "read_only": data["read_only"],
                  "expires_at": instant(data["expires_at"]), "issued_at": at, "issued_by": row["actor"]}  # fmt: skip
        yield keys.KEYS, key, values
    elif kind == "access.key_revoked":
        yield keys.KEYS, key, {**raised(present, keys.KEYS, key), "revoked_at": at}
    elif kind in ("workspace.starts_held", "workspace.starts_released"):
        held = kind.endswith("held")
        span = {"since": instant(data["since"]), "until": instant(data["until"]), "note": data["note"]} if held else {}
        ended = {**dict.fromkeys(("since", "until", "note", "held_by")), **span}
        yield halts.HOLDS, (key[0],), {**ended, "held_by": data["by"] if held else None}
    elif kind == "workspace.created":
        made = {"version": 1, "time_zone": data["time_zone"], "kind": data["kind"], "created_at": at}
        yield workspaces.WORKSPACES, (key[0],), made
    elif kind == "calendar.saved":
        entries = text({name: data[name] for name in ENTRIES})
        saved = {"name": data["name"], "time_zone": data["time_zone"], "entries": entries, "saved_at": at}
        yield calendars.CALENDARS, key, {**raised(present, calendars.CALENDARS, key), **saved}
    elif kind.startswith("alert."):
        yield from incident(key, at, kind, data)
    elif kind.startswith("notification."):
        yield notifications.NOTIFICATIONS, key, message(key, at, kind, data, present)
    else:
        yield from integration(row, key, data, present)


def incident(key: Any, at: datetime, kind: str, data: dict[str, Any]) -> Iterator[Row]:
    if kind == "alert.raised":
        values = {name: data[name] for name in ("alert", "count", "reason", "run")}
        values |= {name: instant(data[name]) for name in ("since", "due", "last")}
        state, ended_at = ("settled", at) if data["settled"] else ("open", None)
        values |= {"state": state, "raised_at": at, "ended_at": ended_at, "cause": None}
        yield alerts.INCIDENTS, (*key, data["incident"]), values
    elif kind == "alert.recovered":
        values = {"state": "recovered", "ended_at": at, "cause": data["cause"]}
        yield alerts.INCIDENTS, (*key, data["incident"]), values


def message(key: Any, at: datetime, kind: str, data: dict[str, Any], present: Mapping[Any, Any]) -> dict[str, Any]:
    if kind == "notification.requested":
        values = {name: data[name] for name in ("kind", "channel", "recipient", "run")}
        subject = {"subject_kind": data["subject"]["kind"], "subject_id": data["subject"]["id"]}
        counted = {"attempts": 0, "ambiguous": 0}
        return {**values, **subject, **counted, "state": "pending", "requested_at": at, "next_at": at}
    if kind == "notification.attempted":
        return {"state": "sending", "attempts": data["attempt"], "next_at": instant(data["until"])}
    if kind == "notification.sent":
        return {"state": "sent", "reason": None, "detail": data["detail"], "next_at": None, "ended_at": at}
    failed = {"reason": data["reason"], "detail": data["detail"], "next_at": instant(data["retry_at"])}
    unsure = raised(present, notifications.NOTIFICATIONS, key, "ambiguous", data["ambiguous"])
    return {"state": "pending", **failed, **unsure}


def integration(row: Any, key: Any, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Row]:
    kind, at, actor = row["type"], row["at"], row["actor"]
    if kind == "definition.published":
        published = {"version": data["version"], "content": text(data["content"]), "published_at": at}
        yield integrations.DEFINITIONS, key, {**published, "published_by": actor}
    elif kind == "definition.registered":
        yield integrations.REGISTRATIONS, (*key, data["by"]), {"registered_at": at}
    elif kind == "integration.synced":
        synced = {"synced": data["version"], "synced_at": at}
        yield integrations.INTEGRATIONS, key, {**synced, **dict.fromkeys(FAILED)}
    elif kind == "integration.sync_failed":
        failed = (data["version"], at, data["code"], data["detail"])
        yield integrations.INTEGRATIONS, key, dict(zip(FAILED, failed, strict=True))
    elif kind.startswith("integration."):
        yield from registration(row, key, data, present)


def registration(row: Any, key: Any, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Row]:
    kind, at = row["type"], row["at"]
    values: dict[str, Any] = raised(present, integrations.INTEGRATIONS, key)
    statuses = {}
    if kind == "integration.registered":
        values |= {name: data[name] for name in ("definition_workspace", "active")}
        values |= {"configuration": text(data["configuration"]), "registered_at": at}
        statuses = dict.fromkeys(data["features"], "onboarding")
    elif kind == "integration.configured":
        values["configuration"] = text(data["configuration"])
    elif kind in ("integration.activated", "integration.inactivated"):
        values["active"] = kind == "integration.activated"
    elif kind == "integration.feature_status_set":
        statuses[data["feature"]] = data["status"]
    yield integrations.INTEGRATIONS, key, values
    for feature, status in statuses.items():
        yield integrations.FEATURES, (*key, feature), {"status": status, "since": at, "set_by": row["actor"]}
