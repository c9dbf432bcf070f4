"""How many runs of a workspace or an owner are open at once (SPEC decision 13): others wait, and the log says so."""

import pytest

from eventjobs.commands.context import Limits
from eventjobs.domain.overlap import QUEUE_MAX, Meeting, meet
from eventjobs.domain.starts import Starts
from eventjobs.domain.streams import starts_stream
from eventjobs.events.run import Ref, RunEnded, RunOpened
from eventjobs.events.schedule import (
    ScheduleOccurrenceQueued,
    ScheduleOccurrencesSkipped,
    ScheduleRunClosed,
    ScheduleRunOpened,
)
from eventjobs.events.service import ServiceReleased
from eventjobs.events.starts import StartsDelayed, StartsFreed, StartsGivenUp, StartsTaken
from tests.support.bodies import (
    QUARTERLY,
    advance,
    ended,
    row,
    run_now,
    schedule,
    service,
    tick,
    workspace,
)
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
        (
            "schedule:b",
            Fact(ScheduleOccurrenceQueued, due=at("2026-12-01 20:00"), reason="limit", limit=1, open_run=None),
        ),
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
    waited = "schedule.a.1.20261201t201500z"
    assert facts[-1] == StartsDelayed(owner=A, due=at("2026-12-01 20:15"), limit=1, occurrence=waited)
    assert Fact(RunOpened, owner=A, due=at("2026-12-01 20:15")) in end(story, SECOND)


def test_a_single_service_takes_room_as_well() -> None:
    story = limited().given(run_now("load-c", "service", id="mine"), tick("a"))
    assert places(story).delayed == (A,)
    story.given(advance("mine"))
    assert Fact(RunOpened, owner=A) in story.when(advance("mine", ended=[ended()])).facts


@pytest.mark.parametrize(("owner", "kind"), [("b", "schedule"), ("load-b", "service")])
def test_by_hand_nobody_waits(owner: str, kind: str) -> None:
    story = limited().given(tick("a"))
    story.when(run_now(owner, kind)).then_refused("no_room", limit=1, of="workspace")


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


def several(to: int = 2, **others: int) -> Story:
    """Return a story with a schedule whose runs may overlap, so many of them, two of which are open at 20:15."""
    story = Story(limits=Limits(runs_per_owner=to, **others)).given(workspace(), service("load-a"))
    story.given(schedule("a", jobs=[row("load-a")], cadence=QUARTERLY, policies={"overlap": "allow"}))
    return story.at("2026-12-01 20:00").given(tick("a")).at("2026-12-01 20:15").given(tick("a"))


@pytest.mark.parametrize(
    ("policy", "open_runs", "waiting", "meeting"),
    [
        ("allow", 1, 0, Meeting.OPEN),
        ("allow", 2, 0, Meeting.OWNER_LIMIT),
        ("allow", 3, QUEUE_MAX - 1, Meeting.OWNER_LIMIT),
        ("allow", 2, QUEUE_MAX, Meeting.QUEUE_FULL),
        ("skip", 0, 0, Meeting.OPEN),
        ("skip", 2, 0, Meeting.OVERLAP),
        ("queue_all", 2, 0, Meeting.QUEUE),
    ],
)
def test_only_who_may_overlap_comes_up_against_its_own_limit(
    policy: str, open_runs: int, waiting: int, meeting: Meeting
) -> None:
    assert meet(policy, open_runs=open_runs, waiting=waiting, limit=2) is meeting


def test_an_owner_over_its_own_limit_waits_in_its_queue_and_the_fact_says_why() -> None:
    story = several().at("2026-12-01 20:30")
    newest = "schedule.a.1.20261201t201500z"
    wanted = {"due": at("2026-12-01 20:30"), "reason": "owner_limit", "limit": 2, "open_run": newest}
    story.when(tick("a")).then(("schedule:a", Fact(ScheduleOccurrenceQueued, **wanted)))
    assert starts_stream(WORKSPACE) not in story.streams
    assert len(story.schedule("a").waiting) == 1


