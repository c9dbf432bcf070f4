"""What this instance did, counted from the facts that it recorded."""

from collections.abc import Callable
from typing import Any, Final

from eventjobs.events.recorded import Recorded
from eventjobs.telemetry.metrics import Metrics

RAN: Final = "ran"
SKIPPED: Final = "skipped"
MISSED: Final = "missed"


def opened_elsewhere(fact: Recorded[Any], instance: str) -> bool:
    """
    Tell whether a run is surely another instance's, without a look at what was opened.

    An instance that opens a run by itself works on it; one that a person asked for names its instance inside.
    """
    return fact.actor.startswith("instance:") and fact.actor != f"instance:{instance}"


class Tally:
    """Counts runs and occurrences; facts of other instances are theirs to count."""

    def __init__(self, metrics: Metrics, instance: str) -> None:
        self._metrics = metrics
        self._instance = instance
        self._actor = f"instance:{instance}"
        self._count: Final[dict[str, Callable[[Any], None]]] = {
            "run.opened": self._opened,
            "run.ended": lambda event: metrics.runs_ended.labels(event.state).inc(),
            "attempt.ended": lambda event: metrics.attempts_ended.labels(event.state).inc(),
            "schedule.occurrences_skipped": lambda event: metrics.occurrences.labels(SKIPPED).inc(event.count),
            "schedule.occurrences_missed": lambda event: metrics.occurrences.labels(MISSED).inc(event.count),
        }

    def take(self, fact: Recorded[Any]) -> None:
        """Count a fact, if it is one of ours that counts."""
        count = self._count.get(fact.type)
        if count is None:
            return
        if fact.actor == self._actor or (fact.type == "run.opened" and not opened_elsewhere(fact, self._instance)):
            count(fact.event)

    def _opened(self, event: Any) -> None:
        if event.due is not None and event.instance == self._instance:
            self._metrics.occurrences.labels(RAN).inc()
