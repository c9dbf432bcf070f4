"""
Facts about the log itself.

These classes are a storage format. Add new ones freely; never rename a field, change a TYPE, or edit a golden file.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCreated:
    """Position 1 of every log: no two installations share `log_id`, hence no two share a chain."""

    TYPE: ClassVar[str] = "log.created"
    SCHEMA: ClassVar[int] = 1

    log_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStepObserved:
    """The database's clock differed by `step_s` seconds (positive: it went ahead) from what `instance` expected."""

    TYPE: ClassVar[str] = "log.clock_step_observed"
    SCHEMA: ClassVar[int] = 1

    instance: str
    expected: datetime
    observed: datetime
    step_s: float


LogEvent: TypeAlias = LogCreated | ClockStepObserved
