"""A run of which nothing is under way is given to another instance, in a higher term (SPEC decision 5)."""

from eventjobs.events.run import RunTakenOver
from tests.commands.test_advance_run import opened
from tests.support.bodies import advance
from tests.support.story import command


def hand_over(term: int = 1, run: str = "mine") -> object:
    return command("HandOverRun", run=run, term=term, to="two")


def test_the_term_rises_and_the_heir_has_it() -> None:
    opened().when(hand_over()).then(
        ("run:mine", RunTakenOver(instance="two", term=2, cause="its instance is stopping"))
    )


def test_a_run_that_works_is_not_handed_over() -> None:
    opened().given(advance("mine")).when(hand_over()).then_nothing()


def test_who_was_taken_over_has_nothing_to_hand_over() -> None:
    refusal = opened().given(hand_over()).when(hand_over()).refusal
    assert refusal is not None
    assert refusal.code == "superseded"


def test_a_run_that_is_not_there_is_refused() -> None:
    refusal = opened().when(hand_over(run="other")).refusal
    assert refusal is not None
    assert refusal.code == "not_found"
