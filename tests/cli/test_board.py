"""What a board knows about the jobs of a run."""

from typing import Any

from eventjobs.cli.board import Board

JOBS = [{"row": row, "job": {"kind": "service", "id": job}} for row, job in ((1, "load"), (2, "call"))]


def event(position: int, kind: str, **data: Any) -> dict[str, Any]:
    return {"position": position, "type": kind, "data": data}


def board() -> Board:
    made = Board("r", {"load": 100})
    made.happened([event(1, "run.opened", jobs=JOBS)])
    return made


def test_a_job_waits_until_its_attempt_starts() -> None:
    made = board()
    assert [line.state for line in made.lines.values()] == ["waiting", "waiting"]
    assert made.happened([event(2, "attempt.started", row=1, attempt=1, term=1)]) == [made.lines[1]]
    assert made.lines[1].state == "running"


def test_progress_counts_rows_against_the_total() -> None:
    made = board()
    made.happened([event(2, "attempt.started", row=1, attempt=1, term=1)])
    line = made.progressed({"run": "r", "row": 1, "fraction": None, "text": "", "counts": {"processed": 25}})
    assert line is not None
    assert (line.rows, line.share) == (25, 0.25)


def test_lines_of_rows_with_line_breaks_never_make_more_rows_than_there_are() -> None:
    made = board()
    made.happened([event(2, "attempt.started", row=1, attempt=1, term=1)])
    line = made.progressed({"run": "r", "row": 1, "fraction": None, "text": "", "counts": {"processed": 107}})
    assert line is not None
    assert line.rows == 100


def test_progress_of_another_run_or_after_the_end_is_not_shown() -> None:
    made = board()
    frame = {"run": "r", "row": 1, "fraction": 0.5, "text": "", "counts": {}}
    assert made.progressed(frame) is None
    made.happened([event(2, "attempt.started", row=1, attempt=1, term=1)])
    assert made.progressed({**frame, "run": "other"}) is None
    made.happened([event(3, "job_run.ended", row=1, state="succeeded", counts={"processed": 100})])
    assert made.progressed(frame) is None
    assert (made.lines[1].rows, made.lines[1].share) == (100, 1.0)


def test_a_job_that_was_skipped_has_done_nothing() -> None:
    made = board()
    assert made.happened([event(2, "job_run.ended", row=1, state="skipped", counts={})]) == [made.lines[1]]
    assert (made.lines[1].state, made.lines[1].share) == ("skipped", 0.0)


def test_the_run_is_over_with_its_last_event() -> None:
    made = board()
    assert not made.is_over
    made.happened([event(9, "run.ended", state="succeeded", counts={})])
    assert made.is_over
    assert made.position == 9
