"""What a decision may know about the log's own stream: nothing but that it is there."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from eventjobs.events.log import ClockStepObserved, LogCreated, LogEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class LogItself:
    """The log's birth and the last clock step that was observed."""

    log_id: str = ""
    last_step: tuple[datetime, datetime] | None = None


INITIAL = LogItself()


def evolve(log: LogItself, event: LogEvent) -> LogItself:
    """Move it by one fact."""
    match event:
        case LogCreated():
            return replace(log, log_id=event.log_id)
        case ClockStepObserved():
            return replace(log, last_step=(event.expected, event.reading))
        case _:
            assert_never(event)
