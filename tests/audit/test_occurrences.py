"""A clean log is found clean; with one fact altered, taken out, doubled or made early, the audit says which and why."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from eventjobs.audit.findings import Kind
from eventjobs.audit.occurrences import Ledger, audit_facts
from eventjobs.events.recorded import Recorded
from tests.audit.life import DAILY, QUARTERLY, Act, lived
from tests.audit.spoiling import CODEC, Facts, Wanted, changed, command_of, moved, where, with_, without

QUARTER = timedelta(minutes=15)

SCHEDULES: list[dict[str, Any]] = [
    {"schedule_id": "plain", "cadence": QUARTERLY},
    {"schedule_id": "slow", "cadence": QUARTERLY, "jobs": [{"job": {"kind": "service", "id": "slow"}}]},
    {"schedule_id": "never", "cadence": QUARTERLY, "policies": {"catch_up": "never"}},
    {"schedule_id": "window", "cadence": QUARTERLY, "policies": {"timing": "grid", "catch_up_window": "PT30M"}},
    {
        "schedule_id": "queue",
        "cadence": QUARTERLY,
        "policies": {"overlap": "queue_one"},
        "jobs": [{"job": {"kind": "service", "id": "slow"}}],
    },
    {"schedule_id": "wall", "cadence": DAILY, "policies": {"timing": "wall_clock"}},
]
ACTS: list[Act] = [
    ("wait", 2_000),
    ("down", 3 * 3_600),
    ("wait", 1_000),
    ("EditCadence", {"id": "plain", "cadence": {**QUARTERLY, "every": 30}}),
    ("wait", 4_000),
    ("PauseOwner", {"owner": {"kind": "schedule", "id": "plain"}}),
    ("wait", 4_000),
    ("UnpauseOwner", {"owner": {"kind": "schedule", "id": "plain"}}),
    ("wait", 86_000),
    ("InactivateSchedule", {"id": "slow"}),
    ("ActivateSchedule", {"id": "slow"}),
    ("wait", 2_000),
]


@pytest.fixture(scope="module")
def clean() -> Facts:
    """A life with catch-up, edits, overlap, a queue, a pause, skips and misses."""
    with pytest.MonkeyPatch.context() as patch:
        return lived(SCHEDULES, ACTS, patch)


def test_a_clean_log_is_found_clean_and_every_outcome_was_looked_at(clean: Facts) -> None:
    report = audit_facts(clean)
    assert report.clean
    assert report.findings == ()
    assert report.positions == len(clean)
    assert report.owners == len(SCHEDULES) + 1
    assert report.not_checked == {}
    told = {"ran": 0, "skipped": 0, "missed": 0}
    for fact in clean:
        match fact.type:
            case "run.opened":
                told["ran"] += fact.event.due is not None
            case "schedule.occurrences_skipped" | "schedule.occurrences_missed":
                told[fact.type.removeprefix("schedule.occurrences_")] += fact.event.count
    assert report.occurrences == told
    assert all(count > 3 for count in told.values())


def test_an_audit_that_went_on_finds_what_one_in_one_go_finds(clean: Facts) -> None:
    ledger = Ledger()
    for place, fact in enumerate(clean, 1):
        ledger.take(fact)
        last = place == len(clean) or clean[place].command_id != fact.command_id
        if last and not place % 7:
            ledger.flush()
    assert ledger.close() == audit_facts(clean)


# How a log is spoilt


def of(type_: str, owner: str, **fields: Any) -> Wanted:
    """Return the test for a fact of an owner's stream with these fields."""

    def matches(fact: Recorded[Any]) -> bool:
        if fact.type != type_ or fact.stream.name != f"schedule:{owner}":
            return False
        return all(getattr(fact.event, name) == value for name, value in fields.items())

    return matches


def occurrence(type_: str, owner: str, **fields: Any) -> Wanted:
    """Return the test for the fact of an occurrence's stream."""

    def matches(fact: Recorded[Any]) -> bool:
        if fact.type != type_ or not fact.stream.name.startswith(f"run:schedule.{owner}."):
            return False
        return all(getattr(fact.event, name) == value for name, value in fields.items())

    return matches


def answered(owner: str) -> Wanted:
    """Return the test for the opening of a run that answers a moment."""
    return lambda fact: of("schedule.run_opened", owner)(fact) and fact.event.timing is not None


