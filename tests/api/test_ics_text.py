"""What the events of .ics files become, and which cannot be said."""

from typing import Any

import pytest

from eventjobs.api.ics_text import Found, NoCalendar, ZoneUnknown, read_ics


def found(*lines: str, zone: str | None = "Europe/Berlin") -> Found:
    """Read a file with one event of these lines."""
    return read_ics(file("BEGIN:VEVENT", "UID:1@example.com", "SUMMARY:Freeze", *lines, "END:VEVENT"), time_zone=zone)


def file(*lines: str) -> str:
    frame = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN", *lines, "END:VCALENDAR", "")
    return "\r\n".join(frame)


def only(*lines: str) -> tuple[str, dict[str, Any]]:
    entries = found(*lines).entries
    ((kind, entry),) = [(kind, entry) for kind, some in entries.items() for entry in some]
    assert entry.pop("note") == "Freeze"
    return kind, entry


@pytest.mark.parametrize(
    ("lines", "kind", "entry"),
    [
        (["DTSTART;VALUE=DATE:20261224"], "dates", {"date": "2026-12-24"}),
        (["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261225"], "dates", {"date": "2026-12-24"}),
        (
            ["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227"],
            "ranges",
            {"start": "2026-12-24T00:00", "end": "2026-12-27T00:00"},
        ),
        (
            ["DTSTART:20261224T170000Z", "DTEND:20261225T050030Z"],
            "ranges",
            {"start": "2026-12-24T18:00", "end": "2026-12-25T06:01"},
        ),
        (
            ["DTSTART;TZID=America/New_York:20261224T180000", "DURATION:PT90M"],
            "ranges",
            {"start": "2026-12-25T00:00", "end": "2026-12-25T01:30"},
        ),
        (
            ["DTSTART:20261224T180000", "DTEND:20261224T200000"],
            "ranges",
            {"start": "2026-12-24T18:00", "end": "2026-12-24T20:00"},
        ),
        (
            ["DTSTART;TZID=Europe/Berlin:20261204T220000", "DURATION:PT8H", "RRULE:FREQ=WEEKLY;BYDAY=SA,FR"],
            "weekly",
            {"days": ["fri", "sat"], "start": "22:00", "end": "06:00", "first": "2026-12-04"},
        ),
        (
            ["DTSTART;TZID=Europe/Berlin:20261204T220000", "DURATION:PT8H", "RRULE:FREQ=WEEKLY;COUNT=3"],
            "weekly",
            {"days": ["fri"], "start": "22:00", "end": "06:00", "first": "2026-12-04", "last": "2026-12-18"},
        ),
        (
            [
                "DTSTART;TZID=Europe/Berlin:20261204T220000",
                "DURATION:PT1H",
                "RRULE:FREQ=WEEKLY;UNTIL=20261218T200000Z",  # 21:00 in Berlin, before that Friday's beginning
            ],
            "weekly",
            {"days": ["fri"], "start": "22:00", "end": "23:00", "first": "2026-12-04", "last": "2026-12-17"},
        ),
        (
            ["DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261227", "RRULE:FREQ=YEARLY"],
            "yearly",
            {"start": "12-25", "end": "12-26"},
        ),
        (
            ["DTSTART;VALUE=DATE:20261231", "DTEND;VALUE=DATE:20270102", "RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31"],
            "yearly",
            {"start": "12-31", "end": "01-01"},
        ),
    ],
)
def test_an_event_is_one_entry(lines: list[str], kind: str, entry: dict[str, Any]) -> None:
    assert only(*lines) == (kind, entry)


def test_a_weekend_is_an_entry_for_each_of_its_days() -> None:
    entries = found("DTSTART;VALUE=DATE:20261205", "DTEND;VALUE=DATE:20261207", "RRULE:FREQ=WEEKLY;COUNT=2").entries
    whole = {"start": "00:00", "end": "00:00", "note": "Freeze"}
    assert entries["weekly"] == [
        {"days": ["sat"], "first": "2026-12-05", "last": "2026-12-12", **whole},
        {"days": ["sun"], "first": "2026-12-06", "last": "2026-12-13", **whole},
    ]


def test_every_day_is_every_day_of_the_week() -> None:
    kind, entry = only("DTSTART;TZID=Europe/Berlin:20261201T230000", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    assert (kind, len(entry["days"]), entry["end"]) == ("weekly", 7, "00:00")


def test_a_year_that_ends_is_its_days_one_by_one() -> None:
    entries = found("DTSTART;VALUE=DATE:20261225", "RRULE:FREQ=YEARLY;UNTIL=20281225").entries
    assert [entry["date"] for entry in entries["dates"]] == ["2026-12-25", "2027-12-25", "2028-12-25"]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["DTSTART:20261224T180000Z"], "it takes no time"),
        (["SUMMARY:nothing"], "it has no DTSTART"),
        (["DTSTART;VALUE=DATE:20261225", "RRULE:FREQ=MONTHLY"], "it recurs MONTHLY"),
        (["DTSTART;VALUE=DATE:20261204", "RRULE:FREQ=WEEKLY;INTERVAL=2"], "it recurs every 2 times"),
        (["DTSTART;VALUE=DATE:20261204", "RRULE:FREQ=YEARLY;BYDAY=1FR"], "its rule has BYDAY"),
        (["DTSTART;VALUE=DATE:20261204", "RRULE:FREQ=WEEKLY;BYDAY=MO"], "none of its rule's"),
        (["DTSTART;VALUE=DATE:20261204", "RRULE:FREQ=WEEKLY", "EXDATE;VALUE=DATE:20261211"], "EXDATE"),
        (["DTSTART:20261204T100000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY"], "it recurs in UTC"),
        (["DTSTART:20261204T100000", "DURATION:P2D", "RRULE:FREQ=WEEKLY"], "too long"),
        (["DTSTART:20261204T100000", "DURATION:PT1H", "RRULE:FREQ=YEARLY"], "at a time of day"),
        (["DTSTART;VALUE=DATE:20280229", "RRULE:FREQ=YEARLY"], "leap years"),
        (["DTSTART;VALUE=DATE:20270227", "DTEND;VALUE=DATE:20270303", "RRULE:FREQ=YEARLY"], "leap years"),
        (["DTSTART:20261204T100000Z", "DTEND;VALUE=DATE:20261205"], "the other way round"),
    ],
)
def test_what_no_entry_can_say_is_refused_by_name_with_its_reason(lines: list[str], reason: str) -> None:
    told = found(*lines)
    assert not any(told.entries.values())
    ((what, why),) = told.refused
    assert what.startswith(("Freeze", "nothing", "[")), what
    assert reason in why


def test_a_cancelled_event_is_left_out_with_a_word() -> None:
    told = found("DTSTART;VALUE=DATE:20261224", "STATUS:CANCELLED")
    assert (told.notes, told.refused) == (["Freeze is cancelled and left out"], [])


def test_the_zone_is_the_files_if_it_names_one() -> None:
    named = file("X-WR-TIMEZONE:Asia/Tokyo", "X-WR-CALNAME:Holidays")
    assert (read_ics(named).time_zone, read_ics(named).name) == ("Asia/Tokyo", "Holidays")
    assert found("DTSTART;TZID=America/New_York:20261224T180000", "DURATION:PT1H", zone=None).time_zone == (
        "America/New_York"
    )
    with pytest.raises(ZoneUnknown, match="none or several"):
        found("DTSTART;VALUE=DATE:20261224", zone=None)


def test_what_is_no_calendar_is_refused() -> None:
    with pytest.raises(NoCalendar, match="no iCalendar file"):
        read_ics("dear diary", time_zone="UTC")
