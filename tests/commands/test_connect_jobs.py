"""Connect jobs by themselves: saved, activated, due by a schedule of their own, in a group (G8 to G26, G54, G77)."""

from typing import Any

import pytest
from pydantic import ValidationError

from eventjobs.domain.run import State
from eventjobs.events.job import JobActivated, JobCreated, JobDeactivated, JobDeleted, JobSaved, JobScheduled
from tests.support.connect import DAILY, active, advance, answer, end, job, run, saved, story
from tests.support.story import Fact, Story, at, command, operator

WEEKLY = {"type": "weekly", "days": ["mon"], "at": "10:00", "time_zone": "UTC"}
CONTACTS = {"kind": "import", "id": "contacts"}


def schedule(**fields: Any) -> Any:
    return command("SetJobSchedule", id="contacts", schedule=WEEKLY, **fields)


def alone(**fields: Any) -> Story:
    """One job that is in no group."""
    workspace = command("CreateWorkspace", id="acme", time_zone="UTC", kind="automation")
    return Story().given(workspace, job("contacts", **fields))


def test_G54_a_job_needs_a_last_day_or_never_expires() -> None:
    it = alone()
    it.when(job("other", expires_on=None)).then_refused("expiration_required", "expires_on")
    it.when(job("other", expires_on="2026-12-01")).then_refused("expiration_not_in_future")
    it.when(job("other", expires_on="2026-02-30")).then_refused("date_invalid")
    it.when(job("other", expires_on="2026-12-02")).then(Fact(JobCreated, expires_at=at("2026-12-03 00:00")))


def test_the_same_job_again_is_nothing() -> None:
    it = alone()
    it.when(job("contacts")).then_nothing()
    it.when(job("contacts", kind="export")).then_refused("id_taken")
    it.given(command("DeleteJob", id="contacts"))
    it.when(command("DeleteJob", id="contacts")).then_nothing()
    it.when(job("contacts")).then_refused("not_found")


def test_ids_are_unique_over_all_kinds_of_job() -> None:
    it = alone().given(command("AddService", id="load", handler="noop"))
    it.when(job("load")).then_refused("id_taken")
    it.when(command("AddService", id="contacts", handler="noop")).then_refused("id_taken")
    flow = command("AddFlow", id="contacts", trigger="on_demand", handler="python", config={"callable": "a"})
    it.when(flow).then_refused("id_taken")


def test_G8_names_of_jobs_have_few_characters() -> None:
    alone().when(job("other", name="a/b")).then_refused("name_invalid", "name")


def test_G10_G12_a_draft_is_saved_with_its_errors_and_not_activated() -> None:
    it = alone(schedule={"type": "weekly"}, notification={"mode": "always"})
    it.when(command("ActivateJob", id="contacts")).then_refused("recipients_required")
    it.given(job("contacts", schedule={"type": "weekly"}))
    it.when(command("ActivateJob", id="contacts")).then_refused("schedule_incomplete")
    it.given(job("contacts")).when(command("ActivateJob", id="contacts")).then(Fact(JobActivated))
    it.when(job("contacts", schedule={"type": "weekly"})).then_refused("schedule_incomplete")


def test_G11_only_an_active_job_runs() -> None:
    it = alone()
    it.when(run(**CONTACTS)).then_refused("job_inactive")
    it.given(command("ActivateJob", id="contacts"))
    it.when(run(kind="export", id="contacts")).then_refused("not_found")
    it.given(run(**CONTACTS))
    advance(it, "r")
    advance(it, "r", end(1))
    assert it.run("r").state is State.SUCCEEDED


def test_G13_switching_on_and_off() -> None:
    it = alone()
    it.when(command("DeactivateJob", id="contacts")).then_refused("not_active")
    it.given(command("ActivateJob", id="contacts")).when(command("ActivateJob", id="contacts")).then_nothing()
    it.when(command("DeactivateJob", id="contacts")).then(Fact(JobDeactivated))


def test_G20_a_member_of_an_active_group_is_not_deactivated_unless_it_is_forced() -> None:
    it = active()
    it.when(command("DeactivateJob", id="contacts")).then_refused("job_in_group", group="lists", name="Lists")
    it.when(command("DeactivateJob", id="contacts", force=True)).then(Fact(JobDeactivated))


def test_G20_a_group_that_is_not_active_lets_it_be() -> None:
    story().given(command("DeactivateJob", id="contacts"))
    active().given(command("DeactivateGroup", id="lists"), command("DeactivateJob", id="contacts"))


