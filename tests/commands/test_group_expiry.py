"""The end of groups and jobs: last days, warnings, deferral, and what is allowed afterwards (G54 to G63)."""

from dataclasses import replace
from typing import Any

import pytest

from eventjobs.commands.context import Limits
from eventjobs.domain.run import State
from eventjobs.events.group import (
    GroupDeleted,
    GroupExpirationSet,
    GroupExpired,
    GroupExpiryDeferred,
    GroupExpiryWarned,
    GroupOccurrencesMissed,
    GroupSaved,
)
from eventjobs.events.job import JobExpirationSet, JobExpired, JobExpiryDeferred, JobSaved
from tests.support.connect import DAILY, GROUP, activate, active, advance, answer, end, job, run, saved, story
from tests.support.story import Fact, Story, at, command

OVER = "2027-01-01 00:00"
LAST = {"type": "once", "date": "2026-12-31", "at": "14:00", "time_zone": "UTC"}
DUE = "group.lists.1.20261231t140000z"


def expire(on: str | None = None, **fields: Any) -> Any:
    given = {"owner": GROUP} if on is None else {"owner": GROUP, "expires_on": on}
    return command("SetExpiration", **{**given, **fields})


def facts_of(it: Story) -> list[Any]:
    """The facts of the group."""
    return it.streams[next(stream for stream in it.streams if stream.name == "group:lists")]


def switched_off() -> Story:
    """A group that its expiry only deactivated."""
    return active(schedule=DAILY, on_expiry="deactivate").given(answer(OVER))


def test_G55_G59_a_group_expires_thirty_days_after_its_creation_at_the_end_of_the_day() -> None:
    it = active(schedule=DAILY)
    assert it.group().expires_on == "2026-12-31"
    it.at("2026-12-31 23:59").given(run())
    it = active(schedule=DAILY).at(OVER)
    it.when(run()).then_refused("group_expired")
    it.given(answer(OVER))
    assert it.group().deleted
    it.given(command("CreateGroup", id="others", name="Lists", jobs=["contacts", "extension"]))


def test_G55_a_draft_ages_too() -> None:
    it = story().given(answer(OVER))
    assert (it.group().deleted, it.job("contacts").group) == (True, None)


def test_G56_the_jobs_of_an_expired_group_stay() -> None:
    it = active().given(answer(OVER))
    assert (it.job("contacts").own.active, it.job("contacts").group) == (True, None)


def test_G57_a_monthly_group_that_never_runs_is_warned_of() -> None:
    monthly = {"type": "monthly", "day": 1, "at": "10:00", "time_zone": "UTC"}
    assert "no_run_before_expiry" in story(schedule=monthly).when(activate()).warnings
    assert story(schedule=monthly, expires_on="2027-01-01").when(activate()).warnings == ["few_runs_before_expiry"]
    later = saved(schedule=monthly, expires_on="2027-12-31")
    assert active().when(later).warnings == []


@pytest.mark.parametrize(
    ("on", "code"),
    [("2026-12-01", "expiration_not_in_future"), ("soon", "date_invalid"), ("2201-01-01", "date_out_of_range")],
)
def test_G58_the_last_day_is_later_than_today(on: str, code: str) -> None:
    story().when(expire(on)).then_refused(code, "expires_on")


def test_G58_a_later_day_brings_the_next_moment_back() -> None:
    it = active(schedule=DAILY).given(answer("2026-12-31 14:00"))
    assert it.group().next is None
    it.when(expire("2027-01-31")).then(Fact(GroupExpirationSet, expires_at=at("2027-02-01 00:00")))
    assert it.group().next.due == at("2027-01-01 14:00")
    it.when(expire("2027-01-31")).then_nothing()
    it.given(expire("never"))
    assert (it.group().expires_at, it.group().next.due) == (None, at("2027-01-01 14:00"))


