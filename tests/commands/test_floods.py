"""A flood of alerts: the first of an hour are mails of their own, one digest counts the others (REL89)."""

from datetime import timedelta

from eventjobs.commands.context import Limits
from eventjobs.commands.spec import CommandFields
from eventjobs.domain.mailbox import NAMED
from eventjobs.domain.streams import notification_stream
from eventjobs.events.mailbox import MailboxSpared, MailboxSummedUp, MailboxTold
from eventjobs.events.notification import (
    NotificationAttempted,
    NotificationFailed,
    NotificationRequested,
    NotificationSuppressed,
)
from eventjobs.events.run import Ref
from tests.support.story import NOON, WORKSPACE, Fact, Story, command

OPS = "ops@example.org"
LIMIT = 2


def flood(number: int, *, channel: str = "email", kind: str = "alert.raised", recipient: str = OPS) -> Story:
    """So many messages that wait for their first try: `m0` about the schedule `s0`, and so on."""
    story = Story(limits=Limits(alert_mails_per_hour=LIMIT))
    return story.given(
        *(
            (
                notification_stream(WORKSPACE, f"m{place}"),
                NotificationRequested(
                    kind=kind,
                    channel=channel,
                    recipient=recipient,
                    subject=Ref(kind="schedule", id=f"s{place}"),
                    about={"alert": "late"},
                ),
            )
            for place in range(number)
        )
    )


def begin(name: str) -> CommandFields:
    return command("BeginDelivery", notification=name)


def digest_of(story: Story) -> str:
    (name,) = [
        stream.id
        for stream, events in story.streams.items()
        if stream.kind == "notification" and getattr(events[0], "kind", "") == "alert.digest"
    ]
    return name


def test_REL89_the_first_alerts_of_an_hour_are_mails_of_their_own() -> None:
    story = flood(LIMIT)
    for name in ("m0", "m1"):
        story.when(begin(name)).then(MailboxTold(notification=name), Fact(NotificationAttempted, attempt=1))


def test_REL89_one_more_is_suppressed_and_a_digest_is_wanted_for_the_end_of_the_hour() -> None:
    story = flood(LIMIT + 2).given(begin("m0"), begin("m1"))

    outcome = story.when(begin("m2"))
    digest = digest_of(story)
    outcome.then(
        Fact(NotificationRequested, kind="alert.digest", recipient=OPS, not_before=NOON + timedelta(hours=1)),
        MailboxSpared(notification="m2", subject=Ref(kind="schedule", id="s2"), digest=digest),
        NotificationSuppressed(digest=digest),
    )
    assert "attempt" not in outcome.answer
    story.when(begin("m3")).then(Fact(MailboxSpared, notification="m3", digest=digest), Fact(NotificationSuppressed))
    story.when(begin("m2")).then_nothing()


def test_REL89_the_digest_says_how_many_there_were_and_each_try_says_the_same() -> None:
    story = flood(LIMIT + 3).given(*(begin(f"m{place}") for place in range(LIMIT + 3)))
    digest = digest_of(story)
    story.when(begin(digest)).then_nothing()

    outcome = story.after(minutes=60).when(begin(digest))
    outcome.then(MailboxSummedUp(digest=digest), Fact(NotificationAttempted, attempt=1))
    said = outcome.answer["wanted"].about
    assert (said["told"], said["suppressed"]) == (2, 3)
    assert said["subjects"] == {"schedule s2": 1, "schedule s3": 1, "schedule s4": 1}

    again = story.after(minutes=2).when(begin(digest))
    again.then(Fact(NotificationFailed, reason="interrupted"), Fact(NotificationAttempted, attempt=2))
    assert again.answer["wanted"].about == said


def test_REL89_a_new_hour_begins_to_count_anew() -> None:
    story = flood(LIMIT + 2).given(*(begin(f"m{place}") for place in range(LIMIT + 1))).after(minutes=60)

    story.when(begin("m3")).then(MailboxTold(notification="m3"), Fact(NotificationAttempted))


def test_REL89_who_comes_with_an_older_clock_when_the_digest_is_out_is_mailed_and_not_lost() -> None:
    story = flood(LIMIT + 2).given(*(begin(f"m{place}") for place in range(LIMIT + 1)))
    story.after(minutes=60).given(begin(digest_of(story)))

    story.after(minutes=-30).when(begin("m3")).then(Fact(NotificationAttempted, attempt=1))


def test_REL89_a_digest_names_some_and_counts_all() -> None:
    story = flood(LIMIT + NAMED + 5).given(*(begin(f"m{place}") for place in range(LIMIT + NAMED + 5)))

    said = story.after(minutes=60).when(begin(digest_of(story))).answer["wanted"].about
    assert (said["suppressed"], len(said["subjects"])) == (NAMED + 5, NAMED)


def test_REL89_a_second_try_counts_no_second_time() -> None:
    story = flood(LIMIT).given(begin("m0")).after(minutes=2)

    story.when(begin("m0")).then(Fact(NotificationFailed), Fact(NotificationAttempted, attempt=2))
    story.when(begin("m1")).then(MailboxTold(notification="m1"), Fact(NotificationAttempted))


def test_programs_are_told_everything() -> None:
    for channel, kind in (("webhook", "alert.raised"), ("heartbeat", "heartbeat")):
        story = flood(LIMIT + 1, channel=channel, kind=kind, recipient="https://x.test/")
        for place in range(LIMIT + 1):
            story.when(begin(f"m{place}")).then(Fact(NotificationAttempted, attempt=1))