def test_the_append_that_ends_one_of_an_owners_runs_opens_the_next_that_waits() -> None:
    story = several().at("2026-12-01 20:30").given(tick("a")).at("2026-12-01 20:45").given(tick("a"))
    facts = end(story, FIRST)
    assert [fact.due for fact in facts if isinstance(fact, RunOpened)] == [at("2026-12-01 20:30")]
    assert len(story.schedule("a").open_runs) == 2
    assert [waiting.due for waiting in story.schedule("a").waiting] == [at("2026-12-01 20:45")]


def test_R18_an_owners_limit_does_not_re_anchor() -> None:
    story = several().at("2026-12-01 20:30").given(tick("a")).at("2026-12-01 20:44")
    end(story, FIRST)
    following = story.schedule("a").next
    assert following is not None
    assert following.due == at("2026-12-01 20:45")


def test_a_queue_for_an_owners_place_holds_a_hundred_and_skips_the_next() -> None:
    story = several()
    for _ in range(QUEUE_MAX):
        story.after(minutes=15).given(tick("a"))
    assert len(story.schedule("a").waiting) == QUEUE_MAX
    story.after(minutes=15)
    assert Fact(ScheduleOccurrencesSkipped, reason="queue_full", count=1) in story.when(tick("a")).facts
    assert len(story.schedule("a").waiting) == QUEUE_MAX


def test_by_hand_nobody_waits_for_an_owners_place() -> None:
    story = several()
    story.when(run_now("a")).then_refused("no_room", limit=2, of="schedule")
    end(story, FIRST)
    story.when(run_now("a")).then(Fact(RunOpened, cause="manual"), Fact(ScheduleRunOpened))


def test_a_run_by_hand_takes_one_of_its_owners_places() -> None:
    story = Story(limits=Limits(runs_per_owner=1)).given(workspace(), service("load-a"))
    story.given(schedule("a", jobs=[row("load-a")], cadence=QUARTERLY, policies={"overlap": "allow"}))
    story.given(run_now("a", id="mine")).at("2026-12-01 20:00")
    story.when(tick("a")).then(Fact(ScheduleOccurrenceQueued, reason="owner_limit", open_run="mine"))
    assert Fact(RunOpened, due=at("2026-12-01 20:00")) in end(story, "mine")


def test_single_services_and_other_policies_know_no_limit_of_an_owner() -> None:
    story = Story(limits=Limits(runs_per_owner=1)).given(workspace(), service("load-a"))
    story.given(schedule("a", jobs=[row("load-a")], cadence=QUARTERLY), run_now("a", id="mine"))
    story.when(run_now("a")).then_refused("already_running", open_run="mine")


def test_a_raised_limit_of_an_owner_lets_those_start_who_wait() -> None:
    story = several().at("2026-12-01 20:30").given(tick("a")).at("2026-12-01 20:45")
    facts = story.when(tick("a"), limits=Limits()).facts
    opened = [fact.due for fact in facts if isinstance(fact, RunOpened)]
    assert sorted(opened) == [at("2026-12-01 20:30"), at("2026-12-01 20:45")]
    assert story.schedule("a").waiting == ()


def test_who_has_its_owners_place_may_still_wait_for_one_of_the_workspace() -> None:
    story = several(runs_per_workspace=2).given(service("load-b"))
    story.given(schedule("b", jobs=[row("load-b")], cadence={**QUARTERLY, "start_time": "20:30"}))
    story.at("2026-12-01 20:30").given(tick("a"), tick("b"))
    assert places(story).delayed == (B,)  # its own limit keeps the other schedule out of the line
    facts = end(story, FIRST)
    assert Fact(RunOpened, owner=B) in facts
    waited = "schedule.a.1.20261201t203000z"
    assert facts[-1] == StartsDelayed(owner=A, due=at("2026-12-01 20:30"), limit=2, occurrence=waited)
    facts = end(story, "schedule.b.1.20261201t203000z")
    assert Fact(RunOpened, owner=A, due=at("2026-12-01 20:30")) in facts
