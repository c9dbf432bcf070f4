"""Where the things of a page come from: the workspace itself, or a feature of an integration (R76, R81)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from eventjobs.domain.integration import Status, foremost
from eventjobs.domain.overriding import BUNDLES
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.documents import Document, Row, cadence_json, loads

LIST_ORIGINS: Final = statement("reads/list_origins")

ACTIVITY_BY_FEATURE: Final = "feature"


async def origins_of(
    pool: TimedPool, workspace: str, kind: str, things: Iterable[Row], position: int
) -> Mapping[str, Document]:
    """Return `origin`, `managed` and `drift` of things of one kind, by their ids; of flows `inactive_by` besides."""
    ids = [row["id"] for row in things]
    rows = await pool.fetch(LIST_ORIGINS, workspace, kind, ids, position) if ids else ()
    return {row["id"]: _origin(kind, row) for row in rows}


def overrides_of(row: Row) -> Document:
    """Return which bundles of a cadence were set here, by whom and when (R74)."""
    return {
        bundle: {name: row[f"{bundle}_{name}"] for name in ("by", "at", "position")}
        for bundle in BUNDLES
        if row[f"{bundle}_by"] is not None
    }


def _origin(kind: str, row: Row) -> Document:
    inactive: Document = {"inactive_by": None} if kind == "flow" else {}
    if row["integration"] is None:
        return {"origin": "workspace", "managed": None, "drift": ["own"] if row["customer"] else [], **inactive}
    status = row["feature_status"] if kind == "schedule" else foremost(row["job_statuses"] or ())
    managed: dict[str, Any] = {
        "integration": row["integration"],
        "features": loads(row["features"]),
        "definition_version": row["definition_version"],
        "removed": row["removed"],
        "feature_status": status,
    }
    overrides = overrides_of(row)
    if kind == "schedule":
        managed |= {
            "feature": row["feature"],
            "switch": _switch(row),
            "cadence": cadence_json(row["cadence"]),
            "overrides": overrides,
        }
    if kind == "flow":
        inactive = {"inactive_by": _inactive_by(row, status)}
    drift = [*(["cadence"] if overrides else []), *(["deleted"] if row["removed"] == "asked" else [])]
    return {"origin": "integration", "managed": managed, "drift": drift, **inactive}


def _inactive_by(row: Row, status: str | None) -> str | None:
    """Return what makes a flow of an integration inactive: only a person or a schedule starts it then (R62)."""
    if not row["integration_active"]:
        return "integration"
    return None if status in (None, Status.ACTIVE) else ACTIVITY_BY_FEATURE


def _switch(row: Row) -> str:
    """Return who may switch a schedule: its `feature`, `local` users, or nobody (R60 to R63, R67)."""
    if not row["integration_active"]:
        return "integration"
    return "local" if row["feature_status"] in (Status.ONBOARDING, Status.MAINTENANCE) else ACTIVITY_BY_FEATURE