def test_G58_an_earlier_day_takes_it_away() -> None:
    weekly = {"type": "weekly", "days": ["mon"], "at": "10:00", "time_zone": "UTC"}
    it = active(schedule=weekly).given(expire("2026-12-06"))
    assert it.group().next is None


def test_G58_it_is_extended_by_days_from_the_present_last_day() -> None:
    it = active()
    it.when(expire(extend_by_days=31)).then(Fact(GroupExpirationSet, expires_on="2027-01-31"))
    it.when(expire("never", extend_by_days=1)).then_refused("missing")
    it.when(expire()).then_refused("missing", "expires_on")
    it.given(expire("never")).when(expire(extend_by_days=1)).then_refused("never_expires", "extend_by_days")


def test_G58_an_installation_may_have_a_latest_day() -> None:
    week = Limits(expiry_days=7)
    it = Story(limits=week).given(
        command("CreateWorkspace", id="acme", time_zone="UTC", kind="automation"),
        command("CreateGroup", id="lists", name="Lists"),
    )
    assert it.group().expires_on == "2026-12-08"
    for later in (expire("2026-12-09"), expire("never"), expire(extend_by_days=1)):
        it.when(later).then_refused("expiration_over_cap", "expires_on")
    it.when(job("a")).then_refused("expiration_over_cap")


def test_G58_members_that_expire_earlier_may_be_extended_with_their_group() -> None:
    it = story().given(job("contacts", expires_on="2026-12-20"), activate())
    it.when(expire("2027-01-31", members=True)).then(
        Fact(GroupExpirationSet), Fact(JobExpirationSet, expires_on="2027-01-31")
    )
    wrong = {"owner": {"kind": "import", "id": "contacts"}, "members": True}
    it.when(expire("2027-02-01", **wrong)).then_refused("not_with_kind", "members")


def test_G58_members_that_expire_later_or_are_over_stay_as_they_are() -> None:
    it = story(jobs=["contacts", "extension"]).given(job("contacts", expires_on="2027-06-01"))
    it.when(expire("2027-01-31", members=True)).then(Fact(GroupExpirationSet))
    it.given(job("contacts", expires_on="2026-12-02")).at("2026-12-03 00:00")
    it.when(expire("2027-02-28", members=True)).then(Fact(GroupExpirationSet))


def test_G58_a_member_that_may_not_last_so_long_is_named() -> None:
    it = Story(limits=Limits(expiry_days=10)).given(
        command("CreateWorkspace", id="acme", time_zone="UTC", kind="automation"),
        *(job(name, expires_on="2026-12-10") for name in ("contacts", "extension")),
        *(command("ActivateJob", id=name) for name in ("contacts", "extension")),
    )
    it.at("2026-12-05 12:00").given(saved("CreateGroup"))
    it.when(expire("2026-12-12", members=True)).then_refused("expiration_over_cap", "members")
    assert it.group().expires_on == "2026-12-15"


def test_G58_what_keeps_its_last_day_is_saved_on_it() -> None:
    it = active(expires_on="2026-12-31").given(job("alone", expires_on="2026-12-31"))
    it.given(answer("2026-12-31 12:00"), answer("2026-12-31 12:00", "job", "alone"))
    it.when(saved(expires_on="2026-12-31")).then_nothing()
    it.when(saved(expires_on="2026-12-31", description="kept")).then(Fact(GroupSaved))
    it.when(job("alone", expires_on="2026-12-31", description="kept")).then(Fact(JobSaved))
    it.when(saved(expires_on="2026-12-30")).then_refused("expiration_not_in_future")


def test_G58_a_later_day_counts_for_the_schedule_that_is_saved_with_it() -> None:
    it = story().given(job("alone", expires_on="2026-12-20"), command("ActivateJob", id="alone"))
    monthly = {"type": "monthly", "day": 1, "at": "10:00", "time_zone": "UTC"}
    assert it.when(job("alone", expires_on="2027-12-31", schedule=monthly)).warnings == []
    assert it.job("alone").own.next.due == at("2027-01-01 10:00")


