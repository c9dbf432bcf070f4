"""Reads of the newest outcomes: of a workspace or one owner, the last ones of many owners, and how late starts were."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.documents import Document, Row
from eventjobs.projections.occurrences import RAN

LIST_NEWEST_OUTCOMES: Final = statement("reads/list_newest_outcomes")
LIST_LAST_OUTCOMES: Final = statement("reads/list_last_outcomes")

LAST: Final = 50
"""How many occurrences of an owner its strip shows."""
_OVER: Final = ("succeeded", "failed", "aborted", "skipped", "missed")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedOutcomes:
    """Which: due in `[since, until)`, of one owner or all, the newest `limit` of them."""

    since: datetime
    until: datetime
    owner: tuple[str, str] | None = None
    limit: int = 1_000


async def newest_outcomes(pool: TimedPool, workspace: str, position: int, wanted: WantedOutcomes) -> Sequence[Document]:
    """Return what became of the newest moments, the newest first; several that were answered together are one."""
    return [_outcome_document(row) for row in await _newest(pool, workspace, position, wanted, None)]


async def lateness(pool: TimedPool, workspace: str, position: int, wanted: WantedOutcomes) -> Document:
    """Return how long after their due moment the newest occurrences started, the newest first, and what is usual."""
    rows = await _newest(pool, workspace, position, wanted, RAN)
    starts = [_start_document(row) for row in rows if row["started_at"] is not None]
    late = sorted(start["late_s"] for start in starts)
    return {
        "items": starts,
        "is_cut": len(rows) == wanted.limit,
        "p50_s": _percentile(late, 0.5),
        "p99_s": _percentile(late, 0.99),
        "max_s": late[-1] if late else None,
    }


async def strips(
    pool: TimedPool, workspace: str, position: int, owners: Sequence[tuple[str, str]]
) -> Sequence[Document]:
    """Return the last occurrences of each of these owners, the oldest of them first, in the order of the owners."""
    kinds, ids = [kind for kind, _ in owners], [the_id for _, the_id in owners]
    marks: defaultdict[tuple[str, str], list[Document]] = defaultdict(list)
    for row in await pool.fetch(LIST_LAST_OUTCOMES, workspace, position, kinds, ids, LAST):
        marks[row["owner_kind"], row["owner_id"]].append(_mark(row))
    return [{"owner": {"kind": kind, "id": the_id}, "marks": marks[kind, the_id]} for kind, the_id in owners]


async def _newest(
    pool: TimedPool, workspace: str, position: int, wanted: WantedOutcomes, outcome: str | None
) -> Sequence[Row]:
    window, owner = (wanted.since, wanted.until), wanted.owner or (None, None)
    return await pool.fetch(LIST_NEWEST_OUTCOMES, workspace, position, *window, *owner, outcome, wanted.limit)


def _outcome_document(row: Row) -> Document:
    return {
        "id": row["id"],
        "owner": {"kind": row["owner_kind"], "id": row["owner_id"]},
        **_mark(row),
        "last": row["last"],
        "started_at": row["started_at"],
        "ended_at": row["ended_at"],
    }


def _mark(row: Row) -> Document:
    return {
        "due": row["due"],
        "outcome": _outcome(row),
        "reason": row["reason"],
        "count": row["count"],
        "run": row["run"],
    }


def _outcome(row: Row) -> str:
    """Return what became of a moment; of one that ran, what became of its run."""
    if row["outcome"] != RAN:
        return str(row["outcome"])
    return row["state"] if row["state"] in _OVER else "running"


def _start_document(row: Row) -> Document:
    return {
        "owner": {"kind": row["owner_kind"], "id": row["owner_id"]},
        "run": row["run"],
        "outcome": _outcome(row),
        "due": row["due"],
        "started_at": row["started_at"],
        "late_s": (row["started_at"] - row["due"]).total_seconds(),
    }


def _percentile(ascending: Sequence[float], share: float) -> float | None:
    return ascending[ceil(share * len(ascending)) - 1] if ascending else None