def later(fact: Recorded[Any], by: timedelta) -> Any:
    return replace(fact.event.next, due=fact.event.next.due + by)


# The teeth: each takes the clean log and gives it back spoilt, with the place and what the audit must call it


def next_is_a_second_late(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, answered("window"), place=1)
    return with_(facts, place, next=later(facts[place], timedelta(seconds=1))), place, Kind.NOT_THE_RULE


def next_after_an_activation_is_another(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("schedule.activated", "slow"))
    return with_(facts, place, next=later(facts[place], QUARTER)), place, Kind.NOT_THE_RULE


def next_after_an_edit_is_another(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("schedule.cadence_edited", "plain"))
    return with_(facts, place, next=later(facts[place], QUARTER)), place, Kind.NOT_THE_RULE


def the_wall_clock_shows_another_time(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, answered("wall"))
    other = replace(facts[place].event.next, local="2026-12-03T03:30:00")
    return with_(facts, place, next=other), place, Kind.NOT_THE_RULE


def the_fold_is_the_other_one(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, answered("wall"))
    return with_(facts, place, next=replace(facts[place].event.next, fold=1)), place, Kind.NOT_THE_RULE


def the_reference_is_another(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, answered("plain"), place=2)
    timing = facts[place].event.timing
    other = replace(timing, reference=timing.reference - timedelta(seconds=1))
    return with_(facts, place, timing=other), place, Kind.NOT_THE_RULE


def a_zone_that_nobody_knows(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("schedule.cadence_edited", "plain"))
    other = replace(facts[place].event.cadence, time_zone="Europe/Atlantis")
    return with_(facts, place, cadence=other), place, Kind.NOT_THE_RULE


def a_cadence_version_is_left_out(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("schedule.cadence_edited", "plain"))
    return with_(facts, place, cadence_version=3), place, Kind.NOT_THE_RULE


def a_catch_up_is_called_scheduled(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("schedule.run_opened", "plain", cause="catch_up", cause_detail="downtime"))
    return with_(facts, place, cause="scheduled", cause_detail=None), place, Kind.NOT_THE_RULE


def an_answer_is_early(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, answered("window"), place=4)
    early = facts[place].event.due - timedelta(seconds=5) - facts[place].at
    return moved(facts, command_of(facts, place), early), place, Kind.EARLY


def an_answer_is_late(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, answered("window"), place=6)
    return moved(facts, command_of(facts, place), timedelta(minutes=5)), place, Kind.LATE


def the_last_answer_is_missing(facts: Facts) -> tuple[Facts, int, Kind]:
    places = [place for place in range(len(facts)) if of_owner(facts[place], "window")]
    last = min(command_of(facts, where(facts, answered("window"), place=-3)))
    spoilt = without(facts, [place for place in places if place >= last])
    return spoilt, facts.index(spoilt[-1]), Kind.LEFT_OVER


def of_owner(fact: Recorded[Any], owner: str) -> bool:
    return fact.stream.name == f"schedule:{owner}" or fact.stream.name.startswith(f"run:schedule.{owner}.")


def one_answer_is_missing(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, answered("window"), place=4)
    following = where(facts, answered("window"), place=5)
    return without(facts, command_of(facts, place)), following, Kind.LEFT_OVER


def an_answer_is_there_twice(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, answered("window"), place=4)
    again = [facts[one] for one in sorted(command_of(facts, place))]
    end = max(command_of(facts, place)) + 1
    between = changed(facts[0], at=facts[place].at)
    spoilt = [*facts[:end], between, *again, *facts[end:]]
    return spoilt, place, Kind.DOUBLED


def a_moment_is_due_again_in_another_version(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("schedule.cadence_edited", "plain"))
    following = where(facts, lambda fact: answered("plain")(fact) and fact.position > facts[place].position)
    before = facts[place].event.timing.last_answered
    return with_(facts, following, due=before), following, Kind.DOUBLED


def the_next_moment_is_an_answered_one(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, answered("window"), place=4)
    other = replace(facts[place].event.next, due=facts[place].event.due)
    return with_(facts, place, next=other), place, Kind.DOUBLED


