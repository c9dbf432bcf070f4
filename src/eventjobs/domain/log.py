"""What a decision may know about the log's own stream."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from eventjobs.events.log import (
    ClockStepObserved,
    InstanceResumed,
    InstanceStarted,
    LogCreated,
    LogEvent,
    ZoneDataAdopted,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogItself:
    """
    The log's birth, the last clock step that was observed, and the instance that came up last.

    `zone_data` is the version that all go by (empty: none was recorded yet).
    """

    log_id: str = ""
    last_step: tuple[datetime, datetime] | None = None
    last_started: str = ""
    zone_data: str = ""


INITIAL = LogItself()


def evolve(log: LogItself, event: LogEvent) -> LogItself:
    """Move it by one fact."""
    match event:
        case LogCreated():
            return replace(log, log_id=event.log_id)
        case ClockStepObserved():
            return replace(log, last_step=(event.expected, event.reading))
        case InstanceStarted():
            return replace(log, last_started=event.instance)
        case InstanceResumed():
            return log
        case ZoneDataAdopted():
            return replace(log, zone_data=event.version)
        case _:
            assert_never(event)