def test_G20_neither_does_one_that_has_expired_unless_it_still_runs() -> None:
    active().at("2027-01-01 00:00").given(command("DeactivateJob", id="contacts"))
    it = active().at("2026-12-31 23:59").given(run())
    it.at("2027-01-01 00:00").when(command("DeactivateJob", id="contacts")).then_refused("job_in_group")


def test_G21_a_member_of_an_active_group_stays_on_demand_unless_it_is_forced() -> None:
    it = active()
    it.when(schedule()).then_refused("job_in_group", group="lists")
    it.when(job("contacts", schedule=WEEKLY)).then_refused("job_in_group")
    it.when(schedule(force=True)).then(Fact(JobSaved), Fact(JobScheduled))
    it.given(run())
    assert (it.run("r").reason, it.job("contacts").own.next.due) == ("not_qualified", at("2026-12-07 10:00"))  # type: ignore[union-attr]


def test_G23_G77_a_job_that_runs_or_is_in_a_group_is_not_deleted() -> None:
    it = story()
    it.when(command("DeleteJob", id="contacts")).then_refused("job_in_group", group="lists", name="Lists")
    it.given(run("alone", **CONTACTS))
    it.when(command("DeleteJob", id="contacts", force=True)).then_refused("job_running", open_run="alone")
    advance(it, "alone")
    advance(it, "alone", end(1))
    it.when(command("DeleteJob", id="contacts", force=True)).then(Fact(JobDeleted))
    it.when(saved("ActivateGroup")).then_refused("job_not_qualified", "jobs.0")


def test_G77_a_job_that_has_its_turn_in_a_group_is_not_deleted() -> None:
    it = active().given(run())
    advance(it, "r")
    it.when(command("DeleteJob", id="contacts", force=True)).then_refused("job_running", open_run="r")


def test_G23_a_job_of_a_group_that_has_expired_is_deleted() -> None:
    it = active().at("2027-01-01 00:00").given(command("DeleteJob", id="contacts"))
    assert (it.job("contacts").deleted, it.group().deleted) == (True, True)


def test_G26_a_job_may_be_due_by_a_schedule_of_its_own() -> None:
    it = alone(schedule=DAILY).given(
        command("ActivateJob", id="contacts"), answer("2026-12-01 14:00", "job", "contacts")
    )
    assert it.run("job.contacts.1.20261201t140000z").state is State.RUNNING
    it.when(run("job.x", **CONTACTS)).then_refused("reserved_id", "id")


def test_G76_the_same_schedule_again_is_nothing() -> None:
    it = alone(schedule=WEEKLY).given(command("ActivateJob", id="contacts"))
    it.when(schedule()).then_nothing()
    it.when(job("contacts", schedule=WEEKLY)).then_nothing()


def test_G85_an_author_of_flows_runs_no_import_and_an_operator_does() -> None:
    it = alone().given(command("ActivateJob", id="contacts"))
    it.when(run(**CONTACTS), grant=operator("acme", "flow_author")).then_refused("forbidden")
    it.when(run(**CONTACTS), grant=operator()).then(*[Fact(object)] * 2)


@pytest.mark.parametrize("kind", ["import", "export", "partner", "feed"])
def test_G78_a_job_is_of_one_of_four_kinds_and_of_any_subtype(kind: str) -> None:
    it = alone().given(job("other", kind=kind, subtype="custom_table"))
    assert (it.job("other").kind, it.job("other").subtype) == (kind, "custom_table")
    it.when(job("other", kind="export" if kind == "import" else "import")).then_refused("id_taken")


def test_G78_there_is_no_other_kind_of_job() -> None:
    for fields in ({"kind": "service"}, {"kind": "campaign"}, {"subtype": "Custom Table"}):
        with pytest.raises(ValidationError):
            job("other", **fields)


@pytest.mark.parametrize("name", ["PauseOwner", "UnpauseOwner"])
def test_a_pause_names_the_kind_of_the_job(name: str) -> None:
    it = alone()
    it.when(command(name, owner={"kind": "export", "id": "contacts"})).then_refused("not_found")
    assert it.when(command(name, owner=CONTACTS)).refusal is None


@pytest.mark.parametrize("name", ["AnswerDue", "AdoptZoneData"])
def test_nothing_is_due_of_a_job_that_does_not_exist(name: str) -> None:
    alone().when(command(name, kind="job", id="other")).then_nothing()
