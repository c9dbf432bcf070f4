"""
What the people behind a group or a single Connect job are told: how a run went, that one did not take place, expiry.

Each report knows its kind and its `key`: one message per key, channel and recipient (SPEC decision 9, G70). `about` is
what the log keeps of it, in values that JSON has, so that every try and every program is told the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, TypeAlias

from eventjobs.domain import zones
from eventjobs.domain.slots import window
from eventjobs.events.run import Ref

DETAIL_CHARS: Final = 500
"""How much of a job's error is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """How one job of a run went; without `started_at` it never began."""

    job: Ref
    name: str = ""
    state: str
    reason: str | None = None
    detail: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """
    How a run went (G68), told when it has ended and once (G65).

    `cause` is the run's, `by` who asked for it by hand. `due` is its planned instant, whose window and drawn minute are
    told in `time_zone`. `jobs` stand in the order of the run. Where it never expires `expires_on` is `None`.
    `recovered`: the run before it failed. `group` is that in whose run a job by itself is told of, as its row `row`.
    """

    KIND: ClassVar[str] = "run.ended"

    owner: Ref
    name: str
    time_zone: str
    run: str
    state: str
    reason: str | None = None
    cause: str
    by: str | None = None
    due: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime
    jobs: Sequence[JobReport] = ()
    next_due: datetime | None = None
    expires_on: str | None = None
    days_left: int | None = None
    recovered: bool = False
    group: str | None = None
    row: int | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """What there is one message about: the run, or one job in it."""
        return (self.run, self.KIND) if self.row is None else (self.run, str(self.row), self.KIND)

    def about(self) -> Mapping[str, Any]:
        """Return what it says."""
        rejected = sum(job.counts.get("rejected", 0) for job in self.jobs)
        return {
            "at": self.ended_at,
            "name": self.name,
            "in_group": self.group,
            "time_zone": self.time_zone,
            "state": self.state,
            "reason": self.reason,
            "cause": self.cause,
            "by": self.by,
            "due": self.due,
            "planned": None if self.due is None else _planned(self.time_zone, self.due),
            "started_at": self.started_at,
            "duration_s": _duration_s(self.started_at, self.ended_at),
            "rejected": rejected or None,
            "recovered": self.recovered or None,
            "jobs": [_job(job) for job in self.jobs],
            "next_due": self.next_due,
            "next": None if self.next_due is None else _local(self.time_zone, self.next_due),
            "expires_on": self.expires_on,
            "days_left": self.days_left,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SucceededReport(RunReport):
    """The same of a run that succeeded, for those that are called then and else not (G52)."""

    KIND: ClassVar[str] = "run.succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookReport:
    """The call after a run that succeeded did not get through, in `attempts` tries; `hook` is its host (G52)."""

    KIND: ClassVar[str] = "hook.failed"

    owner: Ref
    name: str
    run: str | None
    at: datetime
    call: str
    hook: str
    attempts: int
    reason: str

    @property
    def key(self) -> tuple[str, ...]:
        """What there is one message about: the call."""
        return (self.call, self.KIND)

    def about(self) -> Mapping[str, Any]:
        """Return what it says."""
        return {
            "at": self.at,
            "name": self.name,
            "hook": self.hook,
            "count": self.attempts,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRunReport:
    """
    A planned run did not take place: it was `skipped` or `missed`; told once a day at most (G70).

    Where it is several, `count`, they were due from `due` to `last`.
    """

    KIND: ClassVar[str] = "occurrence.not_run"

    owner: Ref
    name: str
    time_zone: str
    at: datetime
    outcome: str
    reason: str
    due: datetime
    last: datetime | None = None
    count: int = 1
    next_due: datetime | None = None

    run: ClassVar[None] = None

    @property
    def key(self) -> tuple[str, ...]:
        """What there is one message about: the owner, and the last local day on which it should have run."""
        return (self.owner.kind, self.owner.id, _local(self.time_zone, self.last or self.due)[:10], self.KIND)

    def about(self) -> Mapping[str, Any]:
        """Return what it says."""
        return {
            "at": self.at,
            "name": self.name,
            "time_zone": self.time_zone,
            "outcome": self.outcome,
            "reason": self.reason,
            "due": self.due,
            "planned": _planned(self.time_zone, self.due),
            "last": self.last if self.count > 1 else None,
            "count": self.count if self.count > 1 else None,
            "next_due": self.next_due,
            "next": None if self.next_due is None else _local(self.time_zone, self.next_due),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryReport:
    """It expires in `days_left` days, or has expired and was `deleted` or `deactivated` (G61)."""

    KIND: ClassVar[str] = "expiry.announced"

    owner: Ref
    name: str
    at: datetime
    expires_on: str
    days_left: int = 0
    became: str | None = None

    run: ClassVar[None] = None

    @property
    def key(self) -> tuple[str, ...]:
        """What there is one message about: the owner, its last day, and how far away that is."""
        return (self.owner.kind, self.owner.id, self.expires_on, self.became or str(self.days_left), self.KIND)

    def about(self) -> Mapping[str, Any]:
        """Return what it says."""
        return {
            "at": self.at,
            "name": self.name,
            "expires_on": self.expires_on,
            "days_left": None if self.became else self.days_left,
            "became": self.became,
        }


Report: TypeAlias = RunReport | HookReport | NotRunReport | ExpiryReport


def _job(job: JobReport) -> Mapping[str, Any]:
    return {
        "job": job.job.id,
        "name": job.name,
        "state": job.state,
        "reason": job.reason,
        "detail": (job.detail or "")[:DETAIL_CHARS] or None,
        "started_at": None if job.started_at is None else _utc(job.started_at),
        "duration_s": None if job.ended_at is None else _duration_s(job.started_at, job.ended_at),
        "counts": dict(job.counts),
    }


def _duration_s(started_at: datetime | None, ended_at: datetime) -> float | None:
    return None if started_at is None else (ended_at - started_at).total_seconds()


def _planned(zone: str, due: datetime) -> Mapping[str, str]:
    """Return the day, the window and the drawn minute of a planned instant, as the owner's wall clock shows them."""
    local = zones.shown_in(zone, due).local
    return {"date": f"{local:%Y-%m-%d}", "window": window(local), "minute": f"{local:%H:%M}"}


def _local(zone: str, at: datetime) -> str:
    return f"{zones.shown_in(zone, at).local:%Y-%m-%d %H:%M}"


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
