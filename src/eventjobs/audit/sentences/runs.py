"""Sentences about runs, their jobs, their attempts and the places that they take."""

from collections.abc import Mapping
from typing import Final

from eventjobs.audit.sentences.words import Data, Teller, at, caused, counted, ending, many, owner


def _opened(run: str, data: Data) -> str:
    stages = len({job["seq"] for job in data["jobs"] if not job["skip_wait"]})
    what = f"{many(len(data['jobs']), 'job')} in {many(stages, 'stage')}"
    due = f", due {at(data['due'])}" if data.get("due") else ""
    if data.get("stands_for"):
        due = f", for {at(data['stands_for'])}"
    behind = data.get("missed_occurrences", 0)
    covers = f"; it also stands for {many(behind, 'later occurrence')}" if behind else ""
    later = f"; spread, its jobs begin at {at(data['not_before'])}" if data.get("not_before") else ""
    return f"Run {run} of {owner(data['owner'])} opened {caused(data)}{due}: {what}{covers}{later}."


def _missed(_: str, data: Data) -> str:
    covered = f"; run {data['covered_by']} stands for it" if data.get("covered_by") else ""
    return f"The occurrence of {owner(data['owner'])} due {at(data['due'])} was missed ({data['reason']}){covered}."


def _attempt_ended(job: str, data: Data) -> str:
    again = f"; it tries again at {at(data['retry_at'])}" if data.get("retry_at") else ""
    return f"Attempt {data['attempt']} of {job} {ending(data)}{counted(data['counts'])}{again}."


def _progressed(job: str, data: Data) -> str:
    share = "" if data["fraction"] is None else f" is {data['fraction']:.0%} done"
    text = f": {data['text']}" if data["text"] else ""
    return f"Job {job}{share or ' goes on'}{text}."


def _waiting(job: str, data: Data) -> str:
    if data.get("joined"):
        return f"Job {job} is busy and awaited; this one takes the result of run {data['joined']}."
    return f"Job {job} is busy with run {data['holder']}; this one waits until {at(data['deadline'])} at the latest."


def _suspended(job: str, data: Data) -> str:
    what = f" for {data['waits_for']}" if data["waits_for"] else ""
    return f"Job {job} is suspended and waits{what}, until {at(data['deadline'])} at the latest."


def _job_ended(job: str, data: Data) -> str:
    joined = f", as run {data['joined']} did" if data.get("joined") else ""
    return f"Job {job} {ending(data)}{counted(data['counts'])}{joined}."


def _ended(run: str, data: Data) -> str:
    counts = ", ".join(f"{number} {state}" for state, number in data["counts"].items() if number)
    return f"Run {run} {ending(data)}{f': {counts}' if counts else ''}."


def _stop_asked(run: str, data: Data) -> str:
    how = "at once" if data["mode"] == "now" else "after the jobs that run"
    why = f", to make room for {data['displaced_by']}" if data.get("displaced_by") else ""
    return f"Run {run} was asked to stop {how}{why}."


TELLERS: Final[Mapping[str, Teller]] = {
    "attempt.ended": _attempt_ended,
    "attempt.progressed": _progressed,
    "attempt.started": lambda job, data: f"Attempt {data['attempt']} of {job} began.",
    "job_run.answered": lambda job, data: (
        f"The callback of {job} says that it {ending(data)}{counted(data['counts'])}."
    ),
    "job_run.carried": lambda job, data: (
        f"Job {job} succeeded in run {data['run']} and is not run again{counted(data['counts'])}."
    ),
    "job_run.defined": lambda job, _: f"{job} was edited since the run began, and runs as it is now.",
    "job_run.ended": _job_ended,
    "job_run.released": lambda job, _: f"Nobody waits for {job} any more: it is suspended for longer than it may be.",
    "job_run.suspended": _suspended,
    "job_run.waiting": _waiting,
    "run.delayed": lambda run, data: (
        f"Run {run} waits for a place: instance {data['instance']} works on {many(data['limit'], 'run')} at once."
    ),
    "run.ended": _ended,
    "run.missed": _missed,
    "run.opened": _opened,
    "run.resumed": lambda run, data: f"Run {data['by']} goes on where run {run} did not succeed.",
    "run.skipped": lambda _, data: (
        f"The occurrence of {owner(data['owner'])} due {at(data['due'])} was skipped ({data['reason']})."
    ),
    "run.stop_requested": _stop_asked,
    "run.taken_over": lambda run, data: (
        f"Run {run} was taken over by instance {data['instance']} in term {data['term']} ({data['cause']})."
    ),
    "starts.delayed": lambda _, data: (
        f"The occurrence of {owner(data['owner'])} due {at(data['due'])} waits for room: "
        f"{many(data['limit'], 'run')} may be open at once."
    ),
    "starts.freed": lambda _, data: f"Run {data['run']} left room for another one.",
    "starts.given_up": lambda _, data: f"{owner(data['owner']).capitalize()} waits for no room any more.",
    "starts.taken": lambda _, data: f"Run {data['run']} of {owner(data['owner'])} takes one of the places for runs.",
}
