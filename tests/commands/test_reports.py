"""Reports of runs, of moments that did not run, and of expiry, as they are decided (G61, G64 to G71)."""

from typing import Any

import pytest
from pydantic import ValidationError

from eventjobs.events.notification import NotificationRequested
from tests.support.connect import DAILY, advance, end, job, saved, story
from tests.support.story import Fact, Story, command

OPS = "ops@example.org"
HOOK = {"url": "https://hooks.example.org/jobs", "secret": "secret://hook", "previous_secret": "secret://old"}
ALWAYS = {"mode": "always", "recipients": [OPS]}


def webhook(**told: Any) -> dict[str, Any]:
    """Who is told, as the log keeps it: also by webhook."""
    return {**ALWAYS, "webhooks": [HOOK], **told}


def failed(**fields: Any) -> Story:
    """A group whose run `r` failed at its first job."""
    it = story(**fields).given(command("ActivateGroup", id="lists"))
    it.given(command("RunNow", owner={"kind": "group", "id": "lists"}, id="r"))
    advance(it, "r")
    advance(it, "r", end(1, "failed", reason="error", detail="no such file", counts={"processed": 2}))
    return it


def of_run(**fields: Any) -> Any:
    jobs = [
        {"row": 1, "started_at": "2026-12-01T12:00:00Z", "ended_at": "2026-12-01T12:00:12Z"},
        {"row": 2, "ended_at": "2026-12-01T12:00:12Z"},
    ]
    known = {"kind": "group", "id": "lists", "run": "r", "notification": ALWAYS, "by": "key:k", "jobs": jobs}
    return command("ReportRun", **{**known, "ended_at": "2026-12-01T12:00:12Z", **fields})


def test_G68_a_report_of_a_run_says_what_the_log_knows() -> None:
    it = failed(schedule=DAILY)
    (event,) = it.when(of_run()).facts
    assert event == Fact(NotificationRequested, kind="run.ended", channel="email", recipient=OPS, run="r")
    first, second = event.about["jobs"]
    assert first == {
        "job": "contacts",
        "name": "contacts",
        "state": "failed",
        "reason": "error",
        "detail": "no such file",
        "started_at": "2026-12-01T12:00:00Z",
        "duration_s": 12.0,
        "counts": {"processed": 2},
    }
    assert (second["state"], second["reason"], second["started_at"]) == ("skipped", "previous_job_failed", None)
    about = {name: value for name, value in event.about.items() if name != "jobs"}
    assert about == {
        "at": "2026-12-01T12:00:12Z",
        "name": "Lists",
        "time_zone": "UTC",
        "state": "failed",
        "reason": "error",
        "cause": "manual",
        "by": "key:k",
        "started_at": "2026-12-01T12:00:00Z",
        "duration_s": 12.0,
        "next_due": "2026-12-01T14:00:00Z",
        "next": "2026-12-01 14:00",
        "expires_on": "2026-12-31",
        "days_left": 30,
    }


def test_G71_a_report_is_wanted_once_by_mail_and_signed_webhook_whoever_asks() -> None:
    it = failed()
    mail, post = it.when(of_run(notification=webhook())).facts
    assert (mail.channel, mail.recipient, mail.signed_with) == ("email", OPS, None)
    assert (post.channel, post.recipient) == ("webhook", HOOK["url"])
    assert (post.signed_with, post.also_signed_with) == ("secret://hook", "secret://old")
    it.when(of_run(notification=webhook()), instance="two").then_nothing()


def test_an_open_run_is_not_told_of() -> None:
    it = story().given(command("ActivateGroup", id="lists"))
    it.given(command("RunNow", owner={"kind": "group", "id": "lists"}, id="r"))
    it.when(of_run(jobs=[])).then_nothing()


def of_members(*modes: str, **fields: Any) -> Any:
    """The same, with the two jobs of the run told of besides, each by its own mode."""
    members = [
        {"row": row, "notification": {"mode": mode, "recipients": [f"job-{row}@example.org"]}}
        for row, mode in enumerate(modes, 1)
    ]
    return of_run(members=members, **fields)


