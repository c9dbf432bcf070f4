"""Slots, the minute drawn in them, and the text of a schedule."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from eventjobs.commands.slot_fields import SlotFields, slots_of
from eventjobs.domain.slots import (
    LABELS,
    SLOTS,
    cadence_of,
    describe,
    drawn,
    is_ready,
    missing,
    undrawn,
    window,
)
from eventjobs.errors import Invalid
from eventjobs.events.slots import SlotSchedule
from eventjobs.log.codec import Codec
from tests.support.slots import slots


def refused(**fields: object) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as raised:
        slots(**fields)
    return [(error.path, error.code) for error in raised.value.errors]


@pytest.mark.parametrize("minute", range(60))
def test_G27_G28_a_minute_lies_in_the_slot_of_its_quarter(minute: int) -> None:
    schedule = slots(type="daily", at=f"10:{minute:02}")

    assert (schedule.hour, schedule.slot) == (10, minute // 15)
    assert window(datetime(2026, 1, 1, 10, minute)) == f"10:{SLOTS[minute // 15].replace('-', '-10:')}"  # noqa: DTZ001


def test_G28_only_three_minutes_lie_elsewhere_by_the_other_labels() -> None:
    others = [[*range(16)], [*range(16, 31)], [*range(31, 46)], [*range(46, 60)]]
    ours = [slots(type="daily", at=f"10:{minute:02}").slot for minute in range(60)]

    assert [minute for minute in range(60) if minute not in others[ours[minute] or 0]] == [15, 30, 45]


@pytest.mark.parametrize(("alias", "canonical"), [*zip(["0-15", "16-30", "31-45", "46-60"], SLOTS, strict=True)])
def test_G28_the_other_labels_name_the_canonical_slots(alias: str, canonical: str) -> None:
    assert slots(type="daily", hour=3, slot=alias) == slots(type="daily", hour=3, slot=canonical)


@pytest.mark.parametrize("fields", [{"slot": ["00-14", "30-44"]}, {"hour": [3, 15]}, {"at": ["03:05", "15:05"]}])
def test_G40_a_schedule_has_one_slot(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SlotFields.model_validate({"type": "daily", "hour": 3, "slot": "00-14", **fields})


@pytest.mark.parametrize("label", ["0-14", "00-15", "15-30", "60-74", "", "1"])
def test_G28_any_other_label_is_refused(label: str) -> None:
    assert refused(type="daily", hour=3, slot=label) == [("schedule.slot", "slot_unknown")]


def test_G28_the_last_slot_ends_with_the_hour() -> None:
    schedule = slots_of(SlotFields(type="daily", hour=23, slot="46-60"), "UTC")

    assert {drawn(schedule, chance / 1_000).minute for chance in range(1_000)} == set(range(45, 60))


@pytest.mark.parametrize("slot", SLOTS)
def test_G29_each_minute_of_the_slot_is_as_likely(slot: str) -> None:
    schedule = slots(type="weekly", days=["mon"], hour=3, slot=slot)
    counts = Counter(drawn(schedule, chance / 1_500).minute for chance in range(1_500))

    begin = LABELS[slot] * 15
    assert counts == dict.fromkeys(range(begin, begin + 15), 100)
    assert drawn(schedule, 0.9999999999999999).minute == begin + 14


def test_G30_another_draw_is_the_same_schedule() -> None:
    asked = slots_of(SlotFields(type="daily", hour=3, slot="15-29"), "UTC")

    assert drawn(asked, 0.1) != drawn(asked, 0.9)
    assert undrawn(drawn(asked, 0.1)) == undrawn(drawn(asked, 0.9)) == asked


def test_on_demand_there_is_nothing_to_draw() -> None:
    assert drawn(slots(), 0.5).minute is None


@pytest.mark.parametrize(
    ("fields", "lacks"),
    [
        ({"type": "on_demand"}, ()),
        ({"type": "once"}, ("date", "hour", "slot")),
        ({"type": "once", "date": "2026-03-31", "at": "03:20"}, ()),
        ({"type": "daily", "slot": "00-14"}, ("hour",)),
        ({"type": "weekly", "at": "03:20"}, ("days",)),
        ({"type": "monthly", "at": "03:20"}, ("day",)),
        ({"type": "monthly", "at": "03:20", "day": "last"}, ()),
        ({"type": "hourly", "slot": "00-14"}, ("every",)),
        ({"type": "hourly", "every": 3, "slot": "00-14"}, ()),
    ],
)
def test_G12_a_draft_may_lack_anything(fields: dict[str, object], lacks: tuple[str, ...]) -> None:
    schedule = slots(**fields)

    assert missing(schedule) == lacks
    assert is_ready(schedule) is not bool(lacks)


def test_G36_a_draft_may_keep_a_day_that_not_every_month_has_and_is_not_ready() -> None:
    schedule = slots(type="monthly", day=31, hour=3, slot="00-14")

    assert not is_ready(schedule)
    with pytest.raises(ValueError, match="not complete"):
        cadence_of(schedule, None)


def test_a_schedule_without_a_minute_makes_nothing_due() -> None:
    with pytest.raises(ValueError, match="not complete"):
        cadence_of(undrawn(slots(type="daily", at="03:20")), None)


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"type": "on_demand", "hour": 3}, [("schedule.hour", "not_with_type")]),
        ({"type": "daily", "date": "2026-01-01"}, [("schedule.date", "not_with_type")]),
        ({"type": "once", "since": "2026-01-01"}, [("schedule.from", "not_with_type")]),
        ({"type": "monthly", "days": ["mon"]}, [("schedule.days", "not_with_type")]),
        ({"type": "weekly", "day": 3}, [("schedule.day", "not_with_type")]),
        ({"type": "daily", "every": 3}, [("schedule.every", "not_with_type")]),
        ({"type": "hourly", "hour": 3}, [("schedule.hour", "not_with_type")]),
        ({"type": "hourly", "at": "03:20"}, [("schedule.at", "not_with_type")]),
        ({"type": "daily", "at": "3:20"}, [("schedule.at", "time_invalid")]),
        ({"type": "daily", "at": "24:00"}, [("schedule.at", "time_invalid")]),
        ({"type": "daily", "at": "03:20", "slot": "15-29"}, [("schedule.slot", "not_with_at")]),
        ({"type": "once", "date": "2026-02-30"}, [("schedule.date", "date_invalid")]),
        ({"type": "once", "date": "2201-01-01"}, [("schedule.date", "date_out_of_range")]),
        ({"type": "daily", "since": "yesterday"}, [("schedule.from", "date_invalid")]),
        ({"type": "daily", "since": "2026-02-02", "until": "2026-02-01"}, [("schedule.until", "until_before_from")]),
        ({"type": "daily", "time_zone": "Mars/Base"}, [("schedule.time_zone", "time_zone_unknown")]),
    ],
)
def test_what_means_nothing_is_refused_in_a_draft_too(fields: dict[str, object], errors: list[tuple[str, str]]) -> None:
    assert refused(**fields) == errors


def test_G41_the_zone_is_the_workspaces_unless_it_names_one() -> None:
    assert slots("Europe/Berlin", type="daily").time_zone == "Europe/Berlin"
    assert slots("Europe/Berlin", type="daily", time_zone="Asia/Tokyo").time_zone == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (slots(), "on demand"),
        (slots(type="once", date="2026-03-31", at="10:22"), "once 2026-03-31 at 10:15-29"),
        (slots(type="daily", hour=0, slot="0-15"), "daily at 00:00-14"),
        (slots(type="weekly", days=["thu", "mon"], hour=3, slot="31-45"), "weekly mon,thu at 03:30-44"),
        (slots(type="monthly", day=28, hour=3, slot="45-59"), "monthly 28 at 03:45-59"),
        (slots(type="monthly", day="last", at="23:59", since="2026-12-01"), "monthly last at 23:45-59 from 2026-12-01"),
        (slots(type="hourly", every=3, slot="15-29"), "hourly every 3 in 15-29"),
        (
            slots(type="daily", at="03:00", since="2026-12-01", until="2026-12-31"),
            "daily at 03:00-14 from 2026-12-01 until 2026-12-31",
        ),
        (slots(type="once"), "once ? at ?:?"),
        (slots(type="monthly", hour=3), "monthly ? at 03:?"),
    ],
)
def test_a_schedule_is_told_in_one_line(schedule: SlotSchedule, text: str) -> None:
    assert describe(schedule) == text


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A fact with a schedule in it."""

    TYPE: ClassVar[str] = "kept.kept"
    SCHEMA: ClassVar[int] = 1

    schedule: SlotSchedule


@pytest.mark.parametrize(
    "schedule",
    [
        slots(),
        slots(type="weekly", days=["thu", "mon"], at="03:20"),
        slots(type="monthly", day="last", at="03:20", since="2026-12-01"),
        slots(type="monthly", day=31),
    ],
)
def test_a_schedule_is_stored_as_it_is(schedule: SlotSchedule) -> None:
    codec = Codec((Kept,))

    assert codec.decode("kept.kept", 1, codec.encode(Kept(schedule=schedule))).schedule == schedule
