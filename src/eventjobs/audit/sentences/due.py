"""Sentences about what all owners of due moments have alike: schedules, groups, and jobs by themselves."""

from collections.abc import Mapping

from eventjobs.audit.sentences.words import Data, Teller, at, caused, closed, coming, many, note, until


def tellers(stream: str, owner: str) -> Mapping[str, Teller]:
    """Return the tellers for a kind of stream, whose owners are called `owner`."""
    whose = owner.capitalize()
    return {
        f"{stream}.occurrence_dropped": lambda subject, data: (
            f"The occurrence of {owner} {subject} due {at(data['due'])} waits no more: "
            f"{data['outcome']} ({data['reason']})."
        ),
        f"{stream}.occurrence_queued": _queued(owner),
        f"{stream}.occurrences_missed": _occurrences(owner, "missed"),
        f"{stream}.occurrences_skipped": _occurrences(owner, "skipped"),
        f"{stream}.paused": lambda subject, data: (
            f"{whose} {subject} was paused by {data['by']}{until(data)}{note(data)}."
        ),
        f"{stream}.run_closed": closed(whose),
        f"{stream}.run_opened": lambda subject, data: (
            f"{whose} {subject} started run {data['run']} {caused(data)}{coming(data)}."
        ),
        f"{stream}.unpaused": lambda subject, data: (
            f"The pause of {owner} {subject} {'is over' if data['cause'] == 'until' else 'was ended'}{note(data)}."
        ),
        f"{stream}.zone_data_adopted": lambda subject, data: (
            f"{whose} {subject} goes by zone data {data['version']}{coming(data)}."
        ),
    }


def _queued(owner: str) -> Teller:
    def tell(subject: str, data: Data) -> str:
        behind = f" behind run {data['open_run']}" if data.get("open_run") else ""
        limit = f", {many(data['limit'], 'run')} at once" if data.get("limit") else ""
        why = f" ({data['reason']}{limit})"
        return f"The occurrence of {owner} {subject} due {at(data['due'])} waits{behind}{why}{coming(data)}."

    return tell


def _occurrences(owner: str, word: str) -> Teller:
    def tell(subject: str, data: Data) -> str:
        several = data["count"] > 1
        when = f"from {at(data['first'])} to {at(data['last'])}" if several else f"due {at(data['first'])}"
        verb = "were" if several else "was"
        what = many(data["count"], "occurrence")
        return f"{what} of {owner} {subject} {when} {verb} {word} ({data['reason']}){coming(data)}."

    return tell
