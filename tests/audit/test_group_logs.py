"""The audit of a log with groups: clean as it was written, and with one fact spoilt it says which and why."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from eventjobs.audit.findings import Kind
from eventjobs.audit.keeping import common_of, ledger_from, owners_of, put_owners
from eventjobs.audit.members import belong
from eventjobs.audit.occurrences import Ledger, audit_facts
from eventjobs.audit.owners import Kept
from eventjobs.audit.versions import UNKNOWN
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.zones import zone_data
from eventjobs.events.job import JobExpiryDeferred
from eventjobs.events.log import ZoneDataAdopted
from eventjobs.events.recorded import Recorded
from eventjobs.events.service import Turn
from tests.audit.life import Act, import_job, lived
from tests.audit.spoiling import Facts, Wanted, command_of, moved, where, with_, without
from tests.support.story import at
from tests.support.zone_data import OLD, use_old_zone_data

HOUR = timedelta(hours=1)
LISTS = {
    "id": "lists",
    "name": "Lists",
    "jobs": ["contacts", "slow-extension"],
    "schedule": {"type": "hourly", "every": 6, "slot": "15-29"},
    "expires_on": "2026-12-20",
    "policies": {"overlap": "queue_one"},
}
GROUPS: list[dict[str, Any]] = [
    LISTS,
    {
        "id": "fails",
        "name": "Fails",
        "jobs": ["bad", "last"],
        "schedule": {"type": "daily", "at": "14:05", "redraw": "per_occurrence"},
    },
    {
        "id": "ends",
        "name": "Ends",
        "jobs": ["one", "slow-two"],
        "schedule": {"type": "weekly", "days": ["wed", "thu"], "at": "03:20"},
        "expires_on": "2026-12-03",
    },
]
ACTS: list[Act] = [
    ("wait", 3 * 3_600),
    ("run_group", "ends"),
    ("wait", 1_000),
    ("ReorderGroup", {"id": "ends", "jobs": ["slow-two", "one"]}),
    ("down", 5 * 3_600),
    ("SaveGroup", {**LISTS, "schedule": {"type": "hourly", "every": 2, "slot": "30-44"}}),
    ("wait", 3 * 3_600),
    ("SetExpiration", {"owner": {"kind": "group", "id": "lists"}, "expires_on": "2026-12-24"}),
    ("DeactivateGroup", {"id": "fails"}),
    ("wait", 60),
    ("ActivateGroup", {"id": "fails"}),
    ("PauseOwner", {"owner": {"kind": "group", "id": "fails"}}),
    ("wait", 47.4 * 3_600),
    ("run_group", "ends"),
    ("wait", 6 * 3_600),
    ("DeactivateJob", {"id": "contacts", "force": True}),
    ("wait", 3 * 3_600),
    ("DeleteGroup", {"id": "lists"}),
]


@pytest.fixture(scope="module")
def clean() -> Facts:
    """A life of groups with runs, a failure, edits, an outage, a pause, a preflight that fails, an end put off."""
    with pytest.MonkeyPatch.context() as patch:
        return lived([], ACTS, patch, groups=GROUPS)


def test_a_clean_log_of_groups_is_found_clean(clean: Facts) -> None:
    told = {fact.type for fact in clean if fact.stream.kind == "group"}
    assert told >= {
        "group.expiry_warned",
        "group.expiry_deferred",
        "group.expired",
        "group.scheduled",
        "group.minute_drawn",
        "group.occurrences_missed",
        "group.occurrences_skipped",
        "group.deleted",
    }
    assert any(fact.type == "run.ended" and fact.event.reason == "not_qualified" for fact in clean)
    report = audit_facts(clean)
    assert report.findings == ()
    assert report.owners == len(GROUPS) + len({job for group in GROUPS for job in group["jobs"]}) + 1


def test_an_audit_of_groups_that_was_written_and_read_goes_on(clean: Facts) -> None:
    spoilt = [fact for fact in clean if fact.type != "job.released" or fact.position % 3]
    ledger = Ledger()
    for place, fact in enumerate(spoilt, 1):
        ledger.take(fact)
        if not place % 25 and (place == len(spoilt) or spoilt[place].command_id != fact.command_id):
            ledger.flush()
            again = ledger_from(common_of(ledger))
            put_owners(again, owners_of(ledger, ledger.owners.known).items())
            ledger = again
    report = ledger.close()
    assert not report.clean
    assert report == audit_facts(spoilt)


def of(type_: str, **fields: Any) -> Wanted:
    """Return the test for a fact with these fields, in whatever stream."""
    return lambda fact: fact.type == type_ and all(getattr(fact.event, name) == value for name, value in fields.items())


def in_group(type_: str, group: str) -> Wanted:
    """Return the test for a fact of a group's stream, or of a run of it that answers a moment."""
    begins = (f"group:{group}", f"run:group.{group}.")
    return lambda fact: fact.type == type_ and fact.stream.name.startswith(begins)


def sooner(fact: Recorded[Any]) -> Any:
    return replace(fact.event.next, due=fact.event.next.due - HOUR)


