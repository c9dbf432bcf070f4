"""
Every kind of event as one sentence that a person understands.

A sentence is made from what the event's document says and, for the rows of a run, from the run's opening, if that was
told before.
"""

from collections.abc import Mapping
from typing import Any, Final

from eventjobs.audit.sentences import (
    access,
    installation,
    integrations,
    notifications,
    runs,
    schedules,
    slots,
    targets,
    workspaces,
)
from eventjobs.audit.sentences.words import Data, Teller

TELLERS: Final[Mapping[str, Teller]] = {
    **access.TELLERS,
    **installation.TELLERS,
    **integrations.TELLERS,
    **notifications.TELLERS,
    **runs.TELLERS,
    **schedules.TELLERS,
    **slots.TELLERS,
    **targets.TELLERS,
    **workspaces.TELLERS,
}
"""By the type of event. Each subject has its file: a new one is a file and a line here."""


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
