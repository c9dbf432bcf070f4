"""
Every kind of event as one sentence that a person understands.

A sentence is made from what the event's document says and, for the rows of a run, from the run's opening, if that was
told before.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Data = Mapping[str, Any]
Teller = Callable[[str, Data], str]

CAUSES: Final = {"manual": "by hand", "scheduled": "because it was due", "catch_up": "to catch up"}
COUNTED: Final = ("processed", "added", "updated", "rejected")


class Narrator:
    """Tells events in their order; it remembers which job each row of a run is."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, int], str] = {}

    def tell(self, event: Mapping[str, Any]) -> str:
        """Return the sentence for an event's document, on one line; an unknown type is told by its name."""
        kind, _, subject = str(event["stream"]).partition(":")
        data: Data = event.get("data") or {}
        if event["type"] == "run.opened":
            self._jobs.update({(subject, job["row"]): job["job"]["id"] for job in data.get("jobs", ())})
        teller = TELLERS.get(event["type"])
        if teller is None:
            return f"{kind.capitalize()} {subject}: {event['type']}."
        about = self.job(subject, data["row"]) if kind == "run" and "row" in data else subject
        return " ".join(teller(about, data).split())

    def knows(self, event: Mapping[str, Any]) -> bool:
        """Whether the job that an event is about can be named."""
        kind, _, subject = str(event["stream"]).partition(":")
        row = (event.get("data") or {}).get("row")
        return kind != "run" or row is None or (subject, row) in self._jobs

    def job(self, run: str, row: int) -> str:
        """Return the id of the job in a row of a run, or the row's number where the opening was not told."""
        return self._jobs.get((run, row), f"row {row}")


def cadence_text(cadence: Data) -> str:
    """Return when a schedule runs, in words."""
    start = f"{cadence['start_date']} {cadence['start_time']} {cadence['time_zone']}"
    if cadence["unit"] == "once":
        return f"once, on {start}"
    every = cadence["unit"] if cadence["every"] == 1 else _many(cadence["every"], cadence["unit"])
    return f"every {every} from {start}"


def _opened(run: str, data: Data) -> str:
    stages = len({job["seq"] for job in data["jobs"] if not job["skip_wait"]})
    what = f"{_many(len(data['jobs']), 'job')} in {_many(stages, 'stage')}"
    due = f", due {_at(data['due'])}" if data.get("due") else ""
    behind = data.get("missed_occurrences", 0)
    covers = f"; it also stands for {_many(behind, 'later occurrence')}" if behind else ""
    return f"Run {run} of {_owner(data['owner'])} opened {_cause(data)}{due}: {what}{covers}."


def _missed(_: str, data: Data) -> str:
    covered = f"; run {data['covered_by']} stands for it" if data.get("covered_by") else ""
    return f"The occurrence of {_owner(data['owner'])} due {_at(data['due'])} was missed ({data['reason']}){covered}."


def _attempt_ended(job: str, data: Data) -> str:
    again = f"; it tries again at {_at(data['retry_at'])}" if data.get("retry_at") else ""
    return f"Attempt {data['attempt']} of {job} {_ending(data)}{_counts(data['counts'])}{again}."


def _progressed(job: str, data: Data) -> str:
    share = "" if data["fraction"] is None else f" is {data['fraction']:.0%} done"
    text = f": {data['text']}" if data["text"] else ""
    return f"Job {job}{share or ' goes on'}{text}."


def _waiting(job: str, data: Data) -> str:
    if data.get("joined"):
        return f"Job {job} is busy and awaited; this one takes the result of run {data['joined']}."
    return f"Job {job} is busy with run {data['holder']}; this one waits until {_at(data['deadline'])} at the latest."


def _job_ended(job: str, data: Data) -> str:
    joined = f", as run {data['joined']} did" if data.get("joined") else ""
    return f"Job {job} {_ending(data)}{_counts(data['counts'])}{joined}."


def _ended(run: str, data: Data) -> str:
    counts = ", ".join(f"{number} {state}" for state, number in data["counts"].items() if number)
    return f"Run {run} {_ending(data)}{f': {counts}' if counts else ''}."


def _created(schedule: str, data: Data) -> str:
    state = "active" if data["active"] else "inactive"
    jobs = _many(len(data["jobs"]), "job")
    return f"Schedule {schedule} was created, {state}, with {jobs}, {cadence_text(data['cadence'])}{_next(data)}."


def _cadence_edited(schedule: str, data: Data) -> str:
    return f"Schedule {schedule} now runs {cadence_text(data['cadence'])}{_next(data)}."


def _schedule_opened(schedule: str, data: Data) -> str:
    return f"Schedule {schedule} started run {data['run']} {_cause(data)}{_next(data)}."