def test_G66_a_job_of_a_group_is_told_of_by_its_own_mode_where_the_group_wants_it() -> None:
    it = failed(schedule=DAILY)
    group, mine = it.when(of_members("failure", "always")).facts
    assert (group.recipient, group.subject.id) == (OPS, "lists")
    assert (mine.recipient, mine.subject.kind, mine.subject.id) == ("job-1@example.org", "import", "contacts")
    assert (mine.kind, mine.run, mine.about["in_group"], mine.about["state"]) == ("run.ended", "r", "lists", "failed")
    assert [job["job"] for job in mine.about["jobs"]] == ["contacts"]
    assert (mine.about["at"], mine.about["duration_s"]) == ("2026-12-01T12:00:12Z", 12.0)
    it.when(of_members("failure", "always"), instance="two").then_nothing()


def test_G66_the_jobs_are_told_of_also_where_the_group_tells_nobody() -> None:
    (mine,) = failed().when(of_members("always", "always", notification={"mode": "none"})).facts
    assert mine.recipient == "job-1@example.org"


def test_G66_a_job_that_succeeded_is_no_failure_and_one_that_was_skipped_is_not_told_of() -> None:
    it = story().given(command("ActivateGroup", id="lists"))
    it.given(command("RunNow", owner={"kind": "group", "id": "lists"}, id="r"))
    advance(it, "r")
    advance(it, "r", end(1))
    advance(it, "r", end(2, "failed", reason="error"))
    told = it.when(of_members("failure", "failure", notification={"mode": "none"})).facts
    assert [one.recipient for one in told] == ["job-2@example.org"]


def test_G66_only_a_group_sends_the_mails_of_its_jobs_too() -> None:
    it = story(notification={**ALWAYS, "also_send_job_mails": True})
    assert it.group().notification.also_send_job_mails
    with pytest.raises(ValidationError):
        job("alone", notification={**ALWAYS, "also_send_job_mails": True})


CALL = {"url": "https://campaigns.example.org/launch?key=hidden", "secret": "secret://hook"}


def succeeded(**fields: Any) -> Story:
    """A group whose run `r` succeeded."""
    it = story(**fields).given(command("ActivateGroup", id="lists"))
    it.given(command("RunNow", owner={"kind": "group", "id": "lists"}, id="r"))
    advance(it, "r")
    advance(it, "r", end(1))
    advance(it, "r", end(2))
    return it


def hooked(mode: str = "none") -> dict[str, Any]:
    """Who is told, as the log keeps it, with a call after success."""
    return {"mode": mode, "recipients": [OPS], "on_success": [CALL]}


def test_G52_a_call_is_made_after_a_run_that_succeeded_whatever_the_mode() -> None:
    it = succeeded()
    (call,) = it.when(of_run(notification=hooked())).facts
    assert (call.kind, call.channel, call.recipient) == ("run.succeeded", "webhook", CALL["url"])
    assert (call.signed_with, call.run, call.about["state"]) == ("secret://hook", "r", "succeeded")
    it.when(of_run(notification=hooked()), instance="two").then_nothing()
    told = succeeded().when(of_run(notification={**hooked("always"), "webhooks": [CALL]})).facts
    assert [one.kind for one in told] == ["run.ended", "run.ended", "run.succeeded"]


def test_G52_no_call_is_made_after_any_other_run() -> None:
    failed().when(of_run(notification=hooked())).then_nothing()


@pytest.mark.parametrize(("mode", "told"), [("always", [OPS]), ("failure", [OPS]), ("none", [])])
def test_G52_row_12_a_call_that_is_given_up_is_told_of_and_the_run_stays(mode: str, told: list[str]) -> None:
    asked = {"mode": mode, "recipients": [OPS], "on_success": [CALL]}
    it = succeeded(notification=asked)
    it.given(of_run(notification=hooked()))
    (stream,) = (stream for stream in it.streams if stream.kind == "notification")
    it.given(command("BeginDelivery", notification=stream.id))
    ended = {"attempt": 1, "outcome": "failed", "reason": "status", "retryable": False}
    facts = it.when(command("EndDelivery", notification=stream.id, **ended)).facts
    reports = [one for one in facts if isinstance(one, NotificationRequested)]
    assert [(one.recipient, one.kind, one.run) for one in reports] == [(to, "hook.failed", "r") for to in told]
    assert [one.about["hook"] for one in reports] == ["campaigns.example.org" for _ in told]
    assert it.run("r").state == "succeeded"