def test_G60_a_running_group_expires_when_its_run_has_ended() -> None:
    it = active().at("2026-12-31 23:59").given(run())
    advance(it, "r")
    it.at("2027-01-01 00:01").when(command("AnswerDue", kind="group", id="lists")).then(
        Fact(GroupExpiryDeferred, run="r")
    )
    it.when(command("AnswerDue", kind="group", id="lists")).then_nothing()
    it.when(expire("2027-02-01")).then_refused("group_expired")
    advance(it, "r", end(1))
    assert not it.group().deleted
    assert Fact(GroupExpired) in advance(it, "r", end(2)).facts
    assert (it.group().deleted, it.run("r").state) == (True, State.SUCCEEDED)


@pytest.mark.parametrize(("delivery", "ends"), [("at_least_once", "succeeded"), ("at_most_once", "failed")])
def test_G60_an_end_that_was_put_off_comes_although_the_instance_of_the_run_is_gone(delivery: str, ends: str) -> None:
    it = story().given(*(job(name, delivery=delivery) for name in ("contacts", "extension")), activate())
    it.at("2026-12-31 23:59").given(run())
    advance(it, "r")
    it.given(answer("2027-01-01 00:01"))
    over = command("TakeOverRun", run="r", seen_term=1, cause="its instance is gone")
    assert it.when(over, instance="two").refusal is None
    assert (it.group().deferred, it.group().deleted) == (True, False)
    for row in (0, 1, 2):
        told = [end(row, attempt=2 - (row == 2))] if row else []
        it.when(command("AdvanceRun", run="r", term=2, ended=told), instance="two")
    assert (str(it.run("r").state), it.group().deleted, it.job("contacts").group) == (ends, True, None)


def test_G60_an_end_that_was_put_off_comes_although_the_clock_was_set_back() -> None:
    """Found by a simulated year of groups, seed 2."""
    it = active().at("2026-12-31 23:59").given(run())
    advance(it, "r")
    it.given(answer("2027-01-01 00:00")).at("2026-12-31 23:59")
    advance(it, "r", end(1))
    assert Fact(GroupExpired) in advance(it, "r", end(2)).facts
    it.when(run("s")).then_refused("group_expired")


def test_G60_what_waits_for_the_run_does_not_start_any_more() -> None:
    it = active(schedule=LAST, policies={"overlap": "queue_one", "catch_up_window": "P9D"})
    it.at("2026-12-31 13:00").given(run())
    advance(it, "r")
    it.given(answer("2026-12-31 14:00")).at(OVER)
    advance(it, "r", end(1))
    advance(it, "r", end(2))
    assert (it.run(DUE).state, it.run(DUE).reason, it.group().deleted) == (State.SKIPPED, "expired", True)


def test_G60_a_moment_that_waits_for_room_does_not_start_after_the_expiry() -> None:
    it = story(schedule={"type": "daily", "at": "23:45", "time_zone": "UTC"}, expires_on="2026-12-02")
    it.given(command("ActivateGroup", id="lists"), job("other"), command("ActivateJob", id="other"))
    it.context = replace(it.context, limits=Limits(runs_per_workspace=1))
    it.at("2026-12-02 23:40").given(command("AnswerDue", kind="group", id="lists"))
    it.given(command("RunNow", owner={"kind": "import", "id": "other"}, id="r"))
    advance(it, "r")
    it.at("2026-12-02 23:45").given(command("AnswerDue", kind="group", id="lists"))
    assert [waiting.due for waiting in it.group().waiting] == [at("2026-12-02 23:45")]
    it.at("2026-12-03 00:01")
    advance(it, "r", end(1))
    assert (it.group().waiting, it.group().open_runs) == ((), ())
    occurrence = it.run("group.lists.1.20261202t234500z")
    assert (occurrence.state, occurrence.reason) == (State.SKIPPED, "expired")