# The teeth: each takes the clean log and gives it back spoilt, with the place and what the audit must call it


def G30_the_minute_is_not_in_its_slot(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, in_group("group.activated", "lists"))
    return with_(facts, place, schedule=replace(facts[place].event.schedule, minute=31)), place, Kind.NOT_THE_RULE


def G30_the_minute_of_the_next_moment_is_not_drawn_anew(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.minute_drawn"))
    return without(facts, [place]), place - 1, Kind.NOT_THE_RULE


def G30_the_minute_that_is_drawn_anew_is_not_in_its_slot(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.minute_drawn"))
    return with_(facts, place, schedule=replace(facts[place].event.schedule, minute=31)), place, Kind.NOT_THE_RULE


def G30_the_next_moment_is_not_at_the_minute_that_was_drawn(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.minute_drawn"))
    return with_(facts, place, next=sooner(facts[place])), place, Kind.NOT_THE_RULE


def G30_the_minute_is_drawn_anew_by_another_schedule(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.minute_drawn"))
    return with_(facts, place, schedule=replace(facts[place].event.schedule, hour=15)), place, Kind.NOT_THE_RULE


def G35_next_after_the_activation_is_another(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, in_group("group.activated", "ends"))
    return with_(facts, place, next=sooner(facts[place])), place, Kind.NOT_THE_RULE


def next_after_another_schedule_is_another(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.scheduled"))
    return with_(facts, place, next=sooner(facts[place])), place, Kind.NOT_THE_RULE


def it_is_saved_and_not_due_otherwise(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.scheduled"))
    return without(facts, [place]), where(facts, of("group.saved")), Kind.NOT_THE_RULE


def it_is_saved_while_a_moment_is_due(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.saved"))
    before = [one for one in range(place) if answered(facts[one], "lists")][-1]
    early = replace(facts[before].event.next, due=facts[place].at - HOUR)
    return with_(facts, before, next=early), place, Kind.LEFT_OVER


def answered(fact: Recorded[Any], group: str) -> bool:
    moves = ("group.run_opened", "group.occurrences_missed")
    return fact.stream.name == f"group:{group}" and fact.type in moves and fact.event.timing is not None


def G59_it_expires_at_another_instant(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.expiration_set"))
    return with_(facts, place, expires_at=facts[place].event.expires_at - HOUR), place, Kind.NOT_THE_RULE


def another_last_day_makes_another_moment_due(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.expiration_set"))
    return with_(facts, place, next=None), place, Kind.NOT_THE_RULE


def G61_it_is_warned_of_more_days(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.expiry_warned"))
    return with_(facts, place, days_left=facts[place].event.days_left + 1), place, Kind.NOT_THE_RULE


def G61_it_is_warned_again(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, in_group("group.created", "ends"))
    return with_(facts, place, warn_at=()), place, Kind.NOT_THE_RULE


def G60_it_expires_beside_its_run(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.expired"))
    closed = [one for one in command_of(facts, place) if facts[one].type == "group.run_closed"]
    return without(facts, closed), place, Kind.NOT_THE_RULE


def G60_its_end_is_put_off_and_no_run_is_open(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.expiry_deferred"))
    opened = max(one for one in range(place) if in_group("group.run_opened", "ends")(facts[one]))
    return without(facts, [opened]), place, Kind.UNFOUNDED


def G56_it_expires_too_early(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.expiry_deferred"))
    earlier = at("2026-12-03 22:30") - facts[place].at
    return moved(facts, command_of(facts, place), earlier), place, Kind.NOT_THE_RULE


def G62_it_becomes_inactive_and_should_be_deleted(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.expired"))
    return with_(facts, place, on_expiry="deactivate"), place, Kind.NOT_THE_RULE


def it_runs_by_hand_after_its_end(facts: Facts) -> tuple[Facts, int, Kind]:
    deferred = where(facts, of("group.expiry_deferred"))
    place = max(one for one in range(deferred) if in_group("group.run_opened", "ends")(facts[one]))
    late = at("2026-12-03 23:02") - facts[place].at
    return moved(facts, command_of(facts, place), late), place, Kind.NOT_THE_RULE


def G6_a_job_comes_into_a_group_that_does_not_have_it(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("job.grouped"))
    return with_(facts, place, group="fails"), place, Kind.OUT_OF_ORDER


def G6_a_group_takes_a_job_of_another_one(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, in_group("group.created", "fails"))
    others = facts[where(facts, in_group("group.created", "lists"))].event.members
    return with_(facts, place, members=others), place, Kind.OUT_OF_ORDER


def G56_a_group_that_is_gone_keeps_a_job(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("group.expired"))
    freed = [one for one in command_of(facts, place) if facts[one].type == "job.ungrouped"]
    return without(facts, freed[:1]), place, Kind.OUT_OF_ORDER


def G3_the_second_job_begins_beside_the_first(facts: Facts) -> tuple[Facts, int, Kind]:
    begun = where(facts, of("attempt.started", row=2))
    first = [one for one in range(begun) if of("job_run.ended", row=1)(facts[one])][-1]
    return without(facts, [first]), begun, Kind.OUT_OF_ORDER


def G4_the_second_job_begins_after_a_failure(facts: Facts) -> tuple[Facts, int, Kind]:
    begun = where(facts, of("attempt.started", row=2))
    first = [one for one in range(begun) if of("job_run.ended", row=1)(facts[one])][-1]
    return with_(facts, first, state="failed", reason="error"), begun, Kind.OUT_OF_ORDER


def G7_the_jobs_run_in_another_order(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("run.opened", cause="manual"), place=1)
    jobs = tuple(reversed(facts[place].event.jobs))
    return with_(facts, place, jobs=jobs), place, Kind.OUT_OF_ORDER


def a_run_succeeds_whose_job_failed(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, of("run.ended", state="failed", reason="error"))
    return with_(facts, place, state="succeeded", reason=None), place, Kind.OUT_OF_ORDER


def two_runs_have_a_job_at_once(facts: Facts) -> tuple[Facts, int, Kind]:
    place = where(facts, lambda fact: fact.type == "job.claimed" and fact.stream.id == "contacts")
    return with_(facts, place, turn=Turn(run="another", row=1)), claimed_again(facts, place), Kind.OUT_OF_ORDER


def claimed_again(facts: Facts, place: int) -> int:
    stream = facts[place].stream
    return next(n for n in range(place + 1, len(facts)) if facts[n].type == "job.claimed" and facts[n].stream == stream)


TEETH = [
    G30_the_minute_is_not_in_its_slot,
    G30_the_minute_of_the_next_moment_is_not_drawn_anew,
    G30_the_minute_that_is_drawn_anew_is_not_in_its_slot,
    G30_the_next_moment_is_not_at_the_minute_that_was_drawn,
    G30_the_minute_is_drawn_anew_by_another_schedule,
    G35_next_after_the_activation_is_another,
    next_after_another_schedule_is_another,
    it_is_saved_and_not_due_otherwise,
    it_is_saved_while_a_moment_is_due,
    G59_it_expires_at_another_instant,
    another_last_day_makes_another_moment_due,
    G61_it_is_warned_of_more_days,
    G61_it_is_warned_again,
    G60_it_expires_beside_its_run,
    G60_its_end_is_put_off_and_no_run_is_open,
    G56_it_expires_too_early,
    G62_it_becomes_inactive_and_should_be_deleted,
    it_runs_by_hand_after_its_end,
    G6_a_job_comes_into_a_group_that_does_not_have_it,
    G6_a_group_takes_a_job_of_another_one,
    G56_a_group_that_is_gone_keeps_a_job,
    G3_the_second_job_begins_beside_the_first,
    G4_the_second_job_begins_after_a_failure,
    G7_the_jobs_run_in_another_order,
    a_run_succeeds_whose_job_failed,
    two_runs_have_a_job_at_once,
]


@pytest.mark.parametrize("spoil", TEETH, ids=lambda spoil: spoil.__name__)
def test_one_spoilt_fact_of_a_group_is_found_where_it_is(
    clean: Facts, spoil: Callable[[Facts], tuple[Facts, int, Kind]]
) -> None:
    spoilt, place, kind = spoil(list(clean))
    report = audit_facts(spoilt)
    beside = {clean[one].position for one in command_of(clean, place)}
    found = [finding for finding in report.findings if finding.kind is kind and finding.position in beside]
    assert found, report.findings


def test_G60_the_end_of_a_job_is_put_off_for_the_run_that_has_it() -> None:
    put_off = JobExpiryDeferred(run="r")
    assert not list(belong(Kept(SlotOwner(), holder=Turn(run="r", row=1)), put_off))
    for other in (None, Turn(run="another", row=1)):
        assert [wrong.kind for wrong in belong(Kept(SlotOwner(), holder=other), put_off)] == [Kind.UNFOUNDED]


def test_a_last_day_is_judged_by_the_zone_data_that_it_was_reckoned_with_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the older version Berlin keeps winter time: a midnight in summer is an hour off, and no fact says by which."""
    announced = iter((OLD, zone_data()))
    monkeypatch.setattr("tests.audit.life.zone_data", lambda: next(announced))
    saved = [("SaveJob", import_job(name, expires_on="2027-07-01")) for name in ("one", "two", "three")]
    with pytest.MonkeyPatch.context() as patch:
        use_old_zone_data(patch)
        facts = lived([], [saved[0], ("down", 1), saved[1], ("wait", 50 * 3_600), saved[2]], monkeypatch)
    # While the newer version comes, instances with the older one still take commands; after a day none is left.
    report = audit_facts(facts)
    assert [finding.owner.name for finding in report.findings] == ["job:three"]
    assert report.not_checked == {OLD: 2}
    unsaid = audit_facts([fact for fact in facts if fact.type != ZoneDataAdopted.TYPE])
    assert (unsaid.findings, unsaid.not_checked) == ((), {UNKNOWN: 3})
