"""The jobs of a group run one after another, up to the first required one that fails (G3, G4)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from eventjobs.audit.findings import Kind, Mismatch
from eventjobs.audit.owners import Kept
from eventjobs.domain.group import Group
from eventjobs.domain.streams import group_stream
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.events.run import (
    AttemptStarted,
    JobRunCarried,
    JobRunEnded,
    RunEnded,
    RunOpened,
    RunStopRequested,
    SnapshotJob,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An open run of a group: its rows in order, those that must not fail, and how each ended that has."""

    group: str
    rows: tuple[int, ...]
    required: frozenset[int]
    ended: Mapping[int, str]
    stopped: bool = False

    @property
    def turn(self) -> int | None:
        """Whose turn it is."""
        return next((row for row in self.rows if row not in self.ended), None)

    @property
    def failed(self) -> int | None:
        """The first row whose end keeps those after it from beginning."""
        return next((row for row in self.rows if self._stops(row)), None)

    def _stops(self, row: int) -> bool:
        state = self.ended.get(row)
        return state == "aborted" or (state == "failed" and row in self.required)


class GroupRuns:
    """The open runs of groups, by workspace and id."""

    def __init__(self) -> None:
        self.open: dict[str, dict[str, Standing]] = {}

    def take(self, fact: Recorded[Any], known: Mapping[StreamId, Kept]) -> Iterator[tuple[StreamId, Mismatch]]:
        """Take a fact of a run; yield what is wrong with it if it is a group's, and of which group."""
        runs = self.open.get(fact.workspace, {})
        if fact.type == RunOpened.TYPE and fact.event.owner.kind == "group":
            yield from self._opened(fact, known)
            return
        standing = runs.get(fact.stream.id)
        if standing is None:
            return
        group = group_stream(fact.workspace, standing.group)
        yield from ((group, Mismatch(Kind.OUT_OF_ORDER, what)) for what in _wrong(standing, fact.event))
        after = _moved(standing, fact.event)
        if after is None:
            del runs[fact.stream.id]
        else:
            runs[fact.stream.id] = after

    def _opened(self, fact: Recorded[Any], known: Mapping[StreamId, Kept]) -> Iterator[tuple[StreamId, Mismatch]]:
        opened: RunOpened = fact.event
        stream = group_stream(fact.workspace, opened.owner.id)
        kept = known.get(stream)
        members = kept.state.members if kept is not None and isinstance(kept.state, Group) else ()
        if [job.job for job in opened.jobs] != [member.job for member in members]:
            yield stream, Mismatch(Kind.OUT_OF_ORDER, "its jobs are not those of the group, or in another order")
        rows = sorted(opened.jobs, key=_place)
        self.open.setdefault(fact.workspace, {})[fact.stream.id] = Standing(
            group=opened.owner.id,
            rows=tuple(job.row for job in rows),
            required=frozenset(job.row for job in rows if job.required),
            ended={},
        )


def _place(job: SnapshotJob) -> tuple[int, int]:
    return job.seq, job.row


def _wrong(standing: Standing, event: Any) -> Iterator[str]:
    match event:
        case AttemptStarted():
            if standing.turn != event.row:
                yield f"its job {event.row} begins, and it is the turn of {standing.turn}"
            if standing.failed is not None:
                yield f"its job {event.row} begins although {standing.failed} failed"
            if standing.stopped:
                yield f"its job {event.row} begins although the run was to stop"
        case JobRunEnded() | JobRunCarried():
            if event.row in standing.ended:
                yield f"its job {event.row} ended before"
        case RunEnded():
            if standing.turn is not None:
                yield f"it ends, and its job {standing.turn} has no end"
            if event.state == "succeeded" and standing.failed is not None:
                yield f"it succeeded, and its job {standing.failed} did not"
        case _:
            pass


def _moved(standing: Standing, event: Any) -> Standing | None:
    match event:
        case JobRunEnded():
            return replace(standing, ended={**standing.ended, event.row: event.state})
        case JobRunCarried():
            return replace(standing, ended={**standing.ended, event.row: "succeeded"})
        case RunStopRequested():
            return replace(standing, stopped=True)
        case RunEnded():
            return None
        case _:
            return standing
