"""
What services and flows have in common: a definition, users, runs by themselves, and whose turn it is.

One job run has a job, at most one waits for it, any number joined the one that waits (R46).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eventjobs.domain.changed import changed
from eventjobs.events.service import AttemptPolicy, JobOrigin, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    A job as its stream tells it.

    `joined` are the job runs that take the result of `waiting`; when that one's turn comes they stay with it
    (`sharing`). `open_runs` are runs of the job by itself, in the order of their opening. Only one that is `exclusive`
    has turns. One with an `origin` is managed.
    """

    exists: bool = False
    deleted: bool = False
    definition_version: int = 0
    name: str = ""
    handler: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    policy: AttemptPolicy = AttemptPolicy(delivery="at_most_once")
    exclusive: bool = True
    origin: JobOrigin | None = None
    users: frozenset[str] = frozenset()
    holder: Turn | None = None
    waiting: Turn | None = None
    joined: tuple[Turn, ...] = ()
    sharing: tuple[Turn, ...] = ()
    open_runs: tuple[str, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether it can be used."""
        return self.exists and not self.deleted

    @property
    def open_run(self) -> str | None:
        """The newest of its runs by itself that is open."""
        return self.open_runs[-1] if self.open_runs else None


J = TypeVar("J", bound=Job)


def claimed(job: J, turn: Turn) -> J:
    """A job run has the job now: it waited, or it was free, or who shares it takes the place of its holder."""
    if turn == job.waiting:
        return changed(job, holder=turn, waiting=None, sharing=job.joined, joined=())
    return changed(job, holder=turn, sharing=_without(job.sharing, turn))


def awaited(job: J, turn: Turn) -> J:
    """A job run is next."""
    return changed(job, waiting=turn, joined=_without(job.joined, turn))


def joined(job: J, turn: Turn) -> J:
    """A job run goes with the one that waits."""
    return changed(job, joined=(*job.joined, turn))


def released(job: J, turn: Turn) -> J:
    """A job run gave up what it had of the job."""
    return changed(
        job,
        holder=None if job.holder == turn else job.holder,
        sharing=() if job.holder == turn else _without(job.sharing, turn),
        waiting=None if job.waiting == turn else job.waiting,
        joined=_without(job.joined, turn),
    )


def run_opened(job: J, run: str) -> J:
    """A run of the job by itself began."""
    return changed(job, open_runs=(*job.open_runs, run))


def run_closed(job: J, run: str) -> J:
    """A run of the job by itself ended."""
    return changed(job, open_runs=tuple(other for other in job.open_runs if other != run))


def _without(turns: tuple[Turn, ...], gone: Turn) -> tuple[Turn, ...]:
    return tuple(turn for turn in turns if turn != gone)
