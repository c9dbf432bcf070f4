"""
Facts about one run, and about an occurrence that did not run.

A run's first event is `run.opened`, its last `run.ended`; an occurrence that did not run has `run.skipped` or
`run.missed` as its stream's only event. These classes are a storage format.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

from eventjobs.events.service import AttemptPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A thing by kind and id: a job (`service`) or an owner (`schedule`, `service`)."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotJob:
    """
    One row of the job table as it was when the run opened (R44); `version` is the job's definition version.

    The failure of one that is not `required` lets the stages after it go on.
    """

    row: int
    job: Ref
    seq: int
    skip_wait: bool
    handler: str
    config: Mapping[str, Any]
    policy: AttemptPolicy
    version: int
    input: Any = None
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOpened:
    """
    A run begins, on this snapshot.

    `cause` is `scheduled`, `catch_up` or `manual`. `due` is the nominal instant of its occurrence, `None` for a manual
    run; such a one may have an instant that it `stands_for`, as a backfill's or that of the run that it `resumes`.
    `missed_*` count and bound the later occurrences that this run covers (R30). `instance` runs it in `term`.
    `not_before` is when its first jobs may begin, where a herd that catches up is spread (R36).
    """

    TYPE: ClassVar[str] = "run.opened"
    SCHEMA: ClassVar[int] = 4

    owner: Ref
    cause: str
    cause_detail: str | None = None
    due: datetime | None = None
    term: int
    instance: str
    on_failure: str
    jobs: tuple[SnapshotJob, ...]
    cadence_version: int | None = None
    missed_occurrences: int = 0
    missed_first: datetime | None = None
    missed_last: datetime | None = None
    resumes: str | None = None
    not_before: datetime | None = None
    stands_for: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSkipped:
    """An occurrence was due and did not run, for `reason` (`overlap`, `inactive`, `no_jobs` …)."""

    TYPE: ClassVar[str] = "run.skipped"
    SCHEMA: ClassVar[int] = 1

    owner: Ref
    due: datetime
    reason: str
    open_run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMissed:
    """An occurrence passed while nothing could run it; `covered_by` is the run that stands for it."""

    TYPE: ClassVar[str] = "run.missed"
    SCHEMA: ClassVar[int] = 1

    owner: Ref
    due: datetime
    reason: str
    covered_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRunDefined:
    """A group's job was edited after the run began and before its turn came: it runs as it is defined now (G22)."""

    TYPE: ClassVar[str] = "job_run.defined"
    SCHEMA: ClassVar[int] = 1

    row: int
    job: SnapshotJob


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted:
    """A try of one row begins; committed before its handler is called."""

    TYPE: ClassVar[str] = "attempt.started"
    SCHEMA: ClassVar[int] = 1

    row: int
    attempt: int
    term: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptProgressed:
    """How far a try has come: `fraction` in [0, 1] or unknown, a sentence, and counts so far."""

    TYPE: ClassVar[str] = "attempt.progressed"
    SCHEMA: ClassVar[int] = 1

    row: int
    attempt: int
    fraction: float | None
    text: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded:
    """
    A try ended.

    `retry_at` is when the next one may begin, `None` where there is none. `log_lines` and `log_sha256` seal the lines
    that the try wrote.
    """

    TYPE: ClassVar[str] = "attempt.ended"
    SCHEMA: ClassVar[int] = 1

    row: int
    attempt: int
    term: int
    state: str
    reason: str | None = None
    detail: str | None = None
    counts: Mapping[str, int]
    retry_at: datetime | None = None
    log_lines: int = 0
    log_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRunWaiting:
    """The row's job is busy elsewhere; `joined` tells that it takes the waiting run's result."""

    TYPE: ClassVar[str] = "job_run.waiting"
    SCHEMA: ClassVar[int] = 1

    row: int
    holder: str
    joined: str | None = None
    deadline: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRunSuspended:
    """
    A try's handler ended, and its flow goes on elsewhere: a signed callback says how it ends (R43).

    After `deadline` nobody waits for it any more. `log_lines` and `log_sha256` seal the lines that the try wrote.
    """

    TYPE: ClassVar[str] = "job_run.suspended"
    SCHEMA: ClassVar[int] = 1

    row: int
    attempt: int
    waits_for: str
    deadline: datetime
    counts: Mapping[str, int]
    log_lines: int = 0
    log_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRunReleased:
    """The row was suspended for longer than its `wait_timeout`: later stages go on, it may still end (R43)."""

    TYPE: ClassVar[str] = "job_run.released"
    SCHEMA: ClassVar[int] = 1

    row: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRunAnswered:
    """The signed callback said how a try ended; also where nobody waits for it any more."""

    TYPE: ClassVar[str] = "job_run.answered"
    SCHEMA: ClassVar[int] = 1

    row: int
    attempt: int
    state: str
    reason: str | None = None
    detail: str | None = None
    counts: Mapping[str, int]
    output: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRunCarried:
    """The row succeeded in the run that this one resumes, and is not run again: it has that one's counts and output."""

    TYPE: ClassVar[str] = "job_run.carried"
    SCHEMA: ClassVar[int] = 1

    row: int
    run: str
    counts: Mapping[str, int]
    output: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed:
    """Another run goes on from the first stage of this one that did not succeed; its own outcome stays."""

    TYPE: ClassVar[str] = "run.resumed"
    SCHEMA: ClassVar[int] = 1

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRunEnded:
    """A row is over, with its state, its reason where there is one, counts and output (at most 64 KiB of JSON)."""

    TYPE: ClassVar[str] = "job_run.ended"
    SCHEMA: ClassVar[int] = 1

    row: int
    state: str
    reason: str | None = None
    detail: str | None = None
    counts: Mapping[str, int]
    output: Any = None
    joined: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStopRequested:
    """The run is to end: `now`, or `after_current` jobs; for a person, or to make room for `displaced_by`."""

    TYPE: ClassVar[str] = "run.stop_requested"
    SCHEMA: ClassVar[int] = 2

    mode: str
    displaced_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTakenOver:
    """Another instance runs it from now on, in a higher term; what the old one still says is refused."""

    TYPE: ClassVar[str] = "run.taken_over"
    SCHEMA: ClassVar[int] = 1

    instance: str
    term: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDelayed:
    """
    Something of it could begin now, and waits; said once in a term.

    `reason` is `instance_limit`: `instance`, which runs it in `term`, works on `limit` runs already.
    """

    TYPE: ClassVar[str] = "run.delayed"
    SCHEMA: ClassVar[int] = 1

    reason: str
    limit: int
    instance: str
    term: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """The run is over; `counts` holds how many job runs ended in each state."""

    TYPE: ClassVar[str] = "run.ended"
    SCHEMA: ClassVar[int] = 1

    state: str
    reason: str | None = None
    counts: Mapping[str, int]


RunEvent: TypeAlias = (
    RunOpened
    | RunSkipped
    | RunMissed
    | AttemptStarted
    | AttemptProgressed
    | AttemptEnded
    | JobRunWaiting
    | JobRunSuspended
    | JobRunReleased
    | JobRunAnswered
    | JobRunCarried
    | JobRunDefined
    | JobRunEnded
    | RunStopRequested
    | RunTakenOver
    | RunDelayed
    | RunEnded
    | RunResumed
)
