"""Messages, alerts and incidents as the views answer them, now and as of then."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from eventjobs.domain.streams import alert_stream, notification_stream, run_stream, schedule_stream
from eventjobs.events.alert import AlertRaised, AlertRecovered
from eventjobs.events.notification import (
    NotificationAttempted,
    NotificationFailed,
    NotificationGivenUp,
    NotificationRequested,
    NotificationSent,
    NotificationSuppressed,
)
from eventjobs.events.run import Ref
from eventjobs.events.schedule import Alerts, AlertWebhook, ScheduleAlertsEdited
from eventjobs.projections.outbox import Outbox
from tests.projections.test_views import SCHEDULE, Reader, created, opened, reader
from tests.support.history import START

__all__ = ["reader"]

FAR = START + timedelta(days=400)
OPS = "ops@example.org"


def wanted(channel: str = "email", recipient: str = OPS, schedule: str = "nightly") -> NotificationRequested:
    subject = Ref(kind="schedule", id=schedule)
    return NotificationRequested(
        kind="alert.raised", channel=channel, recipient=recipient, subject=subject, run="r", about={}
    )


def stream(name: str) -> Any:
    return notification_stream("acme", name)


async def test_a_message_shows_its_tries_its_doubts_and_its_end_also_as_of_then(reader: Reader) -> None:
    await reader.after((stream("m"), wanted()))
    await reader.after((stream("m"), NotificationAttempted(attempt=1, instance="one", until=FAR)))
    lost = NotificationFailed(attempt=1, reason="no_answer", detail="x", ambiguous=True, retry_at=FAR)
    then = await reader.after((stream("m"), lost))
    await reader.after((stream("m"), NotificationAttempted(attempt=2, instance="one", until=FAR)))
    await reader.after((stream("m"), NotificationSent(attempt=2, detail="250")))

    (now,) = (await reader.views.notifications("acme"))["items"]
    assert (now["state"], now["attempts"], now["ambiguous"], now["reason"]) == ("sent", 2, 1, None)
    assert (now["subject"], now["run"], now["next_at"]) == ("schedule/nightly", "r", None)
    (past,) = (await reader.views.notifications("acme", position=then))["items"]
    assert (past["state"], past["attempts"], past["reason"], past["next_at"]) == ("pending", 1, "no_answer", FAR)
    assert (await reader.views.notifications("other"))["items"] == []


async def test_G71_a_run_shows_the_messages_about_it_and_how_far_they_have_come(reader: Reader) -> None:
    await reader.after((run_stream("acme", "r"), opened("nightly")), (run_stream("acme", "other"), opened("nightly")))
    then = await reader.after((stream("m"), wanted()), (stream("n"), wanted(recipient="a@example.org")))
    await reader.after((stream("m"), NotificationAttempted(attempt=1, instance="one", until=FAR)))
    await reader.after((stream("m"), NotificationSent(attempt=1, detail="250")))

    async def shown(run: str, position: int | None = None) -> list[tuple[str, str, int]]:
        detail = await reader.views.run("acme", run, position=position)
        assert detail is not None
        return [(one["recipient"], one["state"], one["attempts"]) for one in detail["notifications"]]

    assert await shown("r") == [("a@example.org", "pending", 0), (OPS, "sent", 1)]
    assert await shown("r", then) == [("a@example.org", "pending", 0), (OPS, "pending", 0)]
    assert await shown("other") == []


async def test_messages_are_filtered_and_paged_with_the_newest_first(reader: Reader) -> None:
    for n in range(5):
        await reader.after((stream(f"m{n}"), wanted("email" if n % 2 else "webhook", f"r{n}", f"s{n // 3}")))
    gone = NotificationGivenUp(attempts=11, ambiguous=0, reason="refused")
    await reader.after((stream("m4"), gone))

    async def ids(**filters: Any) -> list[str]:
        return [one["id"] for one in (await reader.views.notifications("acme", **filters))["items"]]

    assert await ids() == ["m4", "m3", "m2", "m1", "m0"]
    assert await ids(channel="email") == ["m3", "m1"]
    assert await ids(state="given_up") == ["m4"]
    assert await ids(owner=("schedule", "s0")) == ["m2", "m1", "m0"]
    first = await reader.views.notifications("acme", limit=2)
    assert [one["id"] for one in first["items"]] == ["m4", "m3"]
    assert await ids(limit=2, cursor=first["next"]) == ["m2", "m1"]


async def test_REL89_what_a_digest_counts_is_shown_and_the_digest_is_due_when_its_time_has_come(reader: Reader) -> None:
    later = replace(wanted(), kind="alert.digest", not_before=FAR)
    await reader.after((stream("d"), later), (stream("m"), wanted()))
    await reader.after((stream("m"), NotificationSuppressed(digest="d")))

    (shown,) = (await reader.views.notifications("acme", state="suppressed"))["items"]
    assert (shown["id"], shown["reason"], shown["detail"]) == ("m", "too_many", "counted by message d")
    outbox = Outbox(reader.pool)
    assert await outbox.due(FAR - timedelta(seconds=1), 2, 100) == []
    assert [one.id for one in await outbox.due(FAR, 2, 100)] == ["d"]


async def test_what_is_due_is_a_few_of_each_recipient(reader: Reader) -> None:
    for n in range(5):
        await reader.after((stream(f"d{n}"), wanted(recipient="dead@example.org")))
    await reader.after((stream("x"), wanted(recipient="alive@example.org")))
    await reader.after((stream("d0"), NotificationSent(attempt=1, detail="250")))

    outbox = Outbox(reader.pool)
    assert {one.id for one in await outbox.due(FAR, 2, 100)} == {"d1", "d2", "x"}
    assert await outbox.due(START - timedelta(days=1), 2, 100) == []


async def test_an_address_is_one_recipient_in_all_workspaces_and_a_secrets_name_one_in_each(reader: Reader) -> None:
    for n in range(4):
        workspace = f"w{n}"
        await reader.after((notification_stream(workspace, f"mail-{n}"), wanted()))
        await reader.after((notification_stream(workspace, f"hook-{n}"), wanted("webhook", "secret://hook")))

    found = await Outbox(reader.pool).due(FAR, 2, 100)
    assert sorted(one.id for one in found) == ["hook-0", "hook-1", "hook-2", "hook-3", "mail-0", "mail-1"]
    assert len({one.receiver for one in found}) == 5


async def test_REL82_what_is_due_is_by_turns_of_each_workspace(reader: Reader) -> None:
    flood = [(notification_stream("flooded", f"f{n}"), wanted(recipient=f"a{n}@example.org")) for n in range(8)]
    await reader.after(*flood)
    for n in range(2):
        await reader.after((notification_stream("calm", f"c{n}"), wanted(recipient=f"b{n}@example.org")))

    assert [one.id for one in await Outbox(reader.pool).due(FAR, 2, 5)] == ["f0", "c0", "f1", "c1", "f2"]


async def test_REL82_a_shared_recipient_hears_of_each_workspace_in_turn(reader: Reader) -> None:
    await reader.after(*((notification_stream("flooded", f"f{n}"), wanted()) for n in range(5)))
    await reader.after((notification_stream("calm", "c"), wanted()))

    assert {one.id for one in await Outbox(reader.pool).due(FAR, 2, 5)} == {"f0", "c"}


async def test_a_schedule_shows_what_it_is_watched_for_and_what_is_wrong(reader: Reader) -> None:
    before = await reader.after((SCHEDULE, created()))
    hook = AlertWebhook(url="https://hooks.example.org/", secret="secret://hook")
    alerts = Alerts(late_after_s=600.0, failures_in_a_row=3, email=(OPS,), webhook=(hook,))
    await reader.after((SCHEDULE, ScheduleAlertsEdited(alerts=alerts)))
    name = SCHEDULE.id
    late = AlertRaised(alert="late", incident="late.1", since=START, limit_s=600.0, due=START, run="r")
    failures = AlertRaised(alert="failures", incident="failures.r", since=START, count=3, run="r")
    wrong = await reader.after((alert_stream("acme", name), late), (alert_stream("acme", name), failures))
    await reader.after((alert_stream("acme", name), AlertRecovered(alert="late", incident="late.1", cause="started")))

    shown = await reader.views.schedule("acme", name)
    assert shown is not None
    assert shown["version"] == 2
    assert shown["alerts"] == {
        "late_after": "PT10M",
        "runs_longer_than": None,
        "no_progress_in": None,
        "no_success_in": None,
        "failures_in_a_row": 3,
        "on_recovery": True,
        "email": [OPS],
        "webhook": [{"url": "https://hooks.example.org/", "secret": "secret://hook", "previous_secret": None}],
        "heartbeat": None,
    }
    assert [one["alert"] for one in shown["incidents"]] == ["failures"]
    then = await reader.views.schedule("acme", name, position=wrong)
    assert then is not None
    assert {one["alert"] for one in then["incidents"]} == {"late", "failures"}
    first = await reader.views.schedule("acme", name, position=before)
    assert first is not None
    assert (first["alerts"]["email"], first["incidents"]) == ([], [])
    assert await Outbox(reader.pool).watched() == [schedule_stream("acme", name)]

    await reader.after((SCHEDULE, ScheduleAlertsEdited(alerts=Alerts())))
    assert await Outbox(reader.pool).watched() == []
