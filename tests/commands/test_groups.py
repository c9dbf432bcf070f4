"""Groups of imports as they are defined: names, members, saving and activating, their schedule (G1 to G42)."""

from collections.abc import Mapping
from typing import Any

import pytest

from eventjobs.commands.context import Limits
from eventjobs.domain.group import Group
from eventjobs.domain.groups import Groups
from eventjobs.domain.streams import groups_stream
from eventjobs.events.group import (
    GroupActivated,
    GroupDeactivated,
    GroupOccurrencesMissed,
    GroupOccurrencesSkipped,
    GroupReordered,
    GroupRunOpened,
    GroupSaved,
    GroupScheduled,
)
from eventjobs.events.groups import GroupNamed
from eventjobs.events.job import JobGrouped, JobUngrouped
from tests.support.connect import DAILY, GROUP, activate, active, answer, job, run, saved, story
from tests.support.story import Fact, Story, at, command
from tests.support.zone_data import use_old_zone_data

RECIPIENT = {"mode": "failure", "recipients": ["ops@example.org"]}


def members(group: Group) -> list[str]:
    return [member.job.id for member in group.members]


def test_G1_G9_a_group_refers_to_its_jobs_in_order() -> None:
    it = story()
    assert members(it.group()) == ["contacts", "extension"]
    assert it.job("contacts").group == "lists"


def test_G2_on_demand_is_a_type_of_schedule() -> None:
    assert active().group().schedule.type == "on_demand"


def test_G5_a_group_of_one_is_saved_with_a_warning_and_not_activated() -> None:
    it = story(jobs=["contacts"])
    assert "group_too_small" in it.when(saved(jobs=["extension"])).warnings
    it.when(activate()).then_refused("group_too_small", "jobs")


def test_G6_a_job_is_in_one_group() -> None:
    it = story()
    again = command("CreateGroup", id="others", name="Others", jobs=["contacts"])
    it.when(again).then_refused("job_in_other_group", group="lists", job="contacts")
    it.given(command("DeleteGroup", id="lists")).when(again).then(Fact(object), Fact(object), Fact(object))


def test_G6_a_job_is_reserved_by_a_draft_and_free_when_it_leaves() -> None:
    it = story()
    it.when(saved(jobs=["contacts"])).then(Fact(JobUngrouped, group="lists"), Fact(GroupSaved))
    it.given(command("CreateGroup", id="others", name="Others", jobs=["extension"]))
    assert it.job("extension").group == "others"


def test_G6_a_job_is_in_a_group_once() -> None:
    story().when(saved(jobs=["contacts", "contacts"])).then_refused("duplicate_job", "jobs.1")


def test_G6_members_of_a_group_that_expired_are_free_before_it_is_written() -> None:
    it = active().at("2027-01-01 00:00")
    it.given(command("CreateGroup", id="others", name="Lists", jobs=["contacts", "extension"]))
    assert it.group().deleted
    assert it.job("contacts").group == "others"


def test_G7_the_new_order_holds_all_jobs() -> None:
    it = active()
    for jobs in (["contacts"], ["contacts", "extension", "extension"], ["contacts", "other"]):
        it.when(command("ReorderGroup", id="lists", jobs=jobs)).then_refused("not_a_permutation", "jobs")
    swapped = command("ReorderGroup", id="lists", jobs=["extension", "contacts"])
    it.when(swapped).then(Fact(GroupReordered))
    it.when(swapped).then_nothing()
    assert members(it.group()) == ["extension", "contacts"]


@pytest.mark.parametrize("name", ["", "a" * 101, "Liste ä", "a/b", " Lists", "Lists ", " "])
def test_G8_names_have_few_characters(name: str) -> None:
    story().when(saved(name=name)).then_refused("name_invalid", "name")


def test_G8_names_are_unique_however_they_are_written() -> None:
    it = story()
    it.when(command("CreateGroup", id="g", name="LISTS")).then_refused("name_taken", group="lists")
    it.when(saved(name="lists")).then(Fact(GroupNamed, name="lists"), Fact(GroupSaved))
    it.given(command("DeleteGroup", id="lists"), command("CreateGroup", id="g", name="LISTS"))


