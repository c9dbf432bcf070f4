"""Copies of Connect jobs and of groups, also of those that are gone (§5, G6, G62)."""

from typing import Any

import pytest

from tests.support.connect import DAILY, active, answer, job, story
from tests.support.story import command

MAIL = {"mode": "always", "recipients": ["ops@example.org"]}


def copy_job(**fields: Any) -> Any:
    return command("CopyJob", **{"id": "weekly", "new_id": "copied", **fields})


def copy_group(**fields: Any) -> Any:
    return command("CopyGroup", **{"id": "lists", "new_id": "copied", **fields})


def test_a_copy_of_a_job_is_a_draft_that_is_defined_alike() -> None:
    it = story().given(job("weekly", schedule=DAILY, config={"a": 1}, notification=MAIL, expires_on="2027-03-01"))
    it.given(command("ActivateJob", id="weekly"), copy_job(name="Copied"))
    made, original = it.job("copied"), it.job("weekly")
    assert (made.own.activity, made.name, made.kind, made.own.expires_on) == ("draft", "Copied", "import", "2027-03-01")
    assert (made.config, made.policy, made.own.notification) == (
        original.config,
        original.policy,
        original.own.notification,
    )
    assert (made.own.schedule.type, made.own.schedule.minute, made.own.next) == ("daily", None, None)


def test_a_copy_of_a_job_is_in_no_group() -> None:
    assert story().given(copy_job(id="contacts")).job("copied").group is None


def test_a_job_that_is_gone_is_copied_with_another_last_day() -> None:
    it = story().given(job("weekly", expires_on="2026-12-02"), answer("2026-12-03 00:00", "job", "weekly"))
    it.when(copy_job()).then_refused("expiration_not_in_future", "expires_on")
    it.given(copy_job(expires_on="never"))
    assert (it.job("copied").name, it.job("copied").own.expires_on) == ("weekly", None)


def test_the_same_copy_again_decides_nothing_and_another_one_is_refused() -> None:
    it = story().given(job("weekly"), copy_job())
    it.when(copy_job()).then_nothing()
    it.when(copy_job(name="Other")).then_refused("id_taken")
    it.when(copy_job(new_id="weekly")).then_nothing()
    it.given(command("ActivateJob", id="copied")).when(copy_job()).then_refused("id_taken")


def test_the_same_copy_of_a_group_decides_nothing_on_a_later_day_too() -> None:
    it = story().given(copy_group(name="Copied"))
    it.at("2026-12-05 12:00").when(copy_group(name="Copied")).then_nothing()
    it.when(copy_group(name="Copied", expires_on="2026-12-09")).then_refused("id_taken")


@pytest.mark.parametrize("name", ["CopyJob", "CopyGroup"])
def test_what_is_not_there_is_not_copied(name: str) -> None:
    story().when(command(name, id="unknown", new_id="copied")).then_refused("not_found")
    bad = {"id": "contacts" if name == "CopyJob" else "lists", "new_id": "copied", "name": "a/b"}
    story().when(command(name, **bad)).then_refused("name_invalid", "name")


def test_G6_G8_a_copy_of_a_group_has_another_name_and_leaves_the_jobs_where_they_are() -> None:
    it = active(schedule=DAILY, notification=MAIL, policies={"overlap": "queue_one"})
    it.when(copy_group()).then_refused("name_taken", group="lists")
    told = it.when(copy_group(name="Copied"))
    assert told.warnings[:2] == ["job_not_qualified", "job_not_qualified"]
    made = it.group("copied")
    assert (made.activity, made.name, made.members) == ("draft", "Copied", ())
    assert (made.notification, made.policies.overlap) == (it.group().notification, "queue_one")
    assert (made.schedule.type, made.schedule.minute) == ("daily", None)
    assert it.job("contacts").group == "lists"
    it.when(copy_group(name="Copied")).then_nothing()


@pytest.mark.parametrize("gone", [command("DeleteGroup", id="lists"), answer("2027-01-01 00:00")])
def test_G55_G62_a_group_that_is_gone_is_recreated_with_its_jobs_and_a_new_last_day(gone: Any) -> None:
    it = active().given(gone).at("2027-01-01 12:00").given(copy_group())
    made = it.group("copied")
    assert ([member.job.id for member in made.members], made.name) == (["contacts", "extension"], "Lists")
    assert (made.expires_on, it.job("contacts").group) == ("2027-01-31", "copied")
    it.given(command("ActivateGroup", id="copied"))


def test_G62_jobs_that_do_not_qualify_any_more_are_left_out() -> None:
    it = active().given(command("DeleteGroup", id="lists"), command("DeactivateJob", id="contacts"))
    assert it.when(copy_group()).warnings == ["job_not_qualified", "group_too_small"]
    assert [member.job.id for member in it.group("copied").members] == ["extension"]


def test_G56_the_jobs_of_a_group_that_is_over_are_free_before_that_is_written() -> None:
    it = active().at("2027-01-01 00:00").given(copy_group(name="Copied"))
    assert it.job("contacts").group == "copied"
