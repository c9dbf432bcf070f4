"""What is answered begins in the same append, as far as its jobs are free."""

from eventjobs.commands.spec import CommandFields
from eventjobs.domain.run import State
from eventjobs.events.run import AttemptStarted, RunOpened, RunSkipped
from eventjobs.events.schedule import ScheduleOccurrencesSkipped, ScheduleRunOpened
from eventjobs.events.service import ServiceClaimed
from tests.support.bodies import QUARTERLY, advance, row, run_now, schedule, service, workspace
from tests.support.story import Fact, Story, command

RUN = "schedule.nightly.1.20261201t200000z"
AT = "2026-12-01 20:00"


def tick_and_begin(schedule_id: str = "nightly") -> CommandFields:
    return command("AnswerDue", kind="schedule", id=schedule_id, begin=True)


def furnished(*rows: object, **fields: object) -> Story:
    made = [service(name) for name in ("a", "b", "c")]
    return Story().given(workspace(), *made, schedule(cadence=QUARTERLY, jobs=list(rows), **fields))


def states(story: Story) -> list[State]:
    return [row.state for row in story.run(RUN).rows.values()]


def test_R37_the_first_stage_and_what_skips_the_wait_begin_with_the_opening() -> None:
    story = furnished(row("a", seq=1), row("b", seq=2), row("c", seq=2, skip_wait=True)).at(AT)
    story.when(tick_and_begin()).then(
        Fact(RunOpened, due=story.now),
        Fact(ScheduleRunOpened, run=RUN),
        Fact(ServiceClaimed),
        (f"run:{RUN}", AttemptStarted(row=1, attempt=1, term=1)),
        Fact(ServiceClaimed),
        (f"run:{RUN}", AttemptStarted(row=3, attempt=1, term=1)),
    )
    assert states(story) == [State.RUNNING, State.QUEUED, State.RUNNING]


def test_the_worker_then_has_nothing_to_say() -> None:
    furnished(row("a")).at(AT).given(tick_and_begin()).when(advance(RUN)).then_nothing()


def test_R46_a_job_that_is_busy_is_left_to_the_worker_who_waits_for_it() -> None:
    story = furnished(row("a", seq=1), row("b", seq=1)).given(
        schedule("other", jobs=[row("a")], active=False), run_now("other", id="theirs"), advance("theirs")
    )
    story.at(AT).given(tick_and_begin())
    assert states(story) == [State.QUEUED, State.RUNNING]
    story.given(advance(RUN))
    assert states(story) == [State.WAITING, State.RUNNING]


def test_two_rows_with_one_job_still_take_turns() -> None:
    story = furnished(row("a", seq=1), row("a", seq=2, skip_wait=True)).at(AT).given(tick_and_begin())
    assert states(story) == [State.RUNNING, State.QUEUED]


def test_what_is_skipped_begins_nothing() -> None:
    story = furnished(row("a")).at(AT).given(tick_and_begin()).at("2026-12-01 20:15")
    story.when(tick_and_begin()).then(Fact(RunSkipped), Fact(ScheduleOccurrencesSkipped))
