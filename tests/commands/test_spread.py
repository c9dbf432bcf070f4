"""R36: schedules that catch up in the same second begin one after the other, each in its own place."""

from datetime import timedelta
from typing import Any

import pytest

from eventjobs.domain.spread import offset_of
from eventjobs.domain.streams import run_stream
from eventjobs.events.run import AttemptStarted, RunOpened
from eventjobs.events.schedule import ScheduleRunOpened
from tests.support.bodies import QUARTERLY, advance, policies, run_now, schedule, service, workspace
from tests.support.story import WORKSPACE, Fact, Story, command

PAST = {**QUARTERLY, "start_time": "10:00"}
SPREAD = {"spread": "PT10M"}
OFFSET = offset_of(WORKSPACE, "nightly", 600)


def behind(**fields: Any) -> tuple[Story, str]:
    """Return a story whose schedule was activated behind its start, and its run."""
    story = Story().given(workspace(), service(), schedule(cadence=PAST, policies={**SPREAD, **fields}))
    (run,) = story.schedule().open_runs
    return story, run


def opened(story: Story, run: str) -> RunOpened:
    event = story.streams[run_stream(WORKSPACE, run)][0]
    assert isinstance(event, RunOpened)
    return event


def test_R36_a_first_activation_opens_its_run_at_once_and_begins_it_in_its_place() -> None:
    story, run = behind()
    begins = story.now + OFFSET
    assert timedelta(0) < OFFSET <= timedelta(minutes=10)
    assert (opened(story, run).due, opened(story, run).not_before) == (story.now, begins)
    story.when(advance(run)).then_nothing()
    story.now = begins - timedelta(seconds=1)
    story.when(advance(run)).then_nothing()
    story.now = begins
    assert Fact(AttemptStarted, row=1, attempt=1) in story.when(advance(run)).facts


def test_R36_what_is_on_time_or_by_hand_begins_at_once() -> None:
    story = Story().given(workspace(), service(), schedule(cadence=QUARTERLY, policies=SPREAD)).at("2026-12-01 20:00")
    facts = story.when(command("AnswerDue", kind="schedule", id="nightly", begin=True)).facts
    assert Fact(RunOpened, cause="scheduled", not_before=None) in facts
    assert Fact(AttemptStarted, row=1) in facts
    other = Story().given(workspace(), service(), schedule(policies=SPREAD))
    other.when(run_now()).then(Fact(RunOpened, cause="manual", not_before=None), Fact(ScheduleRunOpened))


def test_R36_after_an_outage_the_append_that_answers_begins_nothing_before_its_place() -> None:
    story = Story().given(workspace(), service(), schedule(cadence=QUARTERLY, policies=SPREAD)).at("2026-12-01 21:00")
    facts = story.when(command("AnswerDue", kind="schedule", id="nightly", begin=True)).facts
    assert Fact(RunOpened, cause="catch_up", not_before=story.now + OFFSET) in facts
    assert not any(isinstance(fact, AttemptStarted) for fact in facts)


def test_R36_whoever_takes_the_run_over_begins_it_in_the_same_place() -> None:
    story, run = behind()
    story.given(command("TakeOverRun", run=run, seen_term=1, cause="lease_lost"), advance(run, term=2))
    assert story.run(run).rows[1].attempt == 0
    story.now += OFFSET
    assert Fact(AttemptStarted, term=2) in story.when(advance(run, term=2)).facts


def test_R36_a_run_that_waits_for_its_place_is_open_and_can_be_stopped() -> None:
    story, run = behind()
    story.when(run_now()).then_refused("already_running", open_run=run)
    story.given(command("StopRun", run=run))
    story.given(advance(run))
    assert not story.run(run).open


def test_R36_a_hundred_begin_spread_out_and_in_the_same_places_each_time() -> None:
    names = [f"s{number}" for number in range(100)]

    def places() -> list[timedelta]:
        story = Story().given(workspace(), service())
        story.given(*(schedule(name, cadence=PAST, policies=SPREAD) for name in names))
        runs = [story.schedule(name).open_runs[0] for name in names]
        return [(opened(story, run).not_before or story.now) - story.now for run in runs]

    first = places()
    assert places() == first
    assert max(first) <= timedelta(minutes=10)
    assert len(set(first)) > 75
    tenths = {int(place / timedelta(minutes=1)) for place in first}
    assert tenths >= set(range(10)), "every minute has some"


@pytest.mark.parametrize("spread", ["PT16M", "-PT1S"])
def test_a_spread_is_at_most_a_quarter_of_an_hour(spread: str) -> None:
    with pytest.raises(ValueError, match="spread"):
        policies(spread=spread)