def test_G60_a_moment_that_is_late_when_it_has_expired_is_missed() -> None:
    late = {"type": "daily", "at": "23:45", "time_zone": "UTC"}
    it = active(schedule=late)
    for day in range(1, 31):
        it.given(answer(f"2026-12-{day:02} 23:45"))
        run_id = f"group.lists.1.202612{day:02}t234500z"
        advance(it, run_id)
        advance(it, run_id, end(1))
        advance(it, run_id, end(2))
    it.given(answer("2027-01-01 00:10"))
    assert it.run("group.lists.1.20261231t234500z").state is State.MISSED


def test_G60_a_job_that_has_its_turn_in_a_group_expires_after_it() -> None:
    it = story(expires_on="never").given(job("contacts", expires_on="2026-12-02"), activate())
    it.at("2026-12-02 23:59").given(run())
    advance(it, "r")
    it.at("2026-12-03 00:00").when(command("AnswerDue", kind="job", id="contacts")).then(
        Fact(JobExpiryDeferred, run="r")
    )
    advance(it, "r", end(1))
    assert Fact(JobExpired) in advance(it, "r", end(2)).facts
    assert it.run("r").state is State.SUCCEEDED


def test_G61_people_are_warned_seven_days_and_one_day_before() -> None:
    it = active()
    tick = command("AnswerDue", kind="group", id="lists")
    it.at("2026-12-23 23:59").when(tick).then_nothing()
    it.at("2026-12-24 00:00").when(tick).then(Fact(GroupExpiryWarned, days_left=7))
    it.when(tick).then_nothing()
    it.at("2026-12-30 08:00").when(tick).then(Fact(GroupExpiryWarned, days_left=1))


def test_G62_after_its_last_day_every_command_says_that_it_expired() -> None:
    for it in (active().at(OVER), active().given(answer(OVER))):
        for refused in _commands():
            it.when(refused).then_refused("group_expired")


def _commands() -> list[Any]:
    named = ("ActivateGroup", "DeactivateGroup", "DeleteGroup")
    return [
        *(command(name, id="lists") for name in named),
        *(command(name, owner=GROUP) for name in ("PauseOwner", "UnpauseOwner", "RunNow")),
        command("ReorderGroup", id="lists", jobs=["extension", "contacts"]),
        saved(),
        expire("2027-02-01"),
    ]


def test_G62_one_that_was_deleted_before_does_not_expire() -> None:
    it = active().given(command("DeleteGroup", id="lists")).at(OVER)
    it.when(saved()).then_refused("not_found")
    it.when(command("AnswerDue", kind="group", id="lists")).then_nothing()


def test_G62_on_expiry_deactivate_keeps_it_with_its_jobs_until_it_is_set_again() -> None:
    it = switched_off()
    assert (it.group().activity, it.job("contacts").group) == ("inactive", "lists")
    it.when(activate()).then_refused("group_expired")
    it.when(saved()).then_refused("group_expired")
    it.given(expire("2027-01-31"), activate())
    assert it.group().next.due == at("2027-01-01 14:00")


def test_G62_on_expiry_deactivate_it_expires_once() -> None:
    switched_off().when(command("AnswerDue", kind="group", id="lists")).then_nothing()


def test_G62_on_expiry_deactivate_it_can_still_be_deleted() -> None:
    it = switched_off().given(command("DeleteGroup", id="lists"))
    it.when(command("DeleteGroup", id="lists")).then_nothing()
    it.when(expire("2027-01-31")).then_refused("not_found")
    assert it.job("contacts").group is None
    assert facts_of(it)[-1] == GroupDeleted()


def test_G62_on_expiry_deactivate_its_end_is_written_by_who_sets_it_again() -> None:
    it = active(schedule=DAILY, on_expiry="deactivate").at(OVER)
    assert it.when(expire("2027-01-31")).refusal is None
    assert [type(one) for one in facts_of(it)[-2:]] == [GroupExpired, GroupExpirationSet]
    assert (it.group().activity, it.group().expires_on, it.group().expired) == ("inactive", "2027-01-31", False)


