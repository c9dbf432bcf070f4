"""
Which rows of a run may begin, and when it is over.

Stages run in ascending sequence number; rows with *skip wait* start with the run and hold nobody up (R37-R40). Whether
a stage is over is read here, from the run's recorded state, and nowhere else.
"""

from collections import Counter
from collections.abc import Iterable

from eventjobs.domain.run import Row, Run, State, StopMode


def current_stage(run: Run) -> int | None:
    """Return the lowest sequence number that still has something to do, `None` when the ladder is done."""
    waiting = [row.job.seq for row in run.rows.values() if not row.job.skip_wait and not row.ended]
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
            yield (row, State.ABORTED, "stopped") if row.attempt else (row, State.SKIPPED, "stopped")
        return
    not_done = (State.FAILED, State.ABORTED)
    failed = [row.job.seq for row in run.rows.values() if row.state in not_done and not row.job.skip_wait]
    if run.on_failure == "stop" and failed:
        for row in idle:
            if not row.job.skip_wait and row.job.seq > min(failed):
                yield row, State.SKIPPED, "earlier_failed"


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
    failed = next((row for row in run.rows.values() if row.state == State.FAILED), None)
    if failed is not None:
        return State.FAILED, failed.reason, counts
    states = {row.state for row in run.rows.values()}
    if State.ABORTED in states or (run.stop is not None and states != {State.SUCCEEDED}):
        return State.ABORTED, "displaced" if run.displaced else "stopped", counts
    return State.SUCCEEDED, None, counts
