"""How many runs of a workspace may be open at once (SPEC decision 13): who is over it waits, and the log says so."""

import pytest

from eventjobs.commands.context import Limits
from eventjobs.domain.starts import Starts
from eventjobs.domain.streams import starts_stream
from eventjobs.events.run import Ref, RunEnded, RunOpened
from eventjobs.events.schedule import ScheduleOccurrenceQueued, ScheduleRunClosed, ScheduleRunOpened
from eventjobs.events.service import ServiceReleased
from eventjobs.events.starts import StartsDelayed, StartsFreed, StartsGivenUp, StartsTaken
from tests.support.bodies import QUARTERLY, advance, ended, row, run_now, schedule, service, tick, workspace
from tests.support.story import WORKSPACE, Fact, Story, at, command

FIRST = "schedule.a.1.20261201t200000z"
SECOND = "schedule.b.1.20261201t200000z"
A, B, C = (Ref(kind="schedule", id=name) for name in "abc")


def limited(to: int = 1, *, schedules: str = "abc", **fields: object) -> Story:
    """Return a story with a schedule for each letter, all due at 20:00 and every quarter of an hour after."""
    story = Story(limits=Limits(runs_per_workspace=to)).given(workspace())
    for name in schedules:
        story.given(service(f"load-{name}"), schedule(name, jobs=[row(f"load-{name}")], cadence=QUARTERLY, **fields))
    return story.at("2026-12-01 20:00")


def places(story: Story) -> Starts:
    return story.load(starts_stream(WORKSPACE)).state  # type: ignore[no-any-return]


def end(story: Story, run: str) -> list[object]:
    story.given(advance(run))
    return story.when(advance(run, ended=[ended()])).facts


def test_a_run_over_the_limit_waits_and_the_delay_is_recorded_once() -> None:
    story = limited().given(tick("a"))
    story.when(tick("b")).then(
        ("schedule:b", Fact(ScheduleOccurrenceQueued, due=at("2026-12-01 20:00"), reason="limit", open_run=None)),
        ("starts:acme", StartsDelayed(owner=B, due=at("2026-12-01 20:00"), limit=1)),
    )
    story.after(minutes=15).given(tick("b"))
    assert len([event for event in story.streams[starts_stream(WORKSPACE)] if isinstance(event, StartsDelayed)]) == 1


def test_the_append_that_ends_a_run_opens_who_waited_longest() -> None:
    story = limited().given(tick("a"), tick("b"), tick("c")).at("2026-12-01 20:05")
    assert end(story, FIRST) == [
        Fact(object),
        Fact(object),
        Fact(ServiceReleased),
        Fact(RunEnded, state="succeeded"),
        Fact(ScheduleRunClosed, run=FIRST),
        StartsFreed(run=FIRST),
        Fact(RunOpened, owner=B, cause="scheduled", due=at("2026-12-01 20:00")),
        StartsTaken(run=SECOND, owner=B),
        ScheduleRunOpened(run=SECOND, cause="scheduled", due=at("2026-12-01 20:00")),
    ]
    assert (places(story).taken, places(story).delayed) == ((SECOND,), (C,))


def test_R18_a_limit_that_delays_a_run_does_not_re_anchor() -> None:
    story = limited().given(tick("a"), tick("b")).at("2026-12-01 20:14")
    end(story, FIRST)
    following = story.schedule("b").next
    assert following is not None
    assert following.due == at("2026-12-01 20:15")


def test_what_waits_behind_its_own_run_also_waits_for_room() -> None:
    story = limited(policies={"overlap": "queue_one"}).given(tick("a"), tick("b"))
    story.after(minutes=15).given(tick("a"))
    facts = end(story, FIRST)
    assert Fact(RunOpened, owner=B) in facts
    assert facts[-1] == StartsDelayed(owner=A, due=at("2026-12-01 20:15"), limit=1)
    assert Fact(RunOpened, owner=A, due=at("2026-12-01 20:15")) in end(story, SECOND)


def test_a_single_service_takes_room_as_well() -> None:
    story = limited().given(run_now("load-c", "service", id="mine"), tick("a"))
    assert places(story).delayed == (A,)
    story.given(advance("mine"))
    assert Fact(RunOpened, owner=A) in story.when(advance("mine", ended=[ended()])).facts


@pytest.mark.parametrize(("owner", "kind"), [("b", "schedule"), ("load-b", "service")])
def test_by_hand_nobody_waits(owner: str, kind: str) -> None:
    story = limited().given(tick("a"))
    story.when(run_now(owner, kind)).then_refused("no_room", limit=1)


def test_who_has_nothing_to_start_any_more_gives_its_turn_up() -> None:
    story = limited().given(tick("a"), tick("b"), tick("c"), command("InactivateSchedule", id="b"))
    facts = end(story, FIRST)
    assert StartsGivenUp(owner=B) in facts
    assert Fact(RunOpened, owner=C) in facts


def test_a_raised_limit_lets_those_start_who_wait() -> None:
    story = limited().given(tick("a"), tick("b"))
    raised = Limits(runs_per_workspace=3)
    facts = story.when(tick("c"), limits=raised).facts
    assert [fact.owner for fact in facts if isinstance(fact, RunOpened)] == [C, B]


def test_a_place_is_given_back_though_the_limit_was_lifted_meanwhile() -> None:
    story = limited().given(tick("a"), tick("b"), advance(FIRST))
    story.when(advance(FIRST, ended=[ended()]), limits=Limits())
    assert places(story) == Starts()
    assert story.schedule("b").open_runs == (SECOND,)


def test_without_a_limit_nothing_is_written_about_room() -> None:
    story = Story().given(workspace(), service(), schedule(cadence=QUARTERLY)).at("2026-12-01 20:00").given(tick())
    end(story, "schedule.nightly.1.20261201t200000z")
    assert starts_stream(WORKSPACE) not in story.streams
