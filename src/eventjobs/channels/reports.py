"""What a report of a group or a single Connect job says, for people (G64 to G71)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from eventjobs.channels.message import Message
from eventjobs.channels.spans import span
from eventjobs.domain import zones
from eventjobs.domain.report import ExpiryReport, HookReport, NotRunReport, RunReport, SucceededReport

OF_A_RUN: Final = frozenset({RunReport.KIND, SucceededReport.KIND})
KINDS: Final = OF_A_RUN | {HookReport.KIND, NotRunReport.KIND, ExpiryReport.KIND}
COUNTED: Final = ("processed", "added", "updated", "rejected")
ENDINGS: Final = {"aborted": "was stopped", "skipped": "did not run"}
CAUSES: Final = {"manual": "by hand", "scheduled": "its schedule", "catch_up": "its schedule, to catch up"}


def verb(message: Message) -> str:
    """Return what became of its owner, in fixed words and numbers: it stands in the subject."""
    about = message.about
    if message.kind == NotRunReport.KIND:
        return f"did not run: {'missed' if about.get('outcome') == 'missed' else 'skipped'}"
    if message.kind == ExpiryReport.KIND:
        return _expiry(about)
    if message.kind == HookReport.KIND:
        return "succeeded, and a call after that did not get through"
    state = str(about.get("state", ""))
    if state != "succeeded":
        return ENDINGS.get(state, "failed")
    rejected = int(about.get("rejected") or 0)
    flagged = f" with {rejected} rejected record{'' if rejected == 1 else 's'}" if rejected else ""
    return f"succeeded{' again' if about.get('recovered') else ''}{flagged}"


def headline(message: Message) -> str:
    """Return the one sentence that says it, with the owner's name."""
    name = " ".join(_text(message.about.get("name")).split())
    called = f"{message.subject_kind.capitalize()} {message.subject}"
    return f"{called}{f' ({name})' if name else ''} {verb(message)}."


def facts(message: Message) -> Sequence[tuple[str, str]]:
    """Return what is known about it, as labels and values."""
    return [(label, value) for label, value in _facts(message) if value]


def jobs(message: Message) -> Sequence[Mapping[str, Any]]:
    """Return the jobs of the run in their order, each as the texts of its row in the table."""
    zone = message.about.get("time_zone")
    return [_row(place, job, zone) for place, job in enumerate(message.about.get("jobs", ()), 1)]


def _facts(message: Message) -> Iterator[tuple[str, str]]:
    about, of_run = message.about, message.kind in OF_A_RUN
    of_hook = message.kind == HookReport.KIND
    zone = about.get("time_zone")
    yield "Workspace", message.workspace
    yield "Run", _text(message.run)
    yield "In the run of group", _text(about.get("in_group"))
    yield "Reason", _words(about.get("reason"))
    yield "Started by", _trigger(about)
    yield "Planned", _planned(about)
    yield "Call to", _text(about.get("hook"))
    yield "Tries" if of_hook else "How many", _text(about.get("count"))
    yield "Last of them", _moment(about.get("last"), zone)
    yield "Start", _moment(about.get("started_at"), zone)
    yield "End", _moment(about["at"], zone) if of_run else ""
    yield "Duration", _span(about.get("duration_s"))
    yield "Next run", _text(about.get("next") or "none") if of_run or message.kind == NotRunReport.KIND else ""
    yield "Times in", _text(zone)
    yield "Expires", _expires(about) if of_run or message.kind == ExpiryReport.KIND else ""


def _row(place: int, job: Mapping[str, Any], zone: str | None) -> Mapping[str, Any]:
    counts = job.get("counts") or {}
    reason = _words(job.get("reason"))
    return {
        "place": place,
        "job": job["job"],
        "name": _text(job.get("name")),
        "state": job["state"],
        "start": _moment(job.get("started_at"), zone),
        "duration": _span(job.get("duration_s")),
        "counts": {name: f"{counts[name]:,}" if name in counts else "" for name in COUNTED},
        "error": ": ".join(part for part in (reason, _text(job.get("detail"))) if part),
    }


def _trigger(about: Mapping[str, Any]) -> str:
    cause = about.get("cause")
    who = f", {about['by']}" if about.get("by") else ""
    return f"{CAUSES.get(cause, str(cause))}{who}" if cause else ""


def _planned(about: Mapping[str, Any]) -> str:
    planned = about.get("planned")
    if not planned:
        return ""
    return f"{planned['date']}, {planned['window']}; the drawn minute is {planned['minute']}"


def _expires(about: Mapping[str, Any]) -> str:
    left = about.get("days_left")
    return f"{about.get('expires_on') or 'never'}{'' if left is None else f', {_days(left)} left'}"


def _expiry(about: Mapping[str, Any]) -> str:
    became = about.get("became")
    if became is not None:
        return f"has expired and was {'deactivated' if became == 'deactivated' else 'deleted'}"
    left = int(about.get("days_left") or 0)
    return f"expires in {_days(left)}" if left else "expires today"


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def _moment(text: str | None, zone: str | None) -> str:
    """Return an instant in whole seconds as the owner's wall clock shows it."""
    if text is None or zone is None:
        return _text(text)
    return f"{zones.shown_in(zone, datetime.fromisoformat(text)).local:%Y-%m-%d %H:%M:%S}"


def _span(seconds: float | None) -> str:
    return "" if seconds is None else span(seconds)


def _words(value: Any) -> str:
    return _text(value).replace("_", " ")


def _text(value: Any) -> str:
    return "" if value is None else str(value)
