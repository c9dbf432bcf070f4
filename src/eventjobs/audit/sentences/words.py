"""The words that sentences about all subjects are made of."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Data = Mapping[str, Any]
Teller = Callable[[str, Data], str]


CAUSES: Final = {"manual": "by hand", "scheduled": "because it was due", "catch_up": "to catch up"}
COUNTED: Final = ("processed", "added", "updated", "rejected")
ENDINGS: Final = {"aborted": "was aborted", "skipped": "was skipped"}


def cadence_text(cadence: Data) -> str:
    """Return when a schedule runs, in words."""
    if cadence.get("cron"):
        return f"by the cron {cadence['cron']} in {cadence['time_zone']}"
    start = f"{cadence['start_date']} {cadence['start_time']} {cadence['time_zone']}"
    if cadence["unit"] == "once":
        return f"once, on {start}"
    every = cadence["unit"] if cadence["every"] == 1 else many(cadence["every"], cadence["unit"])
    return f"every {every} from {start}"


def many(number: int, word: str, words: str | None = None) -> str:
    """Return a number with its word, in the plural where it is not one."""
    return f"{number} {word if number == 1 else words or word + 's'}"


def span(seconds: float) -> str:
    """Return how long something takes, in its largest whole unit."""
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit and seconds % unit == 0:
            return many(int(seconds // unit), name)
    return f"{seconds:g} seconds"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return words as a list that a sentence can hold: “a, b and c”."""
    return f" {last} ".join(", ".join(words).rsplit(", ", 1))


def owner(whose: Data) -> str:
    """Return what a run or an occurrence belongs to, as “schedule nightly”."""
    return f"{whose['kind']} {whose['id']}"


def caused(data: Data) -> str:
    """Return why something was started."""
    detail = str(data.get("cause_detail") or "").replace("_", " ")
    return f"{CAUSES.get(data['cause'], data['cause'])}{f' ({detail})' if detail else ''}"


def instant(text: str) -> str:
    """Shorten an instant to whole seconds; other texts stay."""
    head, dot, rest = text.partition(".")
    looks_like_one = len(head) == len("2026-01-01T00:00:00") and head[10] == "T" and rest.endswith("Z")
    return f"{head}Z" if dot and looks_like_one else text


def at(moment: Any) -> str:
    """Return an instant in whole seconds."""
    return instant(str(moment))


def coming(data: Data) -> str:
    """Return the next due instant as the end of a sentence, empty where there is none."""
    due = data.get("next")
    return f"; next due {at(due['due'])}" if due else ""


def until(data: Data) -> str:
    """Return when something ends by itself, empty where it does not."""
    return f" until {at(data['until'])}" if data.get("until") else ""


def note(data: Data) -> str:
    """Return a person's note in quotation marks, empty where there is none."""
    return f": “{data['note']}”" if data.get("note") else ""


def ending(data: Data) -> str:
    """Return how something ended, with its reason and detail."""
    reason = f" ({data['reason']})" if data.get("reason") else ""
    detail = f", “{data['detail']}”" if data.get("detail") else ""
    return f"{ENDINGS.get(data['state'], data['state'])}{reason}{detail}"


def counted(counts: Data) -> str:
    """Return what a job counted as the end of a sentence, empty where it counted nothing."""
    told = [f"{counts[name]:,} {name}" for name in COUNTED if counts.get(name)]
    return f": {', '.join(told)}" if told else ""


def closed(kind: str) -> Teller:
    """Return the teller of a run that ended, for its owner of this kind."""
    return lambda subject, data: f"{kind} {subject}: run {data['run']} {ending(data)}."


def turn(sentence: str) -> Teller:
    """Return the teller of a job that a run waits for, has, shares or gives up."""

    def tell(job: str, data: Data) -> str:
        deadline = at(data["deadline"]) if "deadline" in data else ""
        other = (data.get("with_turn") or {}).get("run", "")
        return sentence.format(job=job, run=data["turn"]["run"], other=other, deadline=deadline)

    return tell
