"""When progress is due to become a fact."""

from hypothesis import given
from hypothesis import strategies as st

from eventjobs.runner.reports import Reports
from eventjobs.runner.workshop import Shown


def shown(attempt: int = 1, text: str = "x") -> Shown:
    return Shown(attempt=attempt, fraction=None, text=text, counts={})


@given(st.floats(0, 10**6), st.floats(0, 100))
def test_what_is_due_at_a_moment_is_due_when_that_moment_has_come(first: float, pause: float) -> None:
    """Else a worker that waits for the moment would wait for nothing, over and over."""
    reports = Reports()
    reports.take(1, shown(), first)
    moment = min(reports.next_save())
    assert reports.to_save(moment, ())
    reports.saved(reports.to_save(moment, ()), moment)
    assert not list(reports.next_save())
    reports.take(1, shown(text="y"), moment + pause)
    assert reports.to_save(min(reports.next_save()), ())


def test_what_was_said_while_it_was_written_is_not_written_yet() -> None:
    reports = Reports()
    reports.take(1, shown(text="first"), 0.0)
    words = reports.to_save(5.0, ())
    reports.take(1, shown(text="second"), 5.1)
    reports.saved(words, 5.2)
    assert [one.text for one in reports.to_save(10.2, ())] == ["second"]


def test_what_is_said_again_is_not_written_again() -> None:
    reports = Reports()
    for second in range(20):
        reports.take(1, shown(text="waiting"), float(second))
        reports.saved(reports.to_save(float(second), ()), float(second))
    assert not list(reports.next_save())
    reports.take(1, shown(text="loading"), 20.0)
    assert [one.text for one in reports.to_save(20.0, ())] == ["loading"]


def test_a_new_attempt_begins_to_count_anew() -> None:
    reports = Reports()
    reports.take(1, shown(1), 0.0)
    reports.take(1, shown(2), 4.0)
    assert list(reports.next_save()) == [9.0]
    assert [one.attempt for one in reports.to_save(4.0, {1})] == [2]