def an_occurrence_had_an_outcome_before(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, occurrence("run.opened", "window"), place=4)
    return with_(facts, place, version=2), place, Kind.DOUBLED


def a_run_and_a_skip(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, occurrence("run.opened", "window"), place=4)
    skip = where(facts, occurrence("run.skipped", "slow"))
    told = facts[skip].event
    fact = Recorded(
        position=facts[place].position,
        stream=facts[place].stream,
        stream_version=1,
        type=facts[skip].type,
        schema=1,
        at=facts[place].at,
        actor=facts[place].actor,
        command_id=facts[place].command_id,
        causation=None,
        correlation=None,
        data=CODEC.encode(replace(told, owner=replace(told.owner, id="window"), due=facts[place].event.due)),
        leaf=b"",
        chain=b"",
        decode=CODEC.decode,
    )
    return [*facts[:place], fact, *facts[place + 1 :]], place, Kind.CONTRADICTED


def a_run_that_its_schedule_does_not_know(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, occurrence("run.opened", "window"), place=4)
    owners = where(facts, answered("window"), place=4)
    return without(facts, [owners]), place, Kind.CONTRADICTED


def a_run_without_its_stream(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, occurrence("run.opened", "window"), place=4)
    return without(facts, [place]), where(facts, answered("window"), place=4), Kind.CONTRADICTED


def a_run_of_another_name(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, answered("window"), place=4)
    return with_(facts, place, run="schedule.window.9.20261201t120000z"), place, Kind.CONTRADICTED


def more_are_missed_than_there_were(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, lambda fact: of("schedule.occurrences_missed", "plain")(fact) and fact.event.count > 1)
    return with_(facts, place, count=facts[place].event.count + 1), place, Kind.MISCOUNTED


def the_run_counts_fewer_missed(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, lambda fact: fact.type == "run.opened" and fact.event.missed_occurrences > 1)
    return with_(facts, place, missed_occurrences=1), place, Kind.MISCOUNTED


def the_span_ends_too_soon(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, lambda fact: of("schedule.occurrences_missed", "never")(fact) and fact.event.count > 1)
    return with_(facts, place, last=facts[place].event.last - QUARTER), place, Kind.MISCOUNTED


def the_span_is_one_of_none(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, lambda fact: of("schedule.occurrences_missed", "never")(fact) and fact.event.count > 1)
    return with_(facts, place, count=1), place, Kind.MISCOUNTED


def covered_by_nobody(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, lambda fact: of("schedule.occurrences_missed", "plain")(fact) and fact.event.covered_by)
    return with_(facts, place, covered_by="schedule.plain.1.20200101t000000z"), place, Kind.UNCOVERED


def skipped_for_a_pause_that_was_not(facts: Facts) -> tuple[Facts, int, Kind]:
    paused = where(facts, of("schedule.paused", "plain"))
    return without(facts, [paused]), where(facts, of("schedule.occurrences_skipped", "plain")), Kind.UNFOUNDED


def skipped_for_a_run_that_was_over(facts: Facts) -> tuple[Facts, int, Kind]:
    skip = where(facts, of("schedule.occurrences_skipped", "slow", reason="overlap"))
    begun = max(place for place in range(skip) if answered("slow")(facts[place]))
    closed = changed(
        facts[where(facts, of("schedule.run_closed", "slow"))], at=facts[skip].at, run=facts[begun].event.run
    )
    first = min(command_of(facts, skip))
    between = Recorded(
        **{name: getattr(closed, name) for name in ("position", "stream", "stream_version", "type", "schema", "at")},
        **{name: getattr(closed, name) for name in ("actor", "causation", "correlation", "data", "leaf", "chain")},
        command_id="another",
        decode=CODEC.decode,
    )
    return [*facts[:first], between, *facts[first:]], skip, Kind.UNFOUNDED


def missed_though_it_could_run(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("schedule.created", "never"))
    policies = facts[place].event.policies
    other = replace(policies, timing=replace(policies.timing, catch_up="due"))
    first = where(facts, of("schedule.occurrences_missed", "never"))
    return with_(facts, place, policies=other), first, Kind.UNFOUNDED


def out_of_a_queue_that_it_was_not_in(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("schedule.occurrence_queued", "queue"))
    opened = where(facts, lambda fact: of("schedule.run_opened", "queue")(fact) and fact.event.timing is None)
    return without(facts, [place]), opened, Kind.DOUBLED


