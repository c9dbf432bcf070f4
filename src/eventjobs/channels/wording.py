"""What a message says, for people: one line, one sentence, and the facts behind it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from eventjobs.channels import reports
from eventjobs.channels.message import Message
from eventjobs.channels.spans import span

PROBLEMS: Final = {
    "late": "is late",
    "too_long": "runs for too long",
    "stuck": "makes no progress",
    "no_success": "had no success for too long",
    "failures": "failed several times in a row",
}
RECOVERIES: Final = {
    "late": "started at last",
    "too_long": "is over",
    "stuck": "goes on",
    "no_success": "had a success",
    "failures": "had a success",
}
LABELS: Final = (
    ("workspace", "Workspace"),
    ("description", "Description"),
    ("due", "Due"),
    ("last", "Last of them due"),
    ("since", "Since"),
    ("limit_s", "Limit"),
    ("count", "How many"),
    ("reason", "Reason"),
    ("run", "Run"),
    ("state", "Ended"),
    ("gone", "Gone"),
    ("told", "Mailed one by one"),
    ("suppressed", "Suppressed"),
    ("at", "Seen"),
)
"""What is told of a message, in this order."""


def subject(message: Message) -> str:
    """Return the line under which a mail is listed; it holds ids and fixed words only."""
    done = "recovered: " if message.kind == "alert.recovered" else ""
    return f"[eventjobs] {done}{message.subject_kind} {message.subject} {_verb(message)} ({message.workspace})"


def headline(message: Message) -> str:
    """Return the one sentence that says it."""
    if message.kind in reports.KINDS:
        return reports.headline(message)
    return f"{message.subject_kind.capitalize()} {message.subject} {_verb(message)}."


def facts(message: Message) -> Sequence[tuple[str, str]]:
    """Return what is known about it, as labels and values."""
    return reports.facts(message) if message.kind in reports.KINDS else list(_facts(message))


def failed_jobs(message: Message) -> Sequence[Mapping[str, Any]]:
    """Return the jobs that failed, where it is about failures."""
    return list(message.about.get("failed_jobs", ()))


def suppressed(message: Message) -> Sequence[tuple[str, int]]:
    """Return whose alerts were only counted, and how often, the loudest first."""
    return sorted(message.about.get("subjects", {}).items(), key=lambda one: (-one[1], one[0]))


def _verb(message: Message) -> str:
    if message.kind in reports.KINDS:
        return reports.verb(message)
    alert = str(message.about.get("alert", ""))
    if message.kind == "alert.recovered":
        return RECOVERIES.get(alert, "recovered")
    if message.kind == "alert.raised":
        if alert == "failures" and message.about.get("count") == 1:
            return "failed"
        return _late(message.about) if alert == "late" else PROBLEMS.get(alert, "needs you")
    if message.kind == "alert.recipient_disabled":
        return "lost a recipient: it says that it is gone"
    if message.kind == "alert.digest":
        return f"raised too many alerts: {message.about.get('suppressed', 0)} suppressed"
    return "says hello: messages arrive here"


def _late(about: Mapping[str, Any]) -> str:
    if about.get("reason"):
        return "missed what was due"
    return "started late" if about.get("settled") else "is late"


def _facts(message: Message) -> Iterator[tuple[str, str]]:
    known: dict[str, Any] = {**message.about, "workspace": message.workspace, "run": message.run}
    for name, label in LABELS:
        value = known.get(name)
        if value is not None:
            yield (
                label,
                span(value) if name == "limit_s" else str(value).replace("_", " ") if name == "reason" else str(value),
            )
