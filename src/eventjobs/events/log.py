"""
Facts about the log itself, in the stream `log:log` of the workspace `*`.

These classes are a storage format. Add new ones freely; never rename a field, change a TYPE, or edit a golden file.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCreated:
    """Position 1 of every log; `log_id` (UUIDv4) keeps the chains of two installations apart."""

    TYPE: ClassVar[str] = "log.created"
    SCHEMA: ClassVar[int] = 1

    log_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStepObserved:
    """
    An instance's *now* and a fresh reading of the database's clock were more than 2 s apart.

    `expected` is the instance's own reckoning at that moment, `reading` the database's clock, `step_s` reading minus
    expected (negative: the clock went back).
    """

    TYPE: ClassVar[str] = "log.clock_step_observed"
    SCHEMA: ClassVar[int] = 1

    instance: str
    expected: datetime
    reading: datetime
    step_s: float


LogEvent: TypeAlias = LogCreated | ClockStepObserved
