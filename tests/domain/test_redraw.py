"""A minute that is drawn anew for each occurrence, through changes of the clock (G30, G42)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from eventjobs.commands.slot_fields import SlotFields, slots_of
from eventjobs.domain.due import answer_due
from eventjobs.domain.slot_activation import on_minute_drawn, on_slots_set
from eventjobs.domain.slots import SLOT, TIMING, cadence_of, drawn
from eventjobs.domain.timing import aligned
from eventjobs.events.cadence import Gap, Repeat, TimingPolicies, TimingState
from eventjobs.events.slots import SlotSchedule

SPAN = timedelta(days=1)


def runs(schedule: SlotSchedule, policies: TimingPolicies, begin: datetime, chance: Random) -> Iterator[datetime]:
    """Yield when it is due, each moment answered on time and the next one drawn anew."""
    schedule = drawn(schedule, chance.random())
    decision = on_slots_set(schedule, policies, TimingState(), begin, None)
    while decision.next is not None and decision.next.due < begin + SPAN:
        due = decision.next
        yield due.due
        answer = answer_due(cadence_of(schedule, None), policies, decision.state, due, due.due)
        schedule = drawn(schedule, chance.random())
        decision = on_minute_drawn(schedule, policies, answer.if_run.state, None)


def slots(schedule: SlotSchedule, policies: TimingPolicies, begin: datetime) -> Iterator[datetime]:
    """Yield when its slots begin."""
    starts = aligned(cadence_of(drawn(schedule, 0), None), policies, None)
    start = starts.after(begin)
    while start is not None and start.due < begin + SPAN:
        yield start.due
        start = starts.after(start.due)


@pytest.mark.parametrize("slot", ["00-14", "30-44"])
@pytest.mark.parametrize("fields", [{"type": "hourly", "every": 1}, {"type": "daily", "hour": 1}])
@pytest.mark.parametrize(
    ("zone", "begin"),
    [
        ("America/New_York", datetime(2026, 3, 7, 12, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 10, 31, 12, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 3, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 3, tzinfo=UTC)),
    ],
)
def test_G30_G42_each_slot_has_one_run_whatever_the_clock_does(
    zone: str, begin: datetime, fields: dict[str, object], slot: str
) -> None:
    schedule = slots_of(SlotFields(**fields, slot=slot, time_zone=zone, redraw="per_occurrence"), "UTC")  # type: ignore[arg-type]
    for gap in Gap:
        for repeat in Repeat:
            policies = replace(TIMING, gap=gap, repeat=repeat)
            due = list(runs(schedule, policies, begin, Random(3)))
            begins = list(slots(schedule, policies, begin))
            assert [sum(start <= one < start + SLOT for one in due) for start in begins] == [1] * len(begins)
            assert len(due) == len(begins)