def an_edit_swallows_a_moment(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("schedule.cadence_edited", "plain"))
    before = [one for one in range(place) if answered("plain")(facts[one])][-1]
    spoilt = with_(facts, before, next=later(facts[before], -3 * QUARTER))
    return spoilt, place, Kind.LEFT_OVER


def what_was_decided_before_a_moment_is_written_after_it(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("schedule.inactivated", "slow"))
    moves = lambda fact: fact.stream.name == "schedule:slow" and getattr(fact.event, "next", None)  # noqa: E731
    before = [one for one in range(place) if moves(facts[one])][-1]
    just_before = replace(facts[before].event.next, due=facts[place].at - timedelta(seconds=5))
    return with_(facts, before, next=just_before), place, Kind.LEFT_OVER


def a_fact_of_the_future(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, answered("window"), place=4)
    fact = changed(facts[place])
    fact.schema = 99
    return [*facts[:place], fact, *facts[place + 1 :]], place, Kind.UNREADABLE


TEETH = [
    next_is_a_second_late,
    next_after_an_activation_is_another,
    next_after_an_edit_is_another,
    the_wall_clock_shows_another_time,
    the_fold_is_the_other_one,
    the_reference_is_another,
    a_zone_that_nobody_knows,
    a_cadence_version_is_left_out,
    a_catch_up_is_called_scheduled,
    an_answer_is_early,
    an_answer_is_late,
    the_last_answer_is_missing,
    one_answer_is_missing,
    an_answer_is_there_twice,
    a_moment_is_due_again_in_another_version,
    the_next_moment_is_an_answered_one,
    an_occurrence_had_an_outcome_before,
    a_run_and_a_skip,
    a_run_that_its_schedule_does_not_know,
    a_run_without_its_stream,
    a_run_of_another_name,
    more_are_missed_than_there_were,
    the_run_counts_fewer_missed,
    the_span_ends_too_soon,
    the_span_is_one_of_none,
    covered_by_nobody,
    skipped_for_a_pause_that_was_not,
    skipped_for_a_run_that_was_over,
    missed_though_it_could_run,
    out_of_a_queue_that_it_was_not_in,
    an_edit_swallows_a_moment,
    what_was_decided_before_a_moment_is_written_after_it,
    a_fact_of_the_future,
]


@pytest.mark.parametrize("spoil", TEETH, ids=lambda spoil: spoil.__name__)
def test_one_spoilt_fact_is_found_where_it_is_and_called_what_it_is(
    clean: Facts, spoil: Callable[[Facts], tuple[Facts, int, Kind]]
) -> None:
    spoilt, place, kind = spoil(list(clean))
    report = audit_facts(spoilt)
    beside = {clean[one].position for one in command_of(clean, place)}
    found = [finding for finding in report.findings if finding.kind is kind and finding.position in beside]
    assert found, report.findings
    assert all(finding.what for finding in report.findings)
    assert not report.clean


def test_every_kind_of_finding_was_seen(clean: Facts) -> None:
    of_groups = {Kind.OUT_OF_ORDER}  # which test_group_logs.py shows
    assert {spoil(list(clean))[2] for spoil in TEETH} | of_groups == set(Kind)


def test_a_moment_is_skipped_when_no_room_is_left_to_wait_for_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [{"job": {"kind": "service", "id": "slow"}}]
    allowed = {"schedule_id": "many", "cadence": QUARTERLY, "policies": {"overlap": "allow"}, "jobs": jobs}
    facts = lived([allowed], [("wait", 4 * 86_400)], monkeypatch, at_once=1)
    report = audit_facts(facts)
    assert report.findings == ()
    assert report.occurrences["skipped"] > 10
    first = where(facts, of("schedule.occurrence_queued", "many", reason="limit"))
    assert audit_facts([*facts[:first], changed(facts[first], reason="overlap"), *facts[first + 1 :]]).found


def step_observed(fact: Recorded[Any]) -> bool:
    return fact.type == "log.clock_step_observed"