def _until(data: Data) -> str:
    return f" until {_at(data['until'])}" if data.get("until") else ""


def _note(data: Data) -> str:
    return f": “{data['note']}”" if data.get("note") else ""


def _queued(schedule: str, data: Data) -> str:
    behind = f" behind run {data['open_run']}" if data.get("open_run") else ""
    limit = f", {_many(data['limit'], 'run')} at once" if data.get("limit") else ""
    why = f" ({data['reason']}{limit})"
    return f"The occurrence of schedule {schedule} due {_at(data['due'])} waits{behind}{why}{_next(data)}."


def _stop_asked(run: str, data: Data) -> str:
    how = "at once" if data["mode"] == "now" else "after the jobs that run"
    why = f", to make room for {data['displaced_by']}" if data.get("displaced_by") else ""
    return f"Run {run} was asked to stop {how}{why}."


def _place(workspace: str) -> str:
    return "everywhere" if workspace == "*" else f"in workspace {workspace}"


def _occurrences(word: str) -> Teller:
    def tell(schedule: str, data: Data) -> str:
        many = data["count"] > 1
        when = f"from {_at(data['first'])} to {_at(data['last'])}" if many else f"due {_at(data['first'])}"
        verb = "were" if many else "was"
        what = _many(data["count"], "occurrence")
        return f"{what} of schedule {schedule} {when} {verb} {word} ({data['reason']}){_next(data)}."

    return tell


def _key_issued(key: str, data: Data) -> str:
    only = ", read only" if data["read_only"] else ""
    until = f", until {_at(data['expires_at'])}" if data.get("expires_at") else ""
    places = ["every workspace" if place == "*" else place for place in data["workspaces"]]
    return f"Key {key} was issued: {_list(data['roles'])} in {_list(places)}{only}{until}."


def _refused(_: str, data: Data) -> str:
    return f"{data['action']} in workspace {data['workspace']} was refused: it needs {_list(data['needed'], 'or')}."


def _clock(_: str, data: Data) -> str:
    way = "ahead" if data["step_s"] > 0 else "back"
    return f"The clock stepped {way} by {abs(data['step_s']):.1f} s at instance {data['instance']}."


def _service(verb: str) -> Teller:
    return lambda service, data: f"Service {service} was {verb}: {data['name']}, done by {data['handler']}."


def _closed(kind: str) -> Teller:
    return lambda subject, data: f"{kind} {subject}: run {data['run']} {_ending(data)}."


def _turn(sentence: str) -> Teller:
    def tell(service: str, data: Data) -> str:
        deadline = _at(data["deadline"]) if "deadline" in data else ""
        other = (data.get("with_turn") or {}).get("run", "")
        return sentence.format(service=service, run=data["turn"]["run"], other=other, deadline=deadline)

    return tell


