"""What an instance counts of its own work."""

from typing import Any

from eventjobs.runner.tally import Tally
from eventjobs.telemetry.metrics import Metrics


class Fact:
    def __init__(self, kind: str, actor: str, **fields: Any) -> None:
        self.type = kind
        self.actor = actor
        self.event = type("Event", (), fields)()


def test_it_counts_its_own_runs_and_occurrences_and_leaves_those_of_others() -> None:
    metrics = Metrics()
    tally = Tally(metrics, "me")
    for actor in ("instance:me", "instance:other", "key:admin"):
        at = "me" if actor == "key:admin" else actor.removeprefix("instance:")
        tally.take(Fact("run.opened", actor, due="now", instance=at))  # type: ignore[arg-type]
        tally.take(Fact("run.opened", actor, due=None, instance=at))  # type: ignore[arg-type]
        tally.take(Fact("schedule.occurrences_missed", actor, count=3))  # type: ignore[arg-type]
        tally.take(Fact("run.ended", actor, state="failed"))  # type: ignore[arg-type]
    text = metrics.render().decode()
    assert 'eventjobs_occurrences_total{outcome="ran"} 2.0' in text
    assert 'eventjobs_occurrences_total{outcome="missed"} 3.0' in text
    assert 'eventjobs_runs_ended_total{state="failed"} 1.0' in text