def test_G62_on_expiry_deactivate_its_end_is_written_by_who_deletes_it() -> None:
    it = active(schedule=DAILY, on_expiry="deactivate").at(OVER).given(command("DeleteGroup", id="lists"))
    assert [type(one) for one in facts_of(it)[-2:]] == [GroupExpired, GroupDeleted]
    assert it.job("contacts").group is None


def test_G60_G62_on_expiry_deactivate_an_open_run_stands_in_the_way() -> None:
    it = active(on_expiry="deactivate").given(run())
    advance(it, "r")
    it.at(OVER)
    it.when(expire("2027-01-31")).then_refused("group_running", open_run="r")
    it.when(command("DeleteGroup", id="lists")).then_refused("group_running", open_run="r")
    advance(it, "r", end(1))
    advance(it, "r", end(2))
    it.given(command("DeleteGroup", id="lists"))
    assert it.group().deleted


def test_G62_a_job_is_kept_too_when_its_expiry_only_deactivates_it() -> None:
    it = story().given(job("lone", expires_on="2026-12-02", on_expiry="deactivate")).at("2026-12-03 00:00")
    again = command("SetExpiration", owner={"kind": "import", "id": "lone"}, expires_on="2027-01-31")
    assert it.when(again).refusal is None
    assert (it.job("lone").own.expires_on, it.job("lone").own.expired) == ("2027-01-31", False)
    it.at("2027-02-01 00:00").given(command("DeleteJob", id="lone"))
    assert it.job("lone").deleted


def test_G63_a_member_that_expires_first_is_warned_of_and_fails_the_runs_after_it() -> None:
    it = story(schedule=DAILY).given(job("contacts", expires_on="2026-12-02"))
    assert it.when(activate()).warnings == ["member_expires_first"]
    it.given(answer("2026-12-03 00:00", "job", "contacts"), run())
    assert (it.job("contacts").deleted, it.run("r").reason) == (True, "not_qualified")


def test_an_expired_job_says_so() -> None:
    it = story().given(job("contacts", expires_on="2026-12-02")).at("2026-12-03 00:00")
    for name in ("ActivateJob", "DeactivateJob", "DeleteJob"):
        it.when(command(name, id="contacts", **({"force": True} if name == "DeleteJob" else {}))).then_refused(
            "job_expired"
        )
    it.when(job("contacts", expires_on="2027-01-01")).then_refused("job_expired")


def test_G60_what_fell_due_before_the_end_is_answered_by_whoever_writes_the_end() -> None:
    """A run closes before anybody answered what fell due while it was open, as after an outage at midnight."""
    late = {"type": "daily", "at": "23:50", "time_zone": "UTC"}
    it = active(schedule=late).at("2026-12-31 23:30").given(run(), command("AdvanceRun", run="r", term=1))
    it.at("2027-01-01 00:01")
    advance(it, "r", end(1, state="failed", reason="stop_step", retryable=False))
    answered, ended = facts_of(it)[-2:]
    assert (type(answered), answered.reason, answered.next) == (GroupOccurrencesMissed, "expired", None)
    assert type(ended) is GroupExpired


def test_G6_what_fell_due_of_a_group_that_ended_is_answered_by_who_takes_its_jobs() -> None:
    late = {"type": "daily", "at": "23:50", "time_zone": "UTC"}
    it = story(schedule=late).at("2026-12-31 12:00").given(activate()).at("2027-01-01 00:00:30")
    it.given(command("CreateGroup", id="others", name="Lists", jobs=["contacts", "extension"]))
    answered, ended = facts_of(it)[-2:]
    assert (type(answered), answered.reason, type(ended)) == (GroupOccurrencesMissed, "expired", GroupExpired)
    assert it.job("contacts").group == "others"