def test_G8_a_renamed_group_frees_its_name() -> None:
    it = story().given(saved(name="Other"), command("CreateGroup", id="g", name="Lists"))
    assert dict(_groups(it).names) == {"other": "lists", "lists": "g"}


def _groups(it: Story) -> Groups:
    return it.load(groups_stream("acme")).state  # type: ignore[no-any-return]


def test_the_same_group_again_is_nothing_and_another_one_is_taken() -> None:
    it = story()
    it.when(saved("CreateGroup")).then_nothing()
    it.when(saved("CreateGroup", description="another")).then_refused("id_taken")
    it.when(saved("CreateGroup", expires_on="never")).then_refused("id_taken")
    it.given(command("DeleteGroup", id="lists")).when(saved("CreateGroup")).then_refused("id_taken")


def test_G10_G12_a_draft_is_saved_with_its_errors_and_not_activated() -> None:
    it = story(schedule={"type": "weekly"}, notification={"mode": "always"})
    told = it.when(saved(schedule={"type": "monthly", "day": 31}, notification={"mode": "always"})).warnings
    assert {"schedule_incomplete", "month_day_not_allowed", "recipients_required"} <= set(told)
    it.when(activate()).then_refused("recipients_required", "notification.recipients")
    it.when(activate()).then_refused("recipients_required", "schedule")
    it.given(saved(schedule={"type": "monthly", "day": 31, "at": "10:00"}))
    it.when(activate()).then_refused("month_day_not_allowed", "schedule.day")


def test_G10_it_is_saved_and_activated_or_neither() -> None:
    it = story()
    wrong = activate(name="Lists", jobs=["contacts"], schedule=DAILY)
    it.when(wrong).then_refused("group_too_small")
    assert members(it.group()) == ["contacts", "extension"]
    both = activate(name="Lists", jobs=["extension", "contacts"], schedule=DAILY)
    it.when(both).then(Fact(GroupSaved), Fact(GroupActivated))
    assert (it.group().active, members(it.group())) == (True, ["extension", "contacts"])


def test_G10_an_active_group_is_not_saved_with_errors() -> None:
    it = active()
    it.when(saved(jobs=["contacts"])).then_refused("group_too_small", "jobs")
    it.when(saved(notification={"mode": "always"})).then_refused("recipients_required")
    it.when(saved(schedule={"type": "monthly", "day": 30, "at": "10:00"})).then_refused("month_day_not_allowed")


def test_G13_switching_on_and_off() -> None:
    it = active(schedule=DAILY)
    it.when(activate()).then_nothing()
    it.given(command("DeactivateGroup", id="lists"))
    it.when(command("DeactivateGroup", id="lists")).then_refused("not_active")
    assert (it.group().active, it.group().next, it.job("contacts").group) == (False, None, "lists")
    it.when(activate()).then(Fact(GroupActivated, cadence_version=2))


def test_activating_an_active_group_that_became_invalid_changes_nothing() -> None:
    it = active().given(command("DeactivateJob", id="contacts", force=True))
    it.when(activate()).then_nothing()
    it.when(saved()).then_nothing()
    it.when(saved(description="other")).then_refused("job_not_qualified", "jobs.0")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "draft"),
        ({"kind": "export"}, "not_import"),
        ({"kind": "feed"}, "not_import"),
        ({"kind": "partner"}, "partner"),
        ({"schedule": {"type": "weekly", "days": ["mon"], "at": "10:00"}}, "scheduled"),
    ],
)
def test_G15_G16_G17_G18_others_are_not_taken(fields: Mapping[str, Any], reason: str) -> None:
    it = story().given(job("other", **fields))
    if reason != "draft":
        it.given(command("ActivateJob", id="other"))
    refused = it.when(saved(jobs=["contacts", "other"])).then_refused("job_not_qualified", "jobs.1")
    assert reason in refused.when(saved(jobs=["contacts", "other"])).refusal.detail  # type: ignore[union-attr]


def test_G15_an_unknown_job_is_missing() -> None:
    refusal = story().when(saved(jobs=["contacts", "nothing"])).refusal
    assert refusal is not None
    assert (refusal.code, "missing" in refusal.detail) == ("job_not_qualified", True)