def test_G52_only_a_group_has_calls_and_they_count_as_recipients() -> None:
    bad = {"mode": "none", "on_success": [{**CALL, "secret": "open"}]}
    story().when(saved(notification=bad)).then_refused("secret_invalid", "notification.on_success.0.secret")
    many = [{**CALL, "url": f"https://hooks.example.org/{n}"} for n in range(21)]
    story().when(saved(notification={"on_success": many})).then_refused("too_many_recipients")
    with pytest.raises(ValidationError):
        job("alone", notification={"on_success": [CALL]})


def not_run(**fields: Any) -> Any:
    known = {"kind": "group", "id": "lists", "notification": ALWAYS, "at": "2026-12-01T14:00:00Z", "outcome": "skipped"}
    times = {"reason": "overlap", "first": "2026-12-01T14:00:00Z", "last": "2026-12-01T14:00:00Z", "time_zone": "UTC"}
    return command("ReportNotRun", **{**known, **times, **fields})


def test_G70_what_did_not_run_is_told_of_once_a_day() -> None:
    it = story(schedule=DAILY)
    it.when(not_run()).then(Fact(NotificationRequested, kind="occurrence.not_run", run=None))
    it.when(not_run(first="2026-12-01T15:00:00Z", last="2026-12-01T15:00:00Z")).then_nothing()
    late = it.when(not_run(last="2026-12-02T15:00:00Z", count=3, outcome="missed", reason="downtime"))
    assert (late.facts[0].about["count"], late.facts[0].about["last"]) == (3, "2026-12-02T15:00:00Z")


def test_G70_the_days_are_those_of_the_zone_in_which_it_was_due() -> None:
    it = story(schedule=DAILY).given(not_run())
    it.given(saved(schedule={**DAILY, "time_zone": "Pacific/Kiritimati"}))
    it.when(not_run()).then_nothing()


@pytest.mark.parametrize("reason", ["paused", "held"])
def test_G70_what_somebody_paused_or_held_is_not_told_of(reason: str) -> None:
    story().when(not_run(reason=reason)).then_nothing()


def expiry(**fields: Any) -> Any:
    known = {"kind": "group", "id": "lists", "notification": {"mode": "none"}, "created_by": "key:acme/k"}
    at = {"at": "2026-12-24T00:00:00Z", "expires_on": "2026-12-31", "days_left": 7}
    return command("ReportExpiry", **{**known, **at, **fields})


def member(it: Story, **fields: Any) -> Story:
    it.given(command("AddMember", id="ada", name="Ada", roles=["data_director"], **fields))
    return it.given(command("IssueKey", id="k", roles=["data_director"], member="ada"))


def test_G61_an_expiry_goes_to_who_made_it_where_a_member_with_an_address_did() -> None:
    it = member(story(), email="ada@example.org")
    it.when(expiry()).then(Fact(NotificationRequested, kind="expiry.announced", recipient="ada@example.org"))
    member(story()).when(expiry()).then_nothing()
    story().when(expiry()).then_nothing()
    for other in ("system", "key:k", "key:beta/k"):
        it.when(expiry(created_by=other)).then_nothing()
    gone = member(story(), email="ada@example.org").given(command("RemoveMember", id="ada"))
    gone.when(expiry()).then_nothing()


@pytest.mark.parametrize(("on_expiry", "became"), [("delete", "deleted"), ("deactivate", "deactivated")])
def test_G62_what_became_of_it_is_told(on_expiry: str, became: str) -> None:
    (event,) = story().when(expiry(on_expiry=on_expiry, notification=ALWAYS)).facts
    assert (event.about["became"], event.about["expires_on"]) == (became, "2026-12-31")


def test_a_single_job_is_told_of_by_its_own_kind() -> None:
    it = story().given(job("alone")).given(command("ActivateJob", id="alone"))
    (event,) = it.when(not_run(kind="job", id="alone")).facts
    assert (event.subject.kind, event.subject.id) == ("import", "alone")
