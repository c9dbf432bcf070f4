"""The audit proves that blackouts, and nothing but them, kept starts back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from eventjobs.audit.findings import Kind
from eventjobs.audit.keeping import common_of, ledger_from, owners_of, put_owners
from eventjobs.audit.occurrences import Ledger, audit_facts
from eventjobs.events.calendar import BlackoutRange
from tests.audit.life import QUARTERLY, Act, lived
from tests.audit.spoiling import Facts, changed, command_of, moved, where, without
from tests.audit.test_occurrences import of

NIGHT = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "14:00", "end": "15:20", "note": "backup"}
FREEZE = {"start": "2026-12-02T03:00", "end": "2026-12-02T06:05", "note": "freeze"}
SCHEDULES: list[dict[str, Any]] = [
    {"schedule_id": "plain", "cadence": QUARTERLY},
    {"schedule_id": "named", "cadence": QUARTERLY},
    {"schedule_id": "queue", "cadence": QUARTERLY, "policies": {"overlap": "queue_one"}},
]


def calendar(**entries: Any) -> dict[str, Any]:
    return {"id": "nights", "name": "Nights", "time_zone": "Europe/Berlin", **entries}


ACTS: list[Act] = [
    ("SaveCalendar", calendar(weekly=[NIGHT])),
    ("EditSchedulePolicies", {"id": "named", "policies": {"calendars": ["nights"]}}),
    ("EditSchedulePolicies", {"id": "queue", "policies": {"calendars": ["nights"], "overlap": "queue_one"}}),
    ("wait", 5_100),
    ("run", "named"),
    ("down", 5_400),  # up again outside of a blackout
    ("wait", 11 * 3_600),
    ("SaveCalendar", calendar(weekly=[NIGHT], ranges=[FREEZE])),
    ("wait", 3 * 3_600),
    ("SaveCalendar", calendar(weekly=[NIGHT])),  # ends the freeze
    ("wait", 27_900),
    ("down", 2_400),  # up again in a blackout
    ("wait", 3 * 3_600),
    ("EditSchedulePolicies", {"id": "named", "policies": {}}),
    ("wait", 3_600),
]


@pytest.fixture(scope="module")
def clean() -> Facts:
    with pytest.MonkeyPatch.context() as patch:
        return lived(SCHEDULES, ACTS, patch)


def test_a_life_with_blackouts_is_found_clean(clean: Facts) -> None:
    assert audit_facts(clean).findings == ()
    for owner in ("named", "queue"):
        skips = [fact.event for fact in clean if of("schedule.occurrences_skipped", owner, reason="blackout")(fact)]
        assert sum(event.count for event in skips) > 10
        assert max(event.count for event in skips) > 1, "some of them while nobody was up"
    assert not any(of("schedule.occurrences_skipped", "plain")(fact) for fact in clean)


def test_a_schedule_made_just_after_the_calendar_that_it_names_is_found_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it decided hangs on when the calendar was saved, within the second before its commit."""
    whole_day = {"days": [*NIGHT["days"]], "start": "00:00", "end": "00:00"}
    rows = [{"job": {"kind": "service", "id": "quick"}, "seq": 1}]
    past = {**QUARTERLY, "start_date": "2026-11-01"}
    acts: list[Act] = [
        ("wait", 600.7),
        ("SaveCalendar", calendar(weekly=[whole_day])),
        ("wait", 0.2),
        ("CreateSchedule", {"id": "new", "cadence": past, "jobs": rows, "policies": {"calendars": ["nights"]}}),
        ("wait", 60),
    ]
    facts = lived([], acts, monkeypatch)
    made = where(facts, of("schedule.created", "new"))
    skipped = where(facts, of("schedule.occurrences_skipped", "new", reason="blackout"))

    late = moved(facts, command_of(facts, made), timedelta(seconds=0.2))

    assert skipped in command_of(facts, made), "its first activation was behind, and blacked out"
    assert late[made].at.second != late[made].event.next.due.second, "written in the second after it was decided"
    assert audit_facts(late).findings == ()


def a_blackout_that_was_never_saved(facts: Facts) -> tuple[Facts, int]:
    saved = where(facts, lambda fact: fact.type == "calendar.saved", place=1)
    skipped = where(facts[saved:], of("schedule.occurrences_skipped", "named", reason="blackout"))
    return without(facts, {saved}), saved + skipped


def a_run_inside_of_a_blackout(facts: Facts) -> tuple[Facts, int]:
    ran = where(facts, of("schedule.run_opened", "named", cause="scheduled"), place=2)
    instant = facts[ran].event.due
    inside = BlackoutRange(start=f"{instant:%Y-%m-%dT00:00}", end=f"{instant:%Y-%m-%dT23:59}")
    saved = where(facts, lambda fact: fact.type == "calendar.saved")
    return [*facts[:saved], changed(facts[saved], ranges=(inside,)), *facts[saved + 1 :]], ran


def a_schedule_that_names_no_calendar(facts: Facts) -> tuple[Facts, int]:
    named = where(facts, of("schedule.policies_edited", "named"))
    skipped = where(facts, of("schedule.occurrences_skipped", "named", reason="blackout"))
    other = changed(facts[named], policies=replace(facts[named].event.policies, calendars=()))
    return [*facts[:named], other, *facts[named + 1 :]], skipped


@pytest.mark.parametrize(
    "spoil",
    [a_blackout_that_was_never_saved, a_run_inside_of_a_blackout, a_schedule_that_names_no_calendar],
    ids=lambda spoil: spoil.__name__,
)
def test_a_start_or_skip_that_the_calendars_do_not_explain_is_found(
    clean: Facts, spoil: Callable[[Facts], tuple[Facts, int]]
) -> None:
    spoilt, place = spoil(list(clean))
    beside = {clean[one].position for one in command_of(clean, place)}
    found = [finding for finding in audit_facts(spoilt).findings if finding.position in beside]
    assert {finding.kind for finding in found} & {Kind.UNFOUNDED, Kind.MISCOUNTED}, audit_facts(spoilt).findings


def test_a_ledger_keeps_the_calendars(clean: Facts) -> None:
    ledger, half = Ledger(), max(place for place, fact in enumerate(clean) if fact.type == "calendar.saved") + 1
    for fact in clean[:half]:
        ledger.take(fact)
    ledger.flush()
    again = ledger_from(common_of(ledger))
    put_owners(again, owners_of(ledger, ledger.owners.known).items())
    for fact in clean[half:]:
        again.take(fact)
    assert again.close() == audit_facts(clean)
