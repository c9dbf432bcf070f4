"""Reads of definitions and registrations: sync states, feature statuses, drift, and what is overridden where (R71)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eventjobs.domain.integration import Status
from eventjobs.ids import is_id
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.cursors import write_cursor
from eventjobs.projections.documents import Document, Row, cadence_json, loads
from eventjobs.projections.origins import overrides_of
from eventjobs.projections.things import WantedThings, capped

FIND_INTEGRATION: Final = statement("reads/find_integration")
LIST_INTEGRATIONS: Final = statement("reads/list_integrations")
LIST_FEATURE_STATUSES: Final = statement("reads/list_feature_statuses")
LIST_DRIFT: Final = statement("reads/list_drift")
LIST_OWN_THINGS: Final = statement("reads/list_own_things")
FIND_DEFINITION: Final = statement("reads/find_integration_definition")
LIST_DEFINITIONS: Final = statement("reads/list_definitions")
LIST_REGISTRATIONS: Final = statement("reads/list_registrations")

OWN_MAX: Final = 1_000
"""How many things of its own a customer's workspace is shown to have."""


async def find_integration(pool: TimedPool, workspace: str, integration_id: str, position: int) -> Document | None:
    """Return one registration with its drift."""
    row = await pool.fetchrow(FIND_INTEGRATION, workspace, integration_id, position)
    if row is None:
        return None
    statuses = await _statuses(pool, workspace, [row], position)
    drift = [_drift(one) for one in await pool.fetch(LIST_DRIFT, workspace, integration_id, position)]
    own = await pool.fetch(LIST_OWN_THINGS, workspace, position, OWN_MAX)
    drift += [{"thing": {"kind": one["kind"], "id": one["id"]}, "what": "own"} for one in own]
    return {**_integration(row, statuses[row["id"]]), "drift": drift}


async def find_feature(pool: TimedPool, workspace: str, feature_id: str, position: int) -> Document | None:
    """Return one feature of a registration; `<integration>.<its id there>`, both of which may hold dots, names it."""
    parts = feature_id.split(".")
    for place in range(1, len(parts)):
        integration, own = ".".join(parts[:place]), ".".join(parts[place:])
        if not (is_id(integration) and is_id(own)):  # an address may hold thousands of dots
            continue
        row = await pool.fetchrow(FIND_INTEGRATION, workspace, integration, position)
        if row is None:
            continue
        statuses = await _statuses(pool, workspace, [row], position)
        for feature in loads(row["content"])["features"]:
            if feature["id"] == own:
                shown = {"id": feature_id, "feature": own, "integration": integration, "version": row["version"]}
                return {**_feature(feature, statuses[integration].get(own)), **shown}
    return None


async def list_integrations(pool: TimedPool, workspace: str, wanted: WantedThings, position: int) -> Document:
    """Return the registrations of a workspace by id."""
    limit = capped(wanted.limit)
    rows = await pool.fetch(LIST_INTEGRATIONS, workspace, position, wanted.after, limit + 1)
    statuses = await _statuses(pool, workspace, rows, position)
    items = [_integration(row, statuses[row["id"]]) for row in rows[:limit]]
    return {"items": items, "next": write_cursor(items[-1]["id"]) if len(rows) > limit else None}


async def find_definition(
    pool: TimedPool, workspace: str, definition_id: str, only: Sequence[str] | None, position: int
) -> Document | None:
    """Return one definition with its registrations in the workspaces `only` names, or in all."""
    row = await pool.fetchrow(FIND_DEFINITION, workspace, definition_id, position)
    if row is None:
        return None
    seen = None if only is None else list(only)
    rows = await pool.fetch(LIST_REGISTRATIONS, workspace, definition_id, position, seen)
    return {**_definition(row), "content": loads(row["content"]), "registrations": [_registration(one) for one in rows]}


async def list_definitions(pool: TimedPool, workspace: str, wanted: WantedThings, position: int) -> Document:
    """Return the definitions that a workspace publishes, by id."""
    limit = capped(wanted.limit)
    rows = await pool.fetch(LIST_DEFINITIONS, workspace, position, wanted.after, limit + 1)
    items = [_definition(row) for row in rows[:limit]]
    return {"items": items, "next": write_cursor(items[-1]["id"]) if len(rows) > limit else None}


async def _statuses(
    pool: TimedPool, workspace: str, rows: Sequence[Row], position: int
) -> Mapping[str, Mapping[str, Row]]:
    found: defaultdict[str, dict[str, Row]] = defaultdict(dict)
    for row in await pool.fetch(LIST_FEATURE_STATUSES, workspace, [row["id"] for row in rows], position):
        found[row["integration"]][row["feature"]] = row
    return found


def _integration(row: Row, statuses: Mapping[str, Row]) -> Document:
    content = loads(row["content"])
    return {
        "id": row["id"],
        "version": row["version"],
        "name": content.get("name") or row["id"],
        "definition": {"workspace": row["definition_workspace"], "id": row["id"], "version": row["newest"]},
        "status": "active" if row["active"] else "inactive",
        "configuration": loads(row["configuration"]),
        "registered_at": row["registered_at"],
        "sync": _sync(row),
        "features": [_feature(feature, statuses.get(feature["id"])) for feature in content["features"]],
    }


def _sync(row: Row) -> Document:
    """How far a registration is: `in_sync`, `out_of_sync` with the newest version, or `sync_failed` for it (R71)."""
    behind = row["synced"] != row["newest"]
    failed = row["failed"] is not None and row["failed"] == row["newest"]
    failure = {"version": row["failed"], "at": row["failed_at"], "code": row["failed_code"]}
    return {
        "state": "sync_failed" if failed else "out_of_sync" if behind else "in_sync",
        "version": row["synced"],
        "at": row["synced_at"],
        "failure": None if row["failed"] is None else {**failure, "detail": row["failed_detail"]},
    }


def _feature(feature: Mapping[str, Any], status: Row | None) -> Document:
    return {
        "id": feature["id"],
        "name": feature.get("name") or feature["id"],
        "description": feature.get("description", ""),
        "lifecycle": feature.get("lifecycle", "under_construction"),
        "status": Status.OFF if status is None else status["status"],
        "since": None if status is None else status["since"],
        "set_by": None if status is None else status["set_by"],
    }


def _drift(row: Row) -> Document:
    thing = {"kind": row["kind"], "id": row["id"]}
    if row["removed"] is not None:
        return {"thing": thing, "what": "deleted"}
    shown = {"defined": cadence_json(row["cadence"]), "here": cadence_json(row["own"])}
    return {"thing": thing, "what": "cadence", "overrides": overrides_of(row), **shown}


def _definition(row: Row) -> Document:
    content = loads(row["content"])
    return {
        "id": row["id"],
        "version": row["version"],
        "name": content.get("name") or row["id"],
        "published_at": row["published_at"],
        "published_by": row["published_by"],
    }


def _registration(row: Row) -> Document:
    return {
        "workspace": row["workspace"],
        "status": "active" if row["active"] else "inactive",
        "sync": _sync(row),
        "features": dict(feature.split(" ", 1) for feature in row["features"]),
        "overridden": list(row["overridden"]),
    }
