"""A message on its way: tries, doubts, and its end (SPEC decision 9)."""

from datetime import timedelta
from typing import Any

from eventjobs.commands.spec import CommandFields
from eventjobs.domain.notification import WAITS_S
from eventjobs.domain.streams import notification_stream
from eventjobs.events.alert import AlertRecipientDisabled
from eventjobs.events.notification import (
    NotificationAttempted,
    NotificationFailed,
    NotificationGivenUp,
    NotificationRequested,
    NotificationSent,
)
from eventjobs.events.run import Ref
from tests.support.bodies import schedule, service, workspace
from tests.support.story import WORKSPACE, Fact, Story, command

ID = "0123456789abcdef"


def wanted(channel: str = "webhook", recipient: str = "https://x.test/", kind: str = "schedule") -> Story:
    event = NotificationRequested(
        kind="alert.raised",
        channel=channel,
        recipient=recipient,
        subject=Ref(kind=kind, id="nightly"),
        about={"alert": "late"},
    )
    return Story().given((notification_stream(WORKSPACE, ID), event))


def begin() -> CommandFields:
    return command("BeginDelivery", notification=ID)


def end(attempt: int = 1, outcome: str = "failed", **fields: Any) -> CommandFields:
    return command("EndDelivery", notification=ID, attempt=attempt, outcome=outcome, **fields)


def test_of_two_instances_that_would_send_one_begins() -> None:
    story = wanted()

    begun = story.when(begin(), instance="one")
    begun.then(NotificationAttempted(attempt=1, instance="one", until=story.now + timedelta(seconds=60)))
    assert begun.answer["attempt"] == 1
    assert begun.answer["wanted"].recipient == "https://x.test/"
    story.when(begin(), instance="two").then_nothing()


def test_a_try_that_got_through_is_the_last() -> None:
    story = wanted().given(begin())

    story.when(end(outcome="sent", detail="200")).then(NotificationSent(attempt=1, detail="200"))
    story.when(begin()).then_nothing()
    story.when(end(outcome="sent")).then_nothing()


def test_a_try_that_failed_is_made_again_after_its_wait() -> None:
    story = wanted().given(begin())
    again = story.now + timedelta(seconds=WAITS_S[0])

    story.when(end(reason="refused", detail="503")).then(
        NotificationFailed(attempt=1, reason="refused", detail="503", ambiguous=False, retry_at=again)
    )
    story.after(seconds=WAITS_S[0] - 1).when(begin()).then_nothing()
    story.after(seconds=1).when(begin()).then(Fact(NotificationAttempted, attempt=2))


def test_a_receiver_may_ask_for_a_longer_wait_and_not_for_more_than_a_day() -> None:
    story = wanted().given(begin())
    story.when(end(asked_s=3_600)).then(Fact(NotificationFailed, retry_at=story.now + timedelta(hours=1)))

    story = wanted().given(begin())
    story.when(end(asked_s=1e9)).then(Fact(NotificationFailed, retry_at=story.now + timedelta(days=1)))


def test_P20_a_try_that_never_says_how_it_ended_is_counted_as_ambiguous_and_made_again() -> None:
    story = wanted().given(begin()).after(seconds=59)
    story.when(begin(), instance="two").then_nothing()

    story.after(seconds=1).when(begin(), instance="two").then(
        NotificationFailed(
            attempt=1,
            reason="interrupted",
            detail="nobody knows how the try ended",
            ambiguous=True,
            retry_at=story.now,
        ),
        Fact(NotificationAttempted, attempt=2, instance="two"),
    )
    story.when(end(attempt=1, outcome="sent")).then_nothing()
    assert story.load(notification_stream(WORKSPACE, ID)).state.ambiguous == 1


def test_P20_after_the_last_try_it_is_given_up_with_its_doubts_counted() -> None:
    story = wanted()
    for attempt in range(1, len(WAITS_S) + 1):
        outcome = "ambiguous" if attempt % 2 else "failed"
        story.given(begin(), end(attempt, outcome, reason="timeout")).after(days=1)

    last = len(WAITS_S) + 1
    story.given(begin()).when(end(last, reason="refused")).then(
        Fact(NotificationFailed, attempt=last, retry_at=None),
        NotificationGivenUp(attempts=last, ambiguous=5, reason="refused"),
    )
    story.after(days=9).when(begin()).then_nothing()


def test_what_another_try_would_only_meet_again_is_given_up_at_once() -> None:
    story = wanted().given(begin())

    story.when(end(reason="refused", retryable=False)).then(
        Fact(NotificationFailed, retry_at=None), NotificationGivenUp(attempts=1, ambiguous=0, reason="refused")
    )


def test_who_is_gone_is_told_nothing_more() -> None:
    story = wanted().given(begin())

    story.when(end(reason="gone", retryable=False)).then(
        Fact(NotificationFailed),
        Fact(NotificationGivenUp, reason="gone"),
        ("alert:nightly", AlertRecipientDisabled(channel="webhook", recipient="https://x.test/")),
    )


def test_a_heartbeat_that_is_late_is_given_up_soon() -> None:
    story = wanted("heartbeat")
    for attempt in (1, 2):
        story.given(begin(), end(attempt)).after(minutes=5)

    story.given(begin()).when(end(3)).then(Fact(NotificationFailed), Fact(NotificationGivenUp, attempts=3))


def test_who_is_gone_for_a_group_is_no_recipient_of_the_schedule_of_that_name() -> None:
    story = wanted(kind="group").given(begin())

    outcome = story.when(end(reason="gone", retryable=False))
    outcome.then(Fact(NotificationFailed, reason="gone"), Fact(NotificationGivenUp))
    assert not any(stream.kind == "alert" for stream in outcome.named)


def test_REL82_the_other_recipients_are_told_once_that_one_is_gone() -> None:
    hooks = [{"url": f"https://{name}.test/token", "secret": "secret://hook"} for name in ("x", "y")]
    alerts = {"late_after": "PT10M", "email": ["ops@example.org"], "webhook": hooks}
    watched = command("EditScheduleAlerts", id="nightly", alerts=alerts)
    story = wanted(recipient="https://x.test/token").given(workspace(), service(), schedule(), watched, begin())

    outcome = story.when(end(reason="gone", retryable=False))
    outcome.then(
        Fact(NotificationFailed, reason="gone"),
        Fact(NotificationGivenUp),
        Fact(AlertRecipientDisabled, recipient="https://x.test/token"),
        Fact(NotificationRequested, kind="alert.recipient_disabled", recipient="ops@example.org"),
        Fact(NotificationRequested, kind="alert.recipient_disabled", recipient="https://y.test/token"),
    )
    assert outcome.facts[-1].about["gone"] == "webhook x.test"