def decided_before_the_clock_was_set_forward(step_s: float, monkeypatch: pytest.MonkeyPatch) -> tuple[Facts, int]:
    """Return a life with an answer that was decided just before the step and written just after it, and its place."""
    facts = lived([SCHEDULES[0]], [("wait", 1_810), ("step", step_s), ("wait", 4_000)], monkeypatch)
    seen = where(facts, step_observed)
    first = max(place for place in range(seen) if facts[place].type == "schedule.run_opened")
    begun = min(command_of(facts, first))
    between = [changed(fact, at=facts[seen].at) for fact in facts[begun:seen]]
    return [*facts[:begun], *between, *facts[seen:]], first


def test_what_was_decided_before_the_clock_was_set_forward_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    facts, first = decided_before_the_clock_was_set_forward(900.0, monkeypatch)
    seen = where(facts, step_observed)

    assert audit_facts(facts).findings == ()
    begun = min(command_of(facts, first))
    earlier = [*facts[:begun], facts[seen], *facts[begun:seen], *facts[seen + 1 :]]
    assert audit_facts(earlier).findings == ()


def test_a_clock_that_was_set_forward_explains_no_more_than_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    facts, first = decided_before_the_clock_was_set_forward(900.0, monkeypatch)
    seen = where(facts, step_observed)

    smaller = [*facts[:seen], changed(facts[seen], step_s=600.0), *facts[seen + 1 :]]
    assert facts[first].position in [finding.position for finding in audit_facts(smaller).findings]
    unseen = [*facts[:seen], *facts[seen + 1 :]]
    assert facts[first].position in [finding.position for finding in audit_facts(unseen).findings]


def test_a_wait_for_an_owners_place_is_explained_and_held_against_its_open_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = [{"job": {"kind": "service", "id": "slow"}}]
    allowed = {"schedule_id": "many", "cadence": QUARTERLY, "policies": {"overlap": "allow"}, "jobs": jobs}
    facts = lived([allowed], [("wait", 4 * 86_400)], monkeypatch, of_an_owner=2)
    report = audit_facts(facts)
    assert report.findings == ()
    assert report.occurrences["skipped"] > 10
    first = where(facts, of("schedule.occurrence_queued", "many", reason="owner_limit", limit=2))
    for told in ({"limit": 3}, {"limit": None}, {"reason": "overlap"}):  # fewer were open than it says, or no reason is
        spoilt = audit_facts([*facts[:first], changed(facts[first], **told), *facts[first + 1 :]])
        assert [one.kind for one in spoilt.findings if one.position == facts[first].position] == [Kind.UNFOUNDED]


def test_a_late_start_out_of_a_limits_queue_excuses_no_late_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [{"job": {"kind": "service", "id": "slow"}}]
    allowed = {"schedule_id": "many", "cadence": QUARTERLY, "policies": {"overlap": "allow"}, "jobs": jobs}
    facts = lived([allowed], [("wait", 86_400)], monkeypatch, of_an_owner=1)
    assert audit_facts(facts).clean
    first = where(facts, of("schedule.occurrence_queued", "many", reason="owner_limit"))
    late = [*facts[:first], *(changed(fact, at=fact.at + timedelta(minutes=2)) for fact in facts[first:])]
    assert Kind.LATE in {finding.kind for finding in audit_facts(late).findings}


def test_a_backfill_and_a_resumed_run_answer_no_moment_and_the_log_stays_clean() -> None:
    acts: list[Act] = [
        ("wait", 8 * 3_600),
        (
            "Backfill",
            {
                "owner": {"kind": "schedule", "id": "plain"},
                "id": "b1",
                "since": "2026-12-01T14:00:00Z",
                "until": "2026-12-01T16:00:00Z",
            },
        ),
        ("wait", 3_600),
        ("RunNow", {"owner": {"kind": "service", "id": "slow"}, "id": "by-hand"}),
        ("wait", 60),
        ("StopRun", {"run": "by-hand", "mode": "now"}),
        ("wait", 60),
        ("ResumeRun", {"run": "by-hand", "id": "again"}),
        ("wait", 4 * 3_600),
    ]
    with pytest.MonkeyPatch.context() as patch:
        facts = lived(SCHEDULES[:1], acts, patch)
    filled = [fact.event.stands_for for fact in facts if fact.type == "run.opened" and fact.event.stands_for]
    assert len(filled) == 8
    assert any(fact.type == "run.resumed" for fact in facts)
    assert audit_facts(facts).findings == ()
