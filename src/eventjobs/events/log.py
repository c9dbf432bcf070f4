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


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceStarted:
    """An instance is up from now on and answers what is due; `zone_data` is the version that it has."""

    TYPE: ClassVar[str] = "log.instance_started"
    SCHEMA: ClassVar[int] = 1

    instance: str
    zone_data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceResumed:
    """
    An instance answers again what is due, after `away_s` seconds in which it could not.

    Its lease was lost (the database was out of reach, or it was itself stopped or stuck).
    """

    TYPE: ClassVar[str] = "log.instance_resumed"
    SCHEMA: ClassVar[int] = 1

    instance: str
    away_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneDataAdopted:
    """
    The zone data is `version` from now on, instead of `previous` (`None`: the log's first).

    Who has an older one answers nothing that is due. Owners that go by the wall clock look for their next moment again.
    """

    TYPE: ClassVar[str] = "log.zone_data_adopted"
    SCHEMA: ClassVar[int] = 1

    instance: str
    version: str
    previous: str | None = None


LogEvent: TypeAlias = LogCreated | ClockStepObserved | InstanceStarted | InstanceResumed | ZoneDataAdopted