def test_G17_an_installation_may_let_exports_in() -> None:
    it = story(limits=Limits(group_kinds=("import", "export")))
    it.given(job("out", kind="export"), command("ActivateJob", id="out"), saved(jobs=["contacts", "out"]), activate())
    assert it.group().active


def test_a_draft_keeps_members_that_qualify_no_more_and_says_so() -> None:
    it = story().given(command("DeactivateJob", id="contacts"))
    told = it.when(saved(description="kept"))
    assert (members(it.group()), told.warnings) == (["contacts", "extension"], ["job_not_qualified"])
    it.when(activate()).then_refused("job_not_qualified", "jobs.0")


def test_G22_members_are_edited_at_any_time() -> None:
    active().when(job("contacts", config={"source": "b.csv"})).then(Fact(object))


def test_G30_the_minute_is_drawn_once_and_the_group_is_due_at_it() -> None:
    it = story(schedule=DAILY)
    it.context.random.chance = 0.5  # type: ignore[attr-defined]
    it.given(activate())
    assert it.group().next.due == at("2026-12-01 14:07")  # type: ignore[union-attr]
    it.given(answer("2026-12-01 14:07"))
    assert it.group().open_runs == ("group.lists.1.20261201t140700z",)
    assert it.group().next.due == at("2026-12-02 14:07")  # type: ignore[union-attr]


REDRAWN = {**DAILY, "redraw": "per_occurrence"}


def test_G30_redraw_per_occurrence_draws_the_minute_of_each_before_it_is_due() -> None:
    it = active(schedule=REDRAWN)
    for moment, chance, following in (
        ("2026-12-01 14:00", 0.9, "2026-12-02 14:13"),
        ("2026-12-02 14:13", 0.5, "2026-12-03 14:07"),
        ("2026-12-03 14:07", 0.5, "2026-12-04 14:07"),
    ):
        assert it.group().next.due == at(moment)  # type: ignore[union-attr]
        it.context.random.chance = chance  # type: ignore[attr-defined]
        it.given(answer(moment))
        assert it.group().next.due == at(following)  # type: ignore[union-attr]
    assert (it.group().cadence_version, it.group().definition_version) == (1, 2)


def test_G30_a_later_minute_of_the_slot_that_had_its_run_is_not_due_again() -> None:
    it = active(schedule=REDRAWN)
    it.context.random.chance = 0.9  # type: ignore[attr-defined]
    it.given(answer("2026-12-01 14:00"), command("SetExpiration", owner=GROUP, expires_on="2027-02-01"))
    assert it.group().next.due == at("2026-12-02 14:13")  # type: ignore[union-attr]


def test_G30_what_an_outage_swallowed_is_read_with_the_minute_that_was_drawn() -> None:
    it = active(schedule=REDRAWN, policies={"catch_up_window": "P9D"})
    it.context.random.chance = 0.9  # type: ignore[attr-defined]
    told = it.at("2026-12-04 14:05").when(command("AnswerDue", kind="group", id="lists"))
    assert Fact(GroupOccurrencesMissed, count=3, last=at("2026-12-04 14:00")) in told.facts
    assert it.group().next.due == at("2026-12-05 14:13")  # type: ignore[union-attr]


def test_G30_a_skipped_occurrence_has_the_next_one_drawn_anew_too() -> None:
    it = active(schedule=REDRAWN).given(command("PauseOwner", owner=GROUP))
    it.context.random.chance = 0.9  # type: ignore[attr-defined]
    it.given(answer("2026-12-01 14:00"))
    assert it.group().next.due == at("2026-12-02 14:13")  # type: ignore[union-attr]


def in_the_slot_of_the_next_moment(chance: float) -> Story:
    """A group whose moment of yesterday, 14:13, was not answered while nothing was up."""
    it = story(schedule=REDRAWN, policies={"catch_up_window": "P9D", "overlap": "skip"})
    it.context.random.chance = 0.9  # type: ignore[attr-defined]
    it.given(activate())
    it.context.random.chance = chance  # type: ignore[attr-defined]
    return it.at("2026-12-02 14:10")


