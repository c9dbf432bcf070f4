"""Reports of a group's run, as those who are to be told of it get them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from eventjobs.channels.message import Message
from eventjobs.commands.notifying import message as wanted
from eventjobs.domain.notification import Channel
from eventjobs.domain.report import JobReport, Report, RunReport
from eventjobs.events.run import Ref

GROUP = Ref(kind="group", id="nightly-contacts")
DUE = datetime(2026, 12, 2, 2, 21, tzinfo=UTC)
RUN = "group.nightly-contacts.1.20261202t022100z"
OPS = "ops@example.org"


def job(the_id: str, state: str = "succeeded", **fields: Any) -> JobReport:
    """A job that began with the run and took 12 seconds."""
    counts = {"processed": 1_200, "added": 30, "updated": 4}
    times = {"started_at": DUE, "ended_at": DUE + timedelta(seconds=12)}
    return JobReport(**{"job": Ref(kind="import", id=the_id), "state": state, "counts": counts, **times, **fields})


def run_report(**fields: Any) -> RunReport:
    """A run of three jobs that stopped at the second."""
    known: dict[str, Any] = {
        "owner": GROUP,
        "name": "Contacts",
        "time_zone": "Europe/Berlin",
        "run": RUN,
        "state": "failed",
        "reason": "error",
        "cause": "scheduled",
        "due": DUE,
        "started_at": DUE,
        "ended_at": DUE + timedelta(seconds=75),
        "jobs": [
            job("contacts", name="All contacts"),
            job("extension", "failed", reason="error", detail="column <age> is no number", counts={"rejected": 3}),
            JobReport(job=Ref(kind="import", id="phones"), state="skipped", reason="earlier_failed"),
        ],
        "next_due": DUE + timedelta(days=1),
        "expires_on": "2026-12-31",
        "days_left": 29,
    }
    return RunReport(**{**known, **fields})


def as_message(report: Report, recipient: str = OPS, **fields: Any) -> Message:
    """The message that a report becomes."""
    event = wanted(
        Channel.EMAIL, recipient, kind=report.KIND, subject=report.owner, run=report.run, about=report.about()
    )
    known: dict[str, Any] = {
        "id": "0123456789abcdef",
        "workspace": "acme",
        "kind": event.kind,
        "subject_kind": event.subject.kind,
        "subject": event.subject.id,
        "recipient": recipient,
        "run": event.run,
        "about": event.about,
        "link": f"https://jobs.example.org/v1/acme/runs/{event.run}",
    }
    return Message(**{**known, **fields})
