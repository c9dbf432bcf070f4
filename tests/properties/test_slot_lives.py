"""What holds in every life of a slot schedule: set, answered, set again, in any zone, up to its expiry."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from eventjobs.domain.due import answer_due
from eventjobs.domain.slot_activation import on_slots_set, runs_left, slot_under_way, thresholds
from eventjobs.domain.slots import MINUTES, SLOT, TIMING, cadence_of, describe, drawn
from eventjobs.events.cadence import Gap, NextDue, Repeat, TimingPolicies, TimingState
from eventjobs.events.slots import SlotSchedule, SlotType, Weekday
from tests.support.cadences import zones

SECOND = timedelta(seconds=1)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
chances = st.floats(0, 1, exclude_max=True)
policies = st.builds(
    lambda gap, repeat: replace(TIMING, gap=gap, repeat=repeat), st.sampled_from(Gap), st.sampled_from(Repeat)
)
expiries = st.none() | st.integers(1, 400).map(lambda days: timedelta(days=days))


@st.composite
def schedules(draw: st.DrawFn) -> SlotSchedule:
    """Draw one that is ready."""
    kind = draw(st.sampled_from([kind for kind in SlotType if kind is not SlotType.ON_DEMAND]))
    undrawn = SlotSchedule(
        type=kind,
        time_zone=draw(zones),
        date=draw(st.dates(datetime(2020, 1, 1).date(), datetime(2040, 12, 31).date())).isoformat(),  # noqa: DTZ001
        days=tuple(sorted(draw(st.sets(st.sampled_from(Weekday), min_size=1)))),
        day=draw(st.just("last") | st.integers(1, 28)),
        every=draw(st.integers(1, 23)),
        hour=draw(st.integers(0, 23)),
        slot=draw(st.integers(0, 3)),
    )
    return drawn(undrawn, draw(chances))


@given(schedules(), policies, instants, expiries)
@settings(deadline=None)
def test_the_first_run_is_ahead_in_its_slot_and_before_the_expiry(
    schedule: SlotSchedule, rule: TimingPolicies, now: datetime, life: timedelta | None
) -> None:
    expires_at = None if life is None else now + life
    decision = on_slots_set(schedule, rule, TimingState(), now, expires_at)
    began = slot_under_way(schedule, rule, now)

    assert not decision.runs_now
    if decision.next is None:
        assert runs_left(schedule, rule, None, expires_at) == 0
        return
    due = decision.next
    assert due.due > now
    assert began is None or due.due >= began + SLOT
    assert expires_at is None or due.due < expires_at
    assert is_in_slot(schedule, due)
    assert describe(schedule)


def is_in_slot(schedule: SlotSchedule, due: NextDue) -> bool:
    asked = datetime.fromisoformat(due.asked or due.local)
    shown = due.due.astimezone(ZoneInfo(schedule.time_zone))
    assert (shown.replace(tzinfo=None, fold=0).isoformat(), shown.fold) == (due.local, due.fold)
    return asked.minute // MINUTES == schedule.slot and asked.minute == schedule.minute


@given(schedules(), policies, instants, st.data())
@settings(deadline=None, max_examples=60)
def test_no_moment_is_answered_twice_whatever_is_set_in_between(
    schedule: SlotSchedule, rule: TimingPolicies, now: datetime, data: st.DataObject
) -> None:
    expires_at = now + timedelta(days=data.draw(st.integers(1, 200)))
    decision = on_slots_set(schedule, rule, TimingState(), now, expires_at)
    state, due, answered = decision.state, decision.next, list[datetime]()
    for _ in range(8):
        if due is None:
            break
        now = max(now, due.due + data.draw(st.integers(0, 5_000)) * SECOND)
        answer = answer_due(cadence_of(schedule, expires_at), rule, state, due, now, over=expires_at <= now)
        answered += [answer.runs.due] if answer.runs else []
        assert answer.runs is None or answer.runs.due <= now < expires_at
        state, due = answer.if_run.state, answer.if_run.next
        if data.draw(st.booleans()):
            schedule = drawn(data.draw(st.just(schedule) | schedules()), data.draw(chances))
            decision = on_slots_set(schedule, rule, state, now, expires_at)
            state, due = decision.state, decision.next
        assert due is None or now < due.due < expires_at
    assert answered == sorted(set(answered))


@given(schedules(), policies, instants, st.integers(0, 1_800))
@settings(deadline=None)
def test_between_two_thresholds_the_decision_is_the_same(
    schedule: SlotSchedule, rule: TimingPolicies, now: datetime, later: int
) -> None:
    then = now + later * SECOND
    one, other = (on_slots_set(schedule, rule, TimingState(), at, None) for at in (now, then))
    edges = {*thresholds(schedule, rule, now), *thresholds(schedule, rule, then)}

    if one.next != other.next:
        assert any(now < edge <= then for edge in {*edges, *(due.due for due in (one.next, other.next) if due)})
