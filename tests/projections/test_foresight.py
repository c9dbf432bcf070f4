"""What comes, slot by slot, is what its rule says moment by moment."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from eventjobs.domain.reference import following
from eventjobs.domain.zones import shown_in, wall_text
from eventjobs.projections import foresight
from eventjobs.projections.documents import next_of, policies_of, timing_of
from eventjobs.projections.foresight import Ahead, foreseen
from eventjobs.projections.slot_rows import rule_of

DUE = datetime(2026, 3, 27, 1, 30, tzinfo=UTC)
BEGIN = datetime(2026, 3, 26, 23, tzinfo=UTC)
DAYS = [BEGIN + timedelta(days=day) for day in range(6)]
LATER = [BEGIN + timedelta(days=2, hours=hour) for hour in range(49)]
"""Slots that begin after the first moment, and in which there is none, one or many."""


def row(number: int, timing: str, unit: str, **cadence: Any) -> dict[str, Any]:
    due = DUE + timedelta(minutes=number)
    local = shown_in("Europe/Berlin", due).local
    given = {
        "start_date": f"{local:%Y-%m-%d}",
        "start_time": f"{local:%H:%M}",
        "time_zone": "Europe/Berlin",
        "unit": unit,
        **cadence,
    }
    return {
        "owner_kind": "schedule",
        "id": f"s{number}",
        "cadence": orjson.dumps(given).decode(),
        "schedule": None,
        "expires_at": None,
        "policies": orjson.dumps({"timing": {"timing": timing}}).decode(),
        "cadence_version": 1,
        "due": due,
        "local": wall_text(local),
        "fold": 0,
        "asked": None,
        "zone_data": "2026a",
        "timing": None,
    }


ROWS = (
    row(0, "wall_clock", "day", interval=1),
    row(1, "wall_clock", "day", interval=2),
    row(2, "elapsed", "minute", interval=7),
    row(3, "grid", "hour", interval=5),
    row(4, "wall_clock", "cron", cron="*/10 1-3 * * *", interval=1),
    row(5, "wall_clock", "month", interval=1),
    row(6, "elapsed", "once", interval=1),
)


def one_by_one(one: dict[str, Any], bounds: Sequence[datetime]) -> dict[int, list[datetime]]:
    due = next_of(one)
    assert due is not None
    moments, slots = following(rule_of(one), policies_of(one).timing, timing_of(one), due), dict[int, list[datetime]]()
    while due is not None and due.due < bounds[-1]:
        if due.due >= bounds[0]:
            slot = sum(begin <= due.due for begin in bounds)
            slots.setdefault(slot, []).append(due.due)
        due = moments.after(due.due)
    return slots


@pytest.mark.parametrize("bounds", [DAYS, LATER], ids=["days", "hours, later"])
@pytest.mark.parametrize("one", ROWS, ids=lambda one: f"{orjson.loads(one['policies'])} {one['cadence'][-60:]}")
def test_slots_have_the_moments_of_the_rule_through_a_change_of_the_clock(
    one: dict[str, Any], bounds: Sequence[datetime]
) -> None:
    found = foreseen(Ahead(rows=[one], calendars={}), bounds)
    assert found.until is None
    told = {tally.slot: (tally.count, tally.first, tally.last) for tally in found.tallies}
    assert told == {slot: (len(dues), dues[0], dues[-1]) for slot, dues in one_by_one(one, bounds).items()}


def test_moments_that_are_reckoned_are_not_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "MOMENTS_MAX", 60)
    pulse, cron = row(0, "elapsed", "minute", interval=1), row(1, "wall_clock", "cron", cron="* * * * *", interval=1)
    assert foreseen(Ahead(rows=[pulse], calendars={}), DAYS).until is None
    assert foreseen(Ahead(rows=[cron], calendars={}), DAYS).until == DAYS[1]


def test_of_many_owners_no_more_is_gone_through_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "MOMENTS_MAX", 3_000)
    crons = [row(number, "wall_clock", "cron", cron="* * * * *", interval=1) for number in range(50)]
    found = foreseen(Ahead(rows=crons, calendars={}), DAYS)
    # Of the first a day and, while there is room, its next one; of the second a day.
    assert [(tally.owner[1], tally.first) for tally in found.tallies] == [
        ("s0", DUE),
        ("s1", DUE + timedelta(minutes=1)),
    ]
    assert found.until == DUE + timedelta(minutes=2)


def test_the_first_of_all_are_told_in_their_order() -> None:
    tallies = foreseen(Ahead(rows=ROWS, calendars={}), LATER).tallies
    assert [tally.first for tally in tallies] == sorted(tally.first for tally in tallies)
    assert {tally.owner[1] for tally in tallies} == {"s0", "s1", "s2", "s3", "s4"}
