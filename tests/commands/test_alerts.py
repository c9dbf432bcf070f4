"""What is wrong with a schedule, what is well again, and who is told (R97)."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest

from eventjobs.commands.alert_fields import WebhookFields, webhook_errors
from eventjobs.commands.context import Limits, Reach
from eventjobs.commands.spec import CommandFields
from eventjobs.domain.streams import alert_stream, schedule_stream
from eventjobs.events.alert import AlertDropped, AlertRaised, AlertRecipientDisabled, AlertRecovered
from eventjobs.events.notification import NotificationRequested
from eventjobs.events.schedule import Alerts, ScheduleAlertsEdited
from tests.support.bodies import DAILY, advance, ended, policies, run_now, schedule, service, tick, workspace
from tests.support.story import WORKSPACE, Fact, Story, at, command, passed

OPS = "ops@example.org"
HOOK = {"url": "https://hooks.example.org/jobs", "secret": "secret://hook"}
DUE = at("2026-12-01 20:00")
LATER = "2027-12-01"
RUN = "schedule.nightly.1.20261201t200000z"


def alerts(**fields: Any) -> CommandFields:
    return command("EditScheduleAlerts", id="nightly", alerts=fields)


def look(**seen: Any) -> CommandFields:
    return command("CheckAlerts", schedule="nightly", **seen)


def watched(*, told: bool = True, start: str = "2026-12-01", **fields: Any) -> Story:
    """A schedule that is due daily at 20:00 from `start` on, and watched."""
    recipients = {"email": [OPS]} if told else {}
    nightly = schedule(cadence={**DAILY, "start_date": start})
    return Story().given(workspace(), service(), nightly, alerts(**recipients, **fields))


def open_run(run: str, opened_at: datetime, progressed_at: datetime | None = None) -> dict[str, Any]:
    return {"run": run, "opened_at": opened_at.isoformat(), "progressed_at": (progressed_at or opened_at).isoformat()}


def ran(story: Story, run: str, state: str = "succeeded") -> Story:
    """Let a run by hand end so."""
    return story.given(run_now(id=run), advance(run), advance(run, ended=[ended(state=state)]))


def told(story: Story) -> list[tuple[str, str]]:
    """The kinds and recipients of everything that is wanted, in order."""
    return [
        (event.kind, event.recipient)
        for stream, events in story.streams.items()
        if stream.kind == "notification"
        for event in events
        if isinstance(event, NotificationRequested)
    ]


def test_R97_a_moment_that_has_not_started_in_time_is_late_once_and_told_to_each_recipient() -> None:
    story = watched(late_after="PT10M", webhook=[HOOK]).at("2026-12-01 20:09")
    story.when(look()).then_nothing()

    story.at("2026-12-01 20:10").when(look()).then(
        ("alert:nightly", Fact(AlertRaised, alert="late", due=DUE, run=RUN, limit_s=600.0, settled=False)),
        Fact(NotificationRequested, channel="email", recipient=OPS, kind="alert.raised", run=RUN),
        Fact(NotificationRequested, channel="webhook", recipient=HOOK["url"], signed_with=HOOK["secret"]),
    )
    story.after(minutes=1).when(look()).then_nothing()


def test_R97_a_late_moment_that_starts_at_last_has_recovered() -> None:
    story = watched(late_after="PT10M").at("2026-12-01 20:10").given(look()).at("2026-12-01 20:20").given(tick())

    started = {"due": DUE.isoformat(), "run": RUN, "opened_at": story.now.isoformat()}
    story.when(look(started=[started])).then(
        Fact(AlertRecovered, alert="late", cause="started", run=RUN),
        Fact(NotificationRequested, kind="alert.recovered", recipient=OPS),
    )


def test_R97_recoveries_are_told_only_where_that_is_wanted() -> None:
    story = watched(late_after="PT10M", on_recovery=False).at("2026-12-01 20:10").given(look())

    story.given(tick()).when(look()).then(Fact(AlertRecovered, cause="started"))


def test_REL81_while_keys_are_exchanged_a_message_names_both() -> None:
    rotated = {**HOOK, "secret": "secret://new", "previous_secret": "secret://hook"}
    story = watched(late_after="PT10M", told=False, webhook=[rotated]).at("2026-12-01 20:10")

    story.when(look()).then(
        Fact(AlertRaised),
        Fact(NotificationRequested, signed_with="secret://new", also_signed_with="secret://hook"),
    )


def test_X13_a_moment_that_started_late_while_nobody_looked_is_told_once_and_needs_no_recovery() -> None:
    story = watched(late_after="PT10M").at("2026-12-02 03:36").given(tick())

    started = {"due": DUE.isoformat(), "run": RUN, "opened_at": story.now.isoformat(), "cause_detail": "downtime"}
    story.when(look(started=[started])).then(
        Fact(AlertRaised, alert="late", settled=True, run=RUN), Fact(NotificationRequested, kind="alert.raised")
    )
    story.when(look(started=[started])).then_nothing()


def test_X13_moments_that_were_missed_and_that_no_run_stands_for_are_told_with_their_number() -> None:
    story = watched(late_after="PT10M").given(policies(catch_up="never")).at("2026-12-04 03:00").given(tick())

    missed = {
        "first": DUE.isoformat(), "last": (DUE + timedelta(days=2)).isoformat(), "count": 3, "reason": "downtime",
        "cadence_version": 1,
    }  # fmt: skip
    story.when(look(missed=[missed])).then(
        Fact(AlertRaised, alert="late", count=3, reason="downtime", settled=True), Fact(NotificationRequested)
    )
    story.when(look(missed=[missed])).then_nothing()


def test_what_an_edit_put_behind_began_at_once_and_is_not_late() -> None:
    story = watched(late_after="PT10M")
    started = {"due": DUE.isoformat(), "run": "r", "opened_at": "2026-12-01T22:00:00Z"}

    story.when(look(started=[{**started, "cause_detail": "interval_decreased"}])).then_nothing()


@pytest.mark.parametrize(
    "halt",
    [command("PauseOwner", owner={"kind": "schedule", "id": "nightly"}), command("HoldStarts"),
     command("HoldStarts", everywhere=True)],
)  # fmt: skip
def test_nobody_waits_for_a_start_or_a_success_while_starts_are_halted(halt: CommandFields) -> None:
    story = watched(late_after="PT10M", no_success_in="PT1H").given(halt).at("2026-12-01 20:30")

    story.when(look(quiet_since="2026-12-01T12:00:00Z")).then_nothing()


def test_a_moment_that_was_skipped_on_purpose_is_dropped_without_a_word() -> None:
    story = watched(late_after="PT10M").at("2026-12-01 20:10").given(look())
    story.given(command("HoldStarts"), passed(minutes=1), tick())

    story.when(look()).then(Fact(AlertDropped, alert="late", reason="not_due"))


def test_R97_a_run_that_is_open_too_long_is_told_once_and_recovers_when_it_ends() -> None:
    story = watched(runs_longer_than="PT2H").given(run_now(id="r"), advance("r"))
    opened = story.now
    seen = [open_run("r", opened)]
    story.after(minutes=119).when(look(runs=seen)).then_nothing()

    story.after(minutes=1).when(look(runs=seen)).then(
        Fact(AlertRaised, alert="too_long", run="r", since=opened, limit_s=7200.0), Fact(NotificationRequested)
    )
    story.after(minutes=1).when(look(runs=seen)).then_nothing()
    story.given(advance("r", ended=[ended()]))
    story.when(look(runs=seen)).then(
        Fact(AlertRecovered, alert="too_long", cause="ended", run="r"),
        Fact(NotificationRequested, kind="alert.recovered", run="r"),
    )


def test_R97_a_stuck_run_recovers_by_progress_and_may_be_stuck_again() -> None:
    story = watched(no_progress_in="PT15M").given(run_now(id="r"), advance("r"))
    began = story.now
    first = began + timedelta(minutes=5)
    story.at("2026-12-01 12:20")

    story.when(look(runs=[open_run("r", began, first)])).then(
        Fact(AlertRaised, alert="stuck", run="r", since=first), Fact(NotificationRequested)
    )
    second = first + timedelta(minutes=30)
    story.at("2026-12-01 12:36")
    story.when(look(runs=[open_run("r", began, second)])).then(
        Fact(AlertRecovered, alert="stuck", cause="progressed"), Fact(NotificationRequested, kind="alert.recovered")
    )
    story.at("2026-12-01 12:50").when(look(runs=[open_run("r", began, second)])).then(
        Fact(AlertRaised, alert="stuck", since=second), Fact(NotificationRequested)
    )


def test_R97_no_success_in_time_is_told_until_one_comes() -> None:
    story = ran(watched(no_success_in="P1D", start=LATER), "good")
    quiet = {"quiet_since": story.now.isoformat(), "last_success": "good"}
    story.after(hours=23).when(look(**quiet)).then_nothing()

    story.after(hours=1).when(look(**quiet)).then(Fact(AlertRaised, alert="no_success"), Fact(NotificationRequested))
    story.after(hours=1).when(look(**quiet)).then_nothing()
    ran(story, "better").when(look()).then(
        Fact(AlertRecovered, alert="no_success", cause="succeeded", run="better"), Fact(NotificationRequested)
    )


def test_an_old_success_is_no_reason_once_there_is_a_newer_one() -> None:
    story = ran(ran(watched(no_success_in="P1D", start=LATER), "good").after(days=2), "newer")

    story.when(look(quiet_since="2026-12-01T12:00:00Z", last_success="good")).then_nothing()


def test_R97_failures_in_a_row_are_counted_over_all_runs_and_end_with_a_success() -> None:
    story = ran(ran(watched(failures_in_a_row=3), "f1", "failed"), "f2", "failed")
    story.when(look()).then_nothing()

    ran(ran(story, "stopped", "aborted"), "f3", "failed").when(look()).then(
        Fact(AlertRaised, alert="failures", count=3, run="f3"), Fact(NotificationRequested, run="f3")
    )
    ran(story, "f4", "failed").when(look()).then_nothing()
    ran(story, "good").when(look()).then(
        Fact(AlertRecovered, alert="failures", cause="succeeded", run="good"), Fact(NotificationRequested)
    )
    ran(ran(ran(story, "g1", "failed"), "g2", "failed"), "g3", "failed")
    story.when(look()).then(Fact(AlertRaised, alert="failures", run="g3"), Fact(NotificationRequested))


def test_a_message_about_failures_names_the_jobs_that_failed() -> None:
    story = watched(failures_in_a_row=1).given(run_now(id="f"), advance("f"))
    story.given(advance("f", ended=[ended(state="failed", reason="error", detail="no such table")]))

    wanted = story.when(look()).facts[1]
    assert wanted.about["failed_jobs"] == [{"job": "load", "reason": "error", "detail": "no such table"}]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (command("InactivateSchedule", id="nightly"), "inactive"),
        (command("DeleteSchedule", id="nightly"), "deleted"),
        (alerts(email=[OPS], late_after="PT1H"), "not_watched"),
    ],
)
def test_an_incident_that_nobody_watches_any_more_ends_without_a_message(end: CommandFields, reason: str) -> None:
    story = ran(watched(failures_in_a_row=1), "f", "failed").given(look(), end)

    story.when(look()).then(Fact(AlertDropped, alert="failures", reason=reason))
    story.when(look()).then_nothing()


def test_R97_what_is_still_wrong_after_it_was_dropped_is_recorded_again_and_told_once() -> None:
    story = watched(runs_longer_than="PT2H").given(run_now(id="r"), advance("r"))
    seen = [open_run("r", story.now)]
    raised = Fact(AlertRaised, incident="too_long.r")
    story.after(hours=2).when(look(runs=seen)).then(raised, Fact(NotificationRequested))
    story.given(command("InactivateSchedule", id="nightly"))
    story.when(look(runs=seen)).then(Fact(AlertDropped, incident="too_long.r", reason="inactive"))

    story.given(command("ActivateSchedule", id="nightly"))
    story.when(look(runs=seen)).then(raised)
    story.given(advance("r", ended=[ended()]), look(runs=seen))
    assert told(story) == [("alert.raised", OPS), ("alert.recovered", OPS)]


def test_an_incident_is_recorded_also_where_nobody_is_told() -> None:
    story = ran(watched(told=False, failures_in_a_row=1), "f", "failed")

    story.when(look()).then(Fact(AlertRaised, alert="failures"))


def test_the_answer_says_when_to_look_again() -> None:
    story = watched(late_after="PT10M", no_success_in="P1D")
    quiet = {"quiet_since": story.now.isoformat()}

    assert story.when(look(**quiet)).answer["look_at"] == DUE + timedelta(minutes=10)
    assert story.at("2026-12-01 20:10").when(look(**quiet)).answer["look_at"] == at("2026-12-02 12:00")


def test_each_success_is_told_to_the_heartbeat_once() -> None:
    story = ran(ran(watched(heartbeat="https://beat.example.org/1"), "good"), "bad", "failed")

    story.when(look(succeeded=["good", "bad", "unknown"])).then(
        Fact(NotificationRequested, channel="heartbeat", recipient="https://beat.example.org/1", run="good")
    )
    story.when(look(succeeded=["good"])).then_nothing()


def test_a_recipient_that_is_gone_is_told_nothing_until_the_alerts_are_saved_again() -> None:
    story = watched(failures_in_a_row=1, webhook=[HOOK])
    gone = AlertRecipientDisabled(channel="webhook", recipient=HOOK["url"])
    ran(story.given((alert_stream(WORKSPACE, "nightly"), gone)), "f1", "failed").given(look())
    assert told(story) == [("alert.raised", OPS)]

    story.given(alerts(email=[OPS], failures_in_a_row=1, webhook=[HOOK]))
    ran(ran(story, "g"), "f2", "failed").given(look())
    assert ("alert.raised", HOOK["url"]) in told(story)


def test_REL82_a_heartbeat_that_is_gone_is_not_called_until_the_alerts_are_saved_again() -> None:
    url = "https://beat.example.org/1"
    story = watched(heartbeat=url)
    gone = AlertRecipientDisabled(channel="heartbeat", recipient=url)
    ran(ran(story.given((alert_stream(WORKSPACE, "nightly"), gone)), "g1"), "g2")
    story.when(look(succeeded=["g1"])).then_nothing()

    story.given(alerts(email=[OPS], heartbeat=url)).when(look(succeeded=["g2"])).then(
        Fact(NotificationRequested, channel="heartbeat", run="g2")
    )


def test_alerts_come_with_a_schedule_and_are_part_of_its_definition() -> None:
    wanted = {"failures_in_a_row": 3, "email": [OPS]}
    story = Story().given(workspace(), service(), schedule(alerts=wanted))
    assert story.schedule().alerts == Alerts(failures_in_a_row=3, email=(OPS,))

    story.when(schedule(alerts=wanted)).then_nothing()
    story.when(schedule()).then_refused("id_taken")
    story.when(alerts(**wanted)).then_nothing()
    story.when(alerts()).then(("schedule:nightly", ScheduleAlertsEdited(alerts=Alerts())))
    assert story.load(schedule_stream(WORKSPACE, "nightly")).state.definition_version == 3


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ({"email": ["a@b.test, c@d.test"]}, "recipient_invalid", "alerts.email.0"),
        ({"email": [OPS, '"x\r\n"@b']}, "recipient_invalid", "alerts.email.1"),
        ({"email": ["=?UTF-8?Q?a?=@b.test"]}, "recipient_invalid", "alerts.email.0"),
        ({"email": ["Ops <ops@b.test>"]}, "recipient_invalid", "alerts.email.0"),
        ({"email": ["ö@b.test"]}, "recipient_invalid", "alerts.email.0"),
        ({"email": [f"{'a' * 65}@b.test"]}, "recipient_invalid", "alerts.email.0"),
        ({"email": [f"a{n}@b.test" for n in range(21)]}, "too_many_recipients", "alerts"),
        ({"webhook": [{**HOOK, "url": "http://127.0.0.1/x"}]}, "url_refused", "alerts.webhook.0.url"),
        ({"webhook": [{**HOOK, "url": "ftp://x.test/"}]}, "url_refused", "alerts.webhook.0.url"),
        ({"webhook": [{**HOOK, "url": "secret://Ä"}]}, "secret_invalid", "alerts.webhook.0.url"),
        ({"webhook": [{**HOOK, "secret": "whsec_plain"}]}, "secret_invalid", "alerts.webhook.0.secret"),
        ({"webhook": [{**HOOK, "previous_secret": "x"}]}, "secret_invalid", "alerts.webhook.0.previous_secret"),
        ({"webhook": [HOOK, {**HOOK, "secret": "secret://new"}]}, "duplicate_recipient", "alerts.webhook.1.url"),
        ({"heartbeat": "https://u:p@x.test/"}, "url_refused", "alerts.heartbeat"),
    ],
)
def test_a_recipient_that_cannot_be_one_is_refused(fields: dict[str, Any], code: str, path: str) -> None:
    watched().when(alerts(**fields)).then_refused(code, path)


class Compared(WebhookFields):  # noqa: PLW1641 it is only compared
    times: ClassVar[int] = 0

    def __eq__(self, other: object) -> bool:
        Compared.times += 1
        return super().__eq__(other)


def test_webhooks_of_different_urls_are_not_all_compared_with_each_other() -> None:
    hooks = [Compared(**{**HOOK, "url": f"https://hooks.test/{number}"}) for number in range(100)]
    assert list(webhook_errors("webhook", hooks, watched().context)) == []
    assert Compared.times <= len(hooks)


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://[::1]/", "http://0.0.0.0/", "http://169.254.169.254/", "http://10.1.2.3/"),
        *(
            "http://[::ffff:127.0.0.1]/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://localhost./",
            "http://[fd00::]/",
        ),
        *(
            "http://100.64.1.2/",
            "http://user:word@x.test/",
            "http://x.test:25/",
            "http://x.test/#f",
            "http://x.test/\r\nA: b",
        ),
    ],
)
def test_REL76_REL80_a_url_that_may_not_be_called_is_refused_where_it_is_named(url: str) -> None:
    story = watched()
    story.when(alerts(webhook=[{**HOOK, "url": url}])).then_refused("url_refused", "alerts.webhook.0.url")
    story.when(alerts(heartbeat=url)).then_refused("url_refused", "alerts.heartbeat")


@pytest.mark.parametrize(
    "address",
    [
        *(
            "a@b.test, c@d.test",
            '"x\r\n"@b',
            "a@b.test\r\nBcc: c@d.test",
            "Team: a@b.test;",
            "(all) a@b.test",
            "a@b\x00.test",
        ),
        *(
            "a" * 300 + "@b.test",
            "a@bücher.test",
            "a@b.test\n",
            " a@b.test",
            "=?UTF-8?Q?a?=@b.test",
            "",
            "a@",
            "@b.test",
        ),
    ],
)
def test_REL84_REL85_only_one_plain_address_is_a_recipient(address: str) -> None:
    watched().when(alerts(email=[address])).then_refused("recipient_invalid", "alerts.email.0")


def test_the_number_of_recipients_is_a_limit_of_the_deployment() -> None:
    story = Story(limits=Limits(recipients=1)).given(workspace(), service(), schedule(), alerts(email=[OPS]))

    story.when(alerts(email=[OPS], webhook=[HOOK])).then_refused("too_many_recipients")


def test_what_tells_nobody_anything_is_accepted_with_a_warning() -> None:
    story = watched()

    assert story.when(alerts(late_after="PT1H")).warnings == ["nobody_told"]
    assert story.when(alerts(email=[OPS])).warnings == ["nothing_watched"]
    mute = story.when(alerts(email=[OPS], late_after="PT1H"), reach=Reach(mail=False))
    assert mute.warnings == ["email_not_configured"]


@pytest.mark.parametrize("count", [1, 30])
def test_the_successes_of_a_time_without_a_watch_are_looked_at_at_once(count: int) -> None:
    story = watched(told=False, start=LATER, heartbeat="https://ping.example.org/nightly")
    runs = [f"r{number}" for number in range(count)]
    for run in runs:
        ran(story, run)
    assert story.beginnings(look(succeeded=runs)) <= 4
    assert [event.run for event in story.when(look(succeeded=runs)).facts] == runs
