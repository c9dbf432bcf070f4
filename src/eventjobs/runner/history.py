"""What handlers may ask the log about runs, read from the streams themselves and not from a view that may be behind."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from eventjobs.commands.job_facts import TURNS
from eventjobs.commands.states import States
from eventjobs.domain.connect_job import ConnectJob
from eventjobs.domain.owner import Owner
from eventjobs.domain.run import Run, State
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.streams import job_stream, owner_stream, run_stream
from eventjobs.errors import JobFailed
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import Ref, RunOpened
from eventjobs.events.service import Turn
from eventjobs.log.port import EventLog

_CLAIMS: Final = [facts.claimed.TYPE for facts in TURNS.values()]
_TURNS_AT_ONCE: Final = 50
_UTC: Final = "UTC"


@dataclass(frozen=True, slots=True)
class RunHistory:
    """The real `History`."""

    log: EventLog
    states: States

    async def moment(self, workspace: str, run: str) -> datetime:
        """Read the run's opening, and its owner's zone of today."""
        stream = run_stream(workspace, run)
        facts = (await self.log.read_streams([(stream, 0)]))[stream]
        opened = next((fact for fact in facts if isinstance(fact.event, RunOpened)), None)
        if opened is None:
            raise JobFailed(f"the log has no opening of the run {run}", retryable=False)
        event = opened.event
        owner = owner_stream(workspace, event.owner)
        state = (await self.states.load([owner]))[owner].state
        moment: datetime = event.due or event.stands_for or opened.at
        return moment.astimezone(ZoneInfo(_zone_of(state)))

    async def is_superseded(self, workspace: str, run: str, term: int) -> bool:
        """Look for a take-over that this instance has not heard of, as after it was frozen."""
        return (await self._run(workspace, run)).term != term

    async def last_output(self, workspace: str, kind: str, job_id: str) -> Any:
        """Go back through those who had the job's turn, to the first that the log says succeeded."""
        async for turn in self._turns(job_stream(workspace, Ref(kind=kind, id=job_id))):
            row = (await self._run(workspace, turn.run)).rows.get(turn.row)
            if row is not None and row.state is State.SUCCEEDED:
                return row.output
        return None

    async def _run(self, workspace: str, run_id: str) -> Run:
        stream = run_stream(workspace, run_id)
        # Another instance may have gone on with it since this one looked.
        await self.states.refresh([stream])
        run: Run = (await self.states.load([stream]))[stream].state
        return run

    async def _turns(self, job: StreamId) -> AsyncIterator[Turn]:
        before = (await self.log.head()).position + 1
        while facts := await self.log.read_back(before, _TURNS_AT_ONCE, stream=job, types=_CLAIMS):
            for fact in facts:
                yield fact.event.turn
            before = facts[-1].position


def _zone_of(state: Any) -> str:
    match state:
        case ConnectJob(own=own):
            return own.schedule.time_zone
        case SlotOwner():  # its cadence is none while its schedule is a draft
            return state.schedule.time_zone
        case Owner():
            return state.cadence.time_zone
        case _:
            return _UTC