def test_G30_a_minute_drawn_anew_stands_for_one_that_was_not_due_when_it_is_written() -> None:
    told = in_the_slot_of_the_next_moment(0.95).when(command("AnswerDue", kind="group", id="lists"))
    assert (told.story.group().next.due, told.holds_until) == (at("2026-12-02 14:14"), at("2026-12-02 14:13"))  # type: ignore[union-attr]


def test_G30_an_edit_swallows_no_moment_whose_drawn_minute_has_passed() -> None:
    told = in_the_slot_of_the_next_moment(0.0).when(command("DeactivateGroup", id="lists"))
    answers = (GroupRunOpened, GroupOccurrencesSkipped, GroupDeactivated)
    assert [fact for fact in told.facts if isinstance(fact, answers)] == [
        Fact(GroupRunOpened, due=at("2026-12-01 14:13")),
        Fact(GroupOccurrencesSkipped, first=at("2026-12-02 14:00"), reason="overlap"),
        Fact(GroupDeactivated),
    ]


@pytest.mark.parametrize("schedule", [{"type": "on_demand"}, {"type": "once", "date": "2026-12-05", "at": "10:00"}])
def test_G30_what_does_not_recur_is_not_drawn_anew(schedule: dict[str, Any]) -> None:
    anew = {**schedule, "redraw": "per_occurrence"}
    story().when(saved(schedule=anew)).then_refused("not_with_type", "schedule.redraw")


def test_G30_G76_another_schedule_redraws_and_the_same_one_does_not() -> None:
    it = active(schedule=DAILY)
    it.context.random.chance = 0.9  # type: ignore[attr-defined]
    it.when(saved(schedule=DAILY, description="kept")).then(Fact(GroupSaved))
    weekly = {"type": "weekly", "days": ["fri"], "at": "14:05", "time_zone": "UTC"}
    it.when(saved(schedule=weekly)).then(Fact(GroupSaved), Fact(GroupScheduled, cadence_version=2))
    assert (it.group().schedule.minute, it.group().next.due) == (13, at("2026-12-04 14:13"))  # type: ignore[union-attr]


def test_G32_the_slot_under_way_is_refused_with_the_next_free_one() -> None:
    it = story(schedule={"type": "once", "date": "2026-12-01", "at": "12:00"})
    free = {"date": "2026-12-01", "hour": 12, "slot": "15-29"}
    it.when(activate()).then_refused("slot_overlaps_now", "schedule.slot", next_free_slot=free)
    assert not it.group().active


def test_G33_the_schedule_of_an_active_group_is_checked_too_and_that_of_a_draft_is_warned_of() -> None:
    once = {"type": "once", "date": "2026-12-01", "at": "12:00"}
    active().when(saved(schedule=once)).then_refused("slot_overlaps_now")
    (told,) = [one for one in story().when(saved(schedule=once)).told if one.code == "slot_overlaps_now"]
    assert (told.extra["prevents"], told.extra["next_free_slot"]["slot"]) == ("activation", "15-29")


def test_G34_G38_a_past_slot_and_a_past_start_are_refused() -> None:
    it = story()
    once = {"type": "once", "date": "2026-12-01", "at": "11:59"}
    it.when(activate(name="Lists", jobs=["contacts", "extension"], schedule=once)).then_refused("slot_in_past")
    begun = {**DAILY, "from": "2026-11-30"}
    it.when(activate(name="Lists", jobs=["contacts", "extension"], schedule=begun)).then_refused("start_in_past")
    last = {"type": "once", "date": "2026-12-31", "at": "11:59"}
    it.given(activate(name="Lists", jobs=["contacts", "extension"], schedule=last))


def test_G35_a_recurring_one_rolls_on_out_of_its_own_slot() -> None:
    it = story(schedule={"type": "daily", "at": "12:05", "time_zone": "UTC"})
    it.context.random.chance = 0.9  # type: ignore[attr-defined]
    it.given(activate())
    assert it.group().next.due == at("2026-12-02 12:13")  # type: ignore[union-attr]


