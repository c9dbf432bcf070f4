"""What a simulation saw: rare states, counted, and figures for one JSON line."""

import traceback
from collections import Counter
from collections.abc import MutableMapping
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

UNEXPECTED: Final = frozenset(
    {
        "owner_parked",
        "worker_broke",
        "take_over_broke",
        "append_failed",
        "task_failed",
        "loop_broke",
        "not_recordable",
        "fact_not_understood",
        "fact_not_followed",
        "delivery_broke",
        "not_told",
        "schedule_not_watched",
        "log_forked",
    }
)
"""What the service says of its own defects only: one of these is a violation."""


class Seen:
    """Sightings by name, and what the service said that it should never have to say."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.defects: list[str] = []

    def note(self, name: str, times: int = 1) -> None:
        """Count one."""
        self.counts[name] += times

    def listen(self) -> None:
        """Hear everything that the service logs, and print nothing."""

        def take(_logger: WrappedLogger, _method: str, event: EventDict) -> MutableMapping[str, Any]:
            name = str(event.get("event"))
            self.counts[f"said.{name}"] += 1
            if name == "run_given_up":
                self.note(f"refused_{event.get('code')}")
            if name in UNEXPECTED:
                self.defects.append(f"the service said {name}: {dict(event)!r}\n{traceback.format_exc()}")
            raise structlog.DropEvent

        structlog.configure(processors=[take])
