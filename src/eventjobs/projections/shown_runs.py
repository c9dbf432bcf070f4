"""What a page of owners shows of their runs: how far open ones have come, and who goes on with the last ones."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from eventjobs.domain.run import State
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.documents import Document, Row, loads

LIST_LAST_RUNS: Final = statement("reads/list_last_runs")
LIST_RUN_PROGRESS: Final = statement("reads/list_run_progress")


async def shown_runs_of(
    pool: TimedPool, workspace: str, owners: Sequence[Row], position: int
) -> Mapping[str, Document]:
    """
    Return what is shown of these rows' runs, by id; no query where none is open, or all succeeded.

    Open ones have their stage and progress; last ones that did not succeed their `jobs`, and who goes on with them.
    """
    going = sorted({row["open_run"] for row in owners if row["open_run"] is not None})
    over = sorted({row["last_run"] for row in owners if row["last_state"] not in (None, State.SUCCEEDED)})
    rows = await pool.fetch(LIST_RUN_PROGRESS, workspace, going, position) if going else ()
    last = await pool.fetch(LIST_LAST_RUNS, workspace, over, position) if over else ()
    shown = {row["id"]: {"jobs": loads(row["jobs"]), "resumed_by": row["resumed_by"]} for row in last}
    return {**shown, **{row["id"]: _open_run(row) for row in rows}}


def _open_run(row: Row) -> Document:
    jobs, begun = loads(row["jobs"]), loads(row["begun"])
    ended = {place for place, over, *_ in begun if over}
    stages = sorted({job["seq"] for job in jobs})
    seq = _stage(jobs, ended, stages)
    alone = [job["job"] for job in jobs if job["seq"] == seq]
    return {
        "id": row["id"],
        "state": row["state"],
        "opened_at": row["opened_at"],
        "started_at": row["started_at"],
        "stage": stages.index(seq) + 1,
        "of": len(stages),
        "job": alone[0] if len(alone) == 1 else None,
        "progress": _progress(len(jobs), begun),
        "suspended": sum(is_suspended for *_, is_suspended in begun),
    }


def _stage(jobs: Sequence[Mapping[str, Any]], ended: set[int], stages: Sequence[int]) -> int:
    """Return the lowest sequence number that is not over; jobs with *skip wait* hold no stage up."""
    left = [job["seq"] for job in jobs if job["row"] not in ended and not job["skip_wait"]]
    return min(left, default=stages[-1])


def _progress(jobs: int, begun: Sequence[Sequence[Any]]) -> float:
    """Return the share of the work that is done, every job counting the same."""
    done = sum(1.0 if over else min(1.0, max(0.0, fraction or 0.0)) for _, over, fraction, _ in begun)
    return round(done / jobs, 3)