TELLERS: Final[Mapping[str, Teller]] = {
    "access.attempt_refused": _refused,
    "access.key_issued": _key_issued,
    "access.key_revoked": lambda key, _: f"Key {key} was revoked.",
    "attempt.ended": _attempt_ended,
    "attempt.progressed": _progressed,
    "attempt.started": lambda job, data: f"Attempt {data['attempt']} of {job} began.",
    "job_run.ended": _job_ended,
    "job_run.waiting": _waiting,
    "log.clock_step_observed": _clock,
    "log.created": lambda _, data: f"The log {data['log_id']} was begun.",
    "log.instance_resumed": lambda _, data: (
        f"Instance {data['instance']} answers what is due again, after {data['away_s']:.0f} s in which it could not."
    ),
    "log.instance_started": lambda _, data: f"Instance {data['instance']} came up, with zone data {data['zone_data']}.",
    "log.zone_data_adopted": lambda _, data: (
        f"All instances go by zone data {data['version']} from now on"
        f"{', before by ' + data['previous'] if data.get('previous') else ''}."
    ),
    "run.delayed": lambda run, data: (
        f"Run {run} waits for a place: instance {data['instance']} works on {_many(data['limit'], 'run')} at once."
    ),
    "run.ended": _ended,
    "run.missed": _missed,
    "run.opened": _opened,
    "run.skipped": lambda _, data: (
        f"The occurrence of {_owner(data['owner'])} due {_at(data['due'])} was skipped ({data['reason']})."
    ),
    "run.stop_requested": _stop_asked,
    "run.taken_over": lambda run, data: (
        f"Run {run} was taken over by instance {data['instance']} in term {data['term']} ({data['cause']})."
    ),
    "schedule.activated": lambda schedule, data: f"Schedule {schedule} was activated{_next(data)}.",
    "schedule.cadence_edited": _cadence_edited,
    "schedule.created": _created,
    "schedule.deleted": lambda schedule, _: f"Schedule {schedule} was deleted.",
    "schedule.described": lambda schedule, data: f"Schedule {schedule} is now described as “{data['description']}”.",
    "schedule.inactivated": lambda schedule, _: f"Schedule {schedule} was inactivated.",
    "schedule.jobs_edited": lambda schedule, data: (
        f"Schedule {schedule} now has other jobs: {_list([row['job']['id'] for row in data['jobs']])}."
    ),
    "schedule.occurrence_dropped": lambda schedule, data: (
        f"The occurrence of schedule {schedule} due {_at(data['due'])} waits no more: "
        f"{data['outcome']} ({data['reason']})."
    ),
    "schedule.occurrence_queued": _queued,
    "schedule.occurrences_missed": _occurrences("missed"),
    "schedule.occurrences_skipped": _occurrences("skipped"),
    "schedule.paused": lambda schedule, data: (
        f"Schedule {schedule} was paused by {data['by']}{_until(data)}{_note(data)}."
    ),
    "schedule.policies_edited": lambda schedule, data: f"Schedule {schedule} has other policies{_next(data)}.",
    "schedule.run_closed": _closed("Schedule"),
    "schedule.run_opened": _schedule_opened,
    "schedule.unpaused": lambda schedule, data: (
        f"The pause of schedule {schedule} {'is over' if data['cause'] == 'until' else 'was ended'}{_note(data)}."
    ),
    "schedule.zone_data_adopted": lambda schedule, data: (
        f"Schedule {schedule} goes by zone data {data['version']}{_next(data)}."
    ),
    "service.added": _service("added"),
    "service.attached": lambda service, data: f"Service {service} is used by schedule {data['schedule']}.",
    "service.awaited": _turn("Run {run} waits for service {service}, until {deadline} at the latest."),
    "service.claimed": _turn("Run {run} has service {service} for itself."),
    "service.configured": _service("configured"),
    "service.deleted": lambda service, _: f"Service {service} was deleted.",
    "service.detached": lambda service, data: f"Service {service} is used by schedule {data['schedule']} no more.",
    "service.joined": _turn("Run {run} shares service {service} with run {other}."),
    "service.released": _turn("Run {run} gave service {service} up."),
    "service.run_closed": _closed("Service"),
    "service.run_opened": lambda service, data: f"Service {service} started run {data['run']} {_cause(data)}.",
    "starts.delayed": lambda _, data: (
        f"The occurrence of {_owner(data['owner'])} due {_at(data['due'])} waits for room: "
        f"{_many(data['limit'], 'run')} may be open at once."
    ),
    "starts.freed": lambda _, data: f"Run {data['run']} left room for another one.",
    "starts.given_up": lambda _, data: f"{_owner(data['owner']).capitalize()} waits for no room any more.",
    "starts.taken": lambda _, data: f"Run {data['run']} of {_owner(data['owner'])} takes one of the places for runs.",
    "workspace.created": lambda name, data: f"Workspace {name} was made, with the time zone {data['time_zone']}.",
    "workspace.starts_held": lambda name, data: (
        f"All starts {_place(name)} are held by {data['by']}{_until(data)}{_note(data)}."
    ),
    "workspace.starts_released": lambda name, data: f"Starts {_place(name)} were released{_note(data)}.",
}


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _list(words: Sequence[str], last: str = "and") -> str:
    return f" {last} ".join(", ".join(words).rsplit(", ", 1))


def _owner(owner: Data) -> str:
    return f"{owner['kind']} {owner['id']}"


def _cause(data: Data) -> str:
    detail = str(data.get("cause_detail") or "").replace("_", " ")
    return f"{CAUSES.get(data['cause'], data['cause'])}{f' ({detail})' if detail else ''}"


def instant(text: str) -> str:
    """Shorten an instant to whole seconds; other texts stay."""
    head, dot, rest = text.partition(".")
    looks_like_one = len(head) == len("2026-01-01T00:00:00") and head[10] == "T" and rest.endswith("Z")
    return f"{head}Z" if dot and looks_like_one else text


def _at(moment: Any) -> str:
    return instant(str(moment))


def _next(data: Data) -> str:
    coming = data.get("next")
    return f"; next due {_at(coming['due'])}" if coming else ""


def _ending(data: Data) -> str:
    reason = f" ({data['reason']})" if data.get("reason") else ""
    detail = f", “{data['detail']}”" if data.get("detail") else ""
    return f"{ENDINGS.get(data['state'], data['state'])}{reason}{detail}"


ENDINGS: Final = {"aborted": "was aborted", "skipped": "was skipped"}


def _counts(counts: Data) -> str:
    told = [f"{counts[name]:,} {name}" for name in COUNTED if counts.get(name)]
    return f": {', '.join(told)}" if told else ""