def test_G41_the_zone_is_the_workspace_s_or_its_own() -> None:
    there = {"type": "daily", "at": "14:05", "time_zone": "Europe/Berlin"}
    assert active(schedule=there).group().next.due == at("2026-12-01 13:00")  # type: ignore[union-attr]
    story().when(saved(schedule={**there, "time_zone": "europe/berlin"})).then_refused("time_zone_unknown")


def test_G67_a_mode_needs_somebody_to_tell() -> None:
    it = story(notification={"mode": "always"})
    it.when(activate()).then_refused("recipients_required")
    it.given(activate(name="Lists", jobs=["contacts", "extension"], notification=RECIPIENT))


def test_G67_there_are_at_most_twenty_recipients() -> None:
    many = {"mode": "always", "recipients": [f"a{n}@example.org" for n in range(21)]}
    story().when(saved(notification=many)).then_refused("too_many_recipients", "notification")
    hooks = [{"url": f"https://hooks.example.org/{n}", "secret": "secret://hook"} for n in range(7)]
    some = {name: [f"{name[0]}{n}@example.org" for n in range(7)] for name in ("recipients", "failure_recipients")}
    told = {"mode": "always", **some, "webhook": hooks}
    story().when(saved(notification=told)).then_refused("too_many_recipients", "notification")
    story().given(saved(notification={**told, "webhook": hooks[:6]}))
    wrong = {"mode": "always", "recipients": ["nobody"]}
    story().when(saved(notification=wrong)).then_refused("recipient_invalid", "notification.recipients.0")


def test_G67_an_address_is_kept_once_as_it_was_written_first() -> None:
    it = story(notification={"mode": "always", "recipients": ["Ops@example.org", "ops@Example.org", "a@example.org"]})
    assert it.group().notification.recipients == ("Ops@example.org", "a@example.org")


def test_G75_a_deleted_group_frees_its_jobs_and_its_name_and_its_history_stays() -> None:
    it = active().given(command("DeleteGroup", id="lists"))
    it.when(command("DeleteGroup", id="lists")).then_nothing()
    assert (it.group().deleted, it.job("contacts").group, _groups(it).named("lists")) == (True, None, None)
    it.when(saved()).then_refused("not_found")
    it.when(run()).then_refused("not_found")
    it.at("2027-02-01 00:00").when(run()).then_refused("not_found")


def test_G86_a_group_has_so_many_jobs_and_a_workspace_so_many_groups() -> None:
    it = story(limits=Limits(jobs_per_group=2, groups_per_workspace=1))
    it.when(saved(jobs=["a", "b", "c"])).then_refused("too_many_jobs", "jobs")
    more = command("CreateGroup", id="g", name="Other")
    it.when(more).then_refused("too_many_groups", limit=1)
    it.given(command("DeleteGroup", id="lists"), more)


def test_G88_jobs_that_changed_groups_tell_their_new_one() -> None:
    it = story().given(command("DeleteGroup", id="lists"))
    it.when(command("CreateGroup", id="g", name="G", jobs=["contacts"])).then(
        Fact(GroupNamed, group="g"), ("job:contacts", Fact(JobGrouped, group="g")), Fact(object)
    )


@pytest.mark.parametrize(("kind", "the_id"), [("group", "lists"), ("job", "alone")])
def test_newer_zone_data_moves_the_next_moment_and_keeps_its_minute(
    monkeypatch: pytest.MonkeyPatch, kind: str, the_id: str
) -> None:
    summer = {"type": "once", "date": "2027-06-01", "at": "14:05", "time_zone": "Europe/Berlin"}
    with monkeypatch.context() as patch:
        use_old_zone_data(patch)
        it = active(schedule=summer, expires_on="never").given(job("alone", schedule=summer))
        it.given(command("ActivateJob", id="alone"))

    def due() -> tuple[str, str]:
        following = (it.group() if kind == "group" else it.job("alone").own).next
        assert following is not None
        return f"{following.due:%H}", following.local

    (hour, local), _ = due(), it.given(command("AdoptZoneData", kind=kind, id=the_id))
    assert (hour, due()) == ("13", ("12", local))
