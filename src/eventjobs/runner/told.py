"""What a fact about a group or a Connect job makes people be told, with what the log had recorded by then."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from eventjobs.commands import report_expiry, report_not_run, report_run
from eventjobs.commands.report_expiry import ReportExpiry
from eventjobs.commands.report_not_run import ReportNotRun
from eventjobs.commands.report_run import JobTimes, MemberTold, ReportRun
from eventjobs.commands.spec import CommandSpec
from eventjobs.domain.run import State
from eventjobs.domain.streams import connect_stream, run_stream
from eventjobs.events.connect import Notification
from eventjobs.events.group import GroupCreated, GroupExpirationSet, GroupSaved
from eventjobs.events.job import JobCreated, JobExpirationSet, JobSaved
from eventjobs.events.owner import (
    OccurrenceDropped,
    OccurrencesMissed,
    OccurrencesSkipped,
    OwnerExpired,
    OwnerExpiryWarned,
    OwnerRunClosed,
)
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.events.run import AttemptStarted, JobRunEnded, RunOpened
from eventjobs.log.port import EventLog
from eventjobs.projections.slot_events import of_slots

Report: TypeAlias = ReportRun | ReportNotRun | ReportExpiry

TELLING: Final = of_slots(
    OwnerRunClosed, OccurrencesSkipped, OccurrencesMissed, OccurrenceDropped, OwnerExpiryWarned, OwnerExpired
)
"""What may make people be told."""
SPECS: Final[dict[type[Report], CommandSpec[Any]]] = {
    ReportRun: report_run.SPEC,
    ReportNotRun: report_not_run.SPEC,
    ReportExpiry: report_expiry.SPEC,
}

_CREATED: Final = (GroupCreated, JobCreated)
_SAVED: Final = (*_CREATED, GroupSaved, JobSaved)
_EXPIRY_SET: Final = (*_CREATED, GroupExpirationSet, JobExpirationSet)
_OF_RUN: Final = (RunOpened, AttemptStarted, JobRunEnded)
_PAGE: Final = 1_000
_STOPPED_RUNS: Final = 20
"""How many runs that somebody stopped are looked past for the one before them."""


@dataclass(frozen=True, slots=True)
class Told:
    """Reads what belongs to a fact from before it, so that whoever reads it again says the same."""

    log: EventLog

    async def by(self, fact: Recorded[Any]) -> Report | None:
        """Return the command that tells of a fact, `None` where nothing is to be told."""
        match fact.event:
            case OwnerRunClosed():
                return await self._run(fact)
            case OccurrencesMissed(covered_by=str()):
                return None  # the run that stands for them is told of
            case OccurrencesSkipped() | OccurrencesMissed() | OccurrenceDropped():
                return await self._not_run(fact)
            case OwnerExpiryWarned() | OwnerExpired():
                return await self._expiry(fact)
            case _:
                return None

    async def _run(self, closed: Recorded[Any]) -> ReportRun | None:
        run = closed.event.run
        facts = await self._of_run(run_stream(closed.workspace, run), closed.position)
        opened = facts[0]
        notification = await self._notification(closed.stream, opened.position)
        members = await self._members(opened, facts) if notification.also_send_job_mails else ()
        if notification.mode == "none" and not members and not notification.on_success:
            return None
        started: dict[int, Any] = {}
        for one in facts:
            if isinstance(one.event, AttemptStarted):
                started.setdefault(one.event.row, one.at)
        times = [
            JobTimes(row=one.event.row, started_at=started.get(one.event.row), ended_at=one.at)
            for one in facts
            if isinstance(one.event, JobRunEnded)
        ]
        return ReportRun(
            kind=closed.stream.kind,
            id=closed.stream.id,
            run=run,
            notification=notification,
            by=opened.actor if opened.event.cause == "manual" else None,
            ended_at=closed.at,
            failed_before=await self._failed_before(closed),
            jobs=tuple(times),
            members=members,
        )

    async def _members(self, opened: Recorded[Any], facts: Sequence[Recorded[Any]]) -> tuple[MemberTold, ...]:
        """Return whom the jobs of a group's run told when it opened, those that ended and tell somebody (G66)."""
        jobs = {job.row: connect_stream(opened.workspace, job.job.id) for job in opened.event.jobs}
        ended = [fact.event.row for fact in facts if isinstance(fact.event, JobRunEnded)]
        told = [MemberTold(row=row, notification=await self._notification(jobs[row], opened.position)) for row in ended]
        return tuple(one for one in told if one.notification.mode != "none")

    async def _not_run(self, fact: Recorded[Any]) -> ReportNotRun:
        event = fact.event
        if isinstance(event, OccurrenceDropped):
            outcome, first, last, count = event.outcome, event.due, event.due, 1
        else:
            outcome = "missed" if isinstance(event, OccurrencesMissed) else "skipped"
            first, last, count = event.first, event.last, event.count
        saved = await self._last(fact.stream, fact.position, _SAVED)
        return ReportNotRun(
            kind=fact.stream.kind,
            id=fact.stream.id,
            notification=saved.event.notification,
            time_zone=saved.event.schedule.time_zone,
            at=fact.at,
            outcome=outcome,
            reason=event.reason,
            first=first,
            last=last,
            count=count,
        )

    async def _expiry(self, fact: Recorded[Any]) -> ReportExpiry:
        event, created = fact.event, await self._last(fact.stream, fact.position, _CREATED)
        expiry = await self._last(fact.stream, fact.position, _EXPIRY_SET)
        ahead = isinstance(event, OwnerExpiryWarned)
        return ReportExpiry(
            kind=fact.stream.kind,
            id=fact.stream.id,
            notification=await self._notification(fact.stream, fact.position),
            created_by=created.actor,
            at=fact.at,
            expires_on=expiry.event.expires_on,
            days_left=event.days_left if ahead else 0,
            on_expiry=None if ahead else event.on_expiry,
        )

    async def _notification(self, owner: StreamId, before: int) -> Notification:
        """Return who was to be told by what was saved before a position."""
        saved = await self._last(owner, before, _SAVED)
        notification: Notification = saved.event.notification
        return notification

    async def _failed_before(self, closed: Recorded[Any]) -> bool:
        ends = await self.log.read_back(closed.position, _STOPPED_RUNS, stream=closed.stream, types=[closed.type])
        return next((end.event.state == State.FAILED for end in ends if end.event.state != State.ABORTED), False)

    async def _of_run(self, run: StreamId, before: int) -> Sequence[Recorded[Any]]:
        """Return what is told of a run, its opening first."""
        facts: list[Recorded[Any]] = []
        while True:
            page = await self.log.read_back(before, _PAGE, stream=run, types=[event.TYPE for event in _OF_RUN])
            facts += page
            if len(page) < _PAGE:
                return facts[::-1]
            before = page[-1].position

    async def _last(self, stream: StreamId, before: int, types: Sequence[Any]) -> Recorded[Any]:
        """Return the last fact of these types in a stream before a position: there is one, the first of all."""
        (fact,) = await self.log.read_back(before, 1, stream=stream, types=[event.TYPE for event in types])
        return fact
