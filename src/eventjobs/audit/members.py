"""Whose a Connect job is: a member of one group at most (G6), and had by one job run at a time (SPEC decision 6)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from eventjobs.audit.acts import Act
from eventjobs.audit.findings import Kind, Mismatch
from eventjobs.audit.owners import Kept
from eventjobs.domain.group import Group
from eventjobs.domain.streams import connect_stream, group_stream
from eventjobs.events.group import GroupCreated, GroupDeleted, GroupExpired, GroupReordered, GroupSaved
from eventjobs.events.job import JobClaimed, JobExpired, JobExpiryDeferred, JobGrouped, JobReleased, JobUngrouped
from eventjobs.events.recorded import Recorded, StreamId

_SAY_MEMBERS: Final = frozenset(
    fact.TYPE for fact in (GroupCreated, GroupSaved, GroupReordered, GroupDeleted, GroupExpired)
)
_SAY_GROUP: Final = frozenset({JobGrouped.TYPE, JobUngrouped.TYPE})


def belong(job: Kept, event: Any) -> Iterator[Mismatch]:
    """Move a job by a fact that says whose it is, and yield what is wrong with it."""
    match event:
        case JobGrouped():
            if job.group is not None:
                yield _out_of_order(f"it comes into the group {event.group} and is in the group {job.group}")
            job.group = event.group
        case JobUngrouped():
            if job.group != event.group:
                yield _out_of_order(f"it leaves the group {event.group} and is in {job.group or 'none'}")
            job.group = None
        case JobClaimed():
            if job.holder not in (None, event.turn):
                yield _out_of_order(f"the run {event.turn.run} has it while the run {job.holder.run} does")
            job.holder = event.turn
        case JobReleased():
            job.holder = None if job.holder == event.turn else job.holder
        case JobExpiryDeferred() if job.state.open_run is None and event.run != (job.holder and job.holder.run):
            yield Mismatch(Kind.UNFOUNDED, f"its end is put off for the run {event.run}, which does not have it")
        case JobExpired() if job.holder is not None:
            yield _out_of_order(f"it expires while the run {job.holder.run} has it")
        case _:
            pass


def astray(known: Mapping[StreamId, Kept], act: Act) -> Iterator[tuple[Recorded[Any], Mismatch]]:
    """Yield where the streams of a group and of its jobs, after an act, do not tell the same of its members."""
    for stream, facts in act.owners.items():
        said = next((fact for fact in facts if fact.type in _SAY_MEMBERS), None)
        if said is not None:
            yield from ((said, wrong) for wrong in _of_group(known, stream))
        for fact in facts:
            if fact.type in _SAY_GROUP:
                yield from ((fact, wrong) for wrong in _of_job(known, stream, fact.event))


def _of_group(known: Mapping[StreamId, Kept], stream: StreamId) -> Iterator[Mismatch]:
    group = known[stream].state
    assert isinstance(group, Group)  # noqa: S101 its stream says so
    for member in group.members:
        job = known.get(connect_stream(stream.workspace, member.job.id))
        is_in = job is not None and job.group == stream.id
        if is_in == group.deleted:
            told = "still in it" if is_in else f"in {(job and job.group) or 'none'}"
            yield _out_of_order(f"its job {member.job.id} is {told}")


def _of_job(known: Mapping[StreamId, Kept], stream: StreamId, event: JobGrouped | JobUngrouped) -> Iterator[Mismatch]:
    kept = known.get(group_stream(stream.workspace, event.group))
    group = None if kept is None else kept.state
    has_it = isinstance(group, Group) and any(member.job.id == stream.id for member in group.members)
    if isinstance(event, JobGrouped) and not has_it:
        yield _out_of_order(f"the group {event.group} does not have it")
    elif isinstance(event, JobUngrouped) and has_it and group is not None and not group.deleted:
        yield _out_of_order(f"the group {event.group} still has it")


def _out_of_order(what: str) -> Mismatch:
    return Mismatch(Kind.OUT_OF_ORDER, what)
