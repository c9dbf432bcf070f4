"""The judge of reports: of each run of a group or a job everybody is told who is to be told, once, and nobody else."""

from collections.abc import Mapping
from typing import Any

from eventjobs.events.recorded import Recorded
from tests.simulation.rules import Rules
from tests.simulation.slot_judge import SlotJudge

Told = tuple[str, str]
"""A run, and an address."""


class ReportJudge:
    """Takes what opens and closes runs, and what is to be sent."""

    def __init__(self, rules: Rules, slots: SlotJudge) -> None:
        self.rules = rules
        self._slots = slots
        self._wanted_of: dict[str, Mapping[str, Any]] = {}
        self._untold: set[Told] = set()
        self._last: dict[str, str] = {}

    def take(self, fact: Recorded[Any], data: Mapping[str, Any]) -> None:
        """Take a fact of a group's or a job's stream: who is told goes by what was saved when the run opened."""
        what = fact.type.partition(".")[2]
        if what == "run_opened":
            self._wanted_of[data["run"]] = self._slots.owners[fact.workspace, fact.stream.name].notification
        elif what == "run_closed":
            self._closed(fact.stream.name, self._wanted_of.pop(data["run"]), data)

    def _closed(self, owner: str, wanted: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        state, before = data["state"], self._last.get(owner)
        has_failed = state == "failed" or (state == "aborted" and data["reason"] == "displaced")
        has_recovered = state == "succeeded" and before == "failed"
        if state != "aborted":
            self._last[owner] = state
        of_failures = wanted["mode"] == "failure" and (has_failed or (has_recovered and wanted["on_recovery"]))
        if wanted["mode"] == "always" or of_failures:
            people = {*wanted["recipients"], *(wanted["failure_recipients"] if has_failed else ())}
            self._untold |= {(data["run"], one) for one in people}
            self.rules.seen.note("run_told_of" if people else "run_told_to_nobody")
        else:
            self.rules.seen.note("run_not_told_of")

    def told(self, fact: Recorded[Any], data: Mapping[str, Any]) -> None:
        """Take that a message is to be sent."""
        if data["kind"] != "run.ended":
            self.rules.seen.note(f"told_{data['kind']}")
            return
        told = (data["run"], data["recipient"])
        self.rules.hold(told in self._untold, fact, "nobody is to be told that, or not again")
        self._untold.discard(told)

    def untold(self) -> list[Told]:
        """Who was not told yet of what."""
        return sorted(self._untold)
