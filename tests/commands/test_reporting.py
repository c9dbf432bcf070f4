"""Reports that are wanted: one per run, channel and recipient, whoever asks for it again (SPEC decision 9)."""

from datetime import timedelta
from typing import Any

import pytest

from eventjobs.commands.reporting import report_to
from eventjobs.commands.world import World
from eventjobs.domain.notification_policy import Recipients
from eventjobs.domain.report import DETAIL_CHARS, ExpiryReport, NotRunReport, Report
from eventjobs.events.notification import NotificationRequested
from tests.support.reports import DUE, GROUP, RUN, job, run_report
from tests.support.story import WORKSPACE, Fact, Story

TWENTY = [f"a{n}@example.org" for n in range(20)]


def report(story: Story, what: Report, *recipients: str) -> list[Any]:
    """Decide a report as a command would, and take what it emits as happened."""
    world = World(WORKSPACE, {}, story.load)
    report_to(world, story.context, Recipients(email=recipients), what)
    story.given(*world.emitted)
    return [event for _, event in world.emitted]


def test_G71_a_run_is_told_once_to_each_of_twenty_recipients() -> None:
    story = Story()
    told = report(story, run_report(), *TWENTY)

    assert [event.recipient for event in told] == TWENTY
    assert told[0] == Fact(NotificationRequested, kind="run.ended", channel="email", subject=GROUP, run=RUN)
    assert report(story, run_report(state="succeeded"), *TWENTY) == []
    assert len(report(story, run_report(run="another"), *TWENTY)) == 20
    assert len({stream.id for stream in story.streams if stream.kind == "notification"}) == 40


def not_run(due: Any) -> NotRunReport:
    return NotRunReport(
        owner=GROUP, name="", time_zone="America/New_York", at=due, outcome="skipped", reason="overlap", due=due
    )


def test_G70_runs_that_did_not_take_place_are_told_once_a_local_day() -> None:
    story = Story()  # it was 21:21 in New York
    assert len(report(story, not_run(DUE), "a@example.org")) == 1
    assert report(story, not_run(DUE + timedelta(hours=2)), "a@example.org") == []
    assert len(report(story, not_run(DUE + timedelta(hours=3)), "a@example.org")) == 1


@pytest.mark.parametrize("other", [{"days_left": 1}, {"became": "deleted"}, {"expires_on": "2027-01-31"}])
def test_G61_each_warning_of_an_expiry_is_told_once(other: dict[str, Any]) -> None:
    story = Story()
    warning: dict[str, Any] = {"owner": GROUP, "name": "", "at": DUE, "expires_on": "2026-12-31", "days_left": 7}
    assert len(report(story, ExpiryReport(**warning), "a@example.org")) == 1
    assert report(story, ExpiryReport(**warning), "a@example.org") == []
    assert len(report(story, ExpiryReport(**{**warning, **other}), "a@example.org")) == 1


def test_G68_what_is_told_is_kept_in_values_that_json_has_and_long_errors_are_cut() -> None:
    (event,) = report(Story(), run_report(jobs=[job("contacts", "failed", detail="x" * 2_000)]), "a@example.org")

    assert event.about["at"] == "2026-12-02T02:22:15Z"
    assert event.about["planned"] == {"date": "2026-12-02", "window": "03:15-03:29", "minute": "03:21"}
    (row,) = event.about["jobs"]
    assert (row["started_at"], row["duration_s"], row["counts"]["added"]) == ("2026-12-02T02:21:00Z", 12.0, 30)
    assert len(row["detail"]) == DETAIL_CHARS
