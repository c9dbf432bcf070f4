"""What a decision may know about a Connect job: its definition, its group, whose turn it is, and its own schedule."""

from dataclasses import dataclass, replace

from eventjobs.domain import slot_owner
from eventjobs.domain.job import Job, awaited, claimed, joined, released
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.slots import undrawn
from eventjobs.events.job import (
    JobAwaited,
    JobClaimed,
    JobCreated,
    JobDeleted,
    JobEvent,
    JobGrouped,
    JobJoined,
    JobReleased,
    JobSaved,
    JobUngrouped,
    SavedError,
)

NOT_DUE = SlotOwner()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectJob(Job):
    """
    A Connect job as its stream tells it: what it does, and `own`, as whom it has runs by itself.

    `errors` kept it from being activated when it was saved. `group` is the one that it is a member of, `left` the one
    that it left last, an open run of which may still have it.
    """

    kind: str = ""
    subtype: str | None = None
    errors: tuple[SavedError, ...] = ()
    group: str | None = None
    left: str | None = None
    own: SlotOwner = NOT_DUE


INITIAL = ConnectJob()


def evolve(job: ConnectJob, event: JobEvent) -> ConnectJob:
    """Move the job by one fact."""
    match event:
        case JobCreated() | JobSaved():
            return _defined(job, event)
        case JobGrouped():
            return replace(job, group=event.group)
        case JobUngrouped():
            return replace(job, group=None if job.group == event.group else job.group, left=event.group)
        case JobClaimed() | JobAwaited() | JobJoined() | JobReleased():
            return _turned(job, event)
        case _:
            own = own_evolve(job.own, event)
            return replace(job, own=own, deleted=own.deleted, definition_version=own.definition_version)


def own_evolve(own: SlotOwner, event: JobEvent) -> SlotOwner:
    """Move the job as the owner of its runs by itself."""
    match event:
        case JobCreated():
            return replace(
                _owned(own, event),
                exists=True,
                created_at=event.created_at,
                expires_on=event.expires_on,
                expires_at=event.expires_at,
                warn_at=event.warn_at,
            )
        case JobSaved():
            return _owned(own, event)
        case JobDeleted():
            gone = replace(own, deleted=True, expired=False, active=False, next=None, warn_at=())
            return replace(gone, definition_version=own.definition_version + 1)
        case JobGrouped() | JobUngrouped() | JobClaimed() | JobAwaited() | JobJoined() | JobReleased():
            return own
        case _:
            return slot_owner.evolve(own, event)


def _owned(own: SlotOwner, event: JobCreated | JobSaved) -> SlotOwner:
    same = undrawn(own.schedule) == event.schedule
    return replace(
        own,
        definition_version=own.definition_version + 1,
        name=event.name,
        description=event.description,
        schedule=own.schedule if same or own.active else event.schedule,
        notification=event.notification,
        policies=event.policies,
        on_expiry=event.on_expiry,
    )


def _defined(job: ConnectJob, event: JobCreated | JobSaved) -> ConnectJob:
    own = own_evolve(job.own, event)
    return replace(
        job,
        exists=True,
        definition_version=own.definition_version,
        kind=event.kind if isinstance(event, JobCreated) else job.kind,
        name=event.name,
        handler=event.handler,
        config=event.config,
        policy=event.policy,
        subtype=event.subtype,
        errors=event.errors,
        own=own,
    )


def _turned(job: ConnectJob, event: JobClaimed | JobAwaited | JobJoined | JobReleased) -> ConnectJob:
    match event:
        case JobClaimed():
            return claimed(job, event.turn)
        case JobAwaited():
            return awaited(job, event.turn)
        case JobJoined():
            return joined(job, event.turn)
        case JobReleased():
            return released(job, event.turn)
