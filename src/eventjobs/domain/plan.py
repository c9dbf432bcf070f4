"""
Which rows of a run may begin, and when it is over.

Stages run in ascending sequence number; rows with *skip wait* start with the run and hold nobody up (R37-R40). Whether
a stage is over is read here, from the run's recorded state, and nowhere else.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from eventjobs.domain.run import Row, Run, State, StopMode


class NotRun(StrEnum):
    """Why a flow of the snapshot was skipped: it counts as failed for the run (R95)."""

    FLOW_DELETED = "flow_deleted"
    FLOW_INACTIVE = "flow_inactive"


def current_stage(run: Run) -> int | None:
    """Return the lowest sequence number that has something to do and waits for it, `None` when the ladder is done."""
    waiting = [row.job.seq for row in run.rows.values() if not (row.job.skip_wait or row.ended or row.released)]
    return min(waiting, default=None)


def in_turn(run: Run) -> Iterable[Row]:
    """Yield the rows whose turn it is and that did not end: the current stage and the free-runners."""
    stage = current_stage(run)
    for row in run.rows.values():
        if not row.ended and (row.job.skip_wait or row.job.seq == stage):
            yield row


def never_to_start(run: Run) -> Iterable[tuple[Row, State, str]]:
    """
    Yield the rows that will not begin any more, with the state and reason they end in.

    After a stop everything that is not running ends; with `on_failure: stop`, the stages after a failed one do. A row
    that took the result of an aborted one counts as failed here.
    """
    idle = [row for row in run.rows.values() if row.state in (State.QUEUED, State.WAITING)]
    if run.stop is not None:
        for row in idle:
            stopped = "group_stopped" if run.owner.kind == "group" and not row.attempt else "stopped"
            yield (row, State.ABORTED, stopped) if row.attempt else (row, State.SKIPPED, stopped)
        return
    failed = [row.job.seq for row in run.rows.values() if _stops(row) and not row.job.skip_wait]
    if run.on_failure == "stop" and failed:
        for row in idle:
            if not row.job.skip_wait and row.job.seq > min(failed):
                yield row, State.SKIPPED, "previous_job_failed" if run.owner.kind == "group" else "earlier_failed"


def done(run: Run) -> Iterable[Row]:
    """
    Yield the rows that a run which goes on with this one does not run again.

    They succeeded, and are not of a stage after the first one that did not; those with *skip wait* are of no stage.
    """
    rest = [row.job.seq for row in run.rows.values() if row.state is not State.SUCCEEDED and not row.job.skip_wait]
    first = min(rest, default=None)
    for row in run.rows.values():
        is_later = first is not None and not row.job.skip_wait and row.job.seq > first
        if row.state is State.SUCCEEDED and not is_later:
            yield row


def _stops(row: Row) -> bool:
    return row.state is State.ABORTED or (_failed(row) and row.job.required)


def _failed(row: Row) -> bool:
    return row.state is State.FAILED or (row.state is State.SKIPPED and row.reason in set(NotRun))


def to_cancel(run: Run) -> Iterable[Row]:
    """Yield the rows whose handler must stop at once."""
    if run.stop == StopMode.NOW:
        yield from (row for row in run.rows.values() if row.state == State.RUNNING)


def verdict(run: Run) -> tuple[State, str | None, dict[str, int]]:
    """
    Return how the ended run ended: its state, reason, and how many rows ended in each state.

    A run in which any job failed is `failed`; a stopped one whose jobs did not fail is `aborted`, and so is one that
    took the result of a job that was stopped elsewhere.
    """
    counts = dict(Counter(str(row.state) for row in run.rows.values()))
    failed = next((row for row in run.rows.values() if _failed(row)), None)
    if failed is not None:
        return State.FAILED, failed.reason, counts
    states = {row.state for row in run.rows.values()}
    if State.ABORTED in states or (run.stop is not None and states != {State.SUCCEEDED}):
        return State.ABORTED, "displaced" if run.displaced else "stopped", counts
    return State.SUCCEEDED, None, counts
