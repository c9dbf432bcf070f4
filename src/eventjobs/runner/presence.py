"""
What the log knows of this instance: that it is up, when it was away, and with which zone data it reckons.

An instance whose zone data is older than what the log goes by answers nothing that is due: it would find other moments
than the rest. One whose data is newer makes it the log's, and then every wall-clock schedule looks for its next moment
again.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from eventjobs.clock import Clock
from eventjobs.commands import adopt_zone_data, announce_instance, note_absence
from eventjobs.commands.adopt_zone_data import AdoptZoneData
from eventjobs.commands.announce_instance import AnnounceInstance
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.note_absence import NoteAbsence
from eventjobs.domain.streams import LOG_ITSELF
from eventjobs.errors import LogFault
from eventjobs.events.log import ZoneDataAdopted
from eventjobs.events.recorded import StreamId
from eventjobs.ids import EVERYWHERE
from eventjobs.log.port import EventLog, Filter
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.runner.ports import Lease, Surroundings

LOOK_S: Final = 1.0
AWAY_S: Final = 10.0
"""From how many seconds without a lease on an instance was away."""
ADOPT_S: Final = 60.0
"""How often to look for schedules whose next moment was found with older zone data."""
AT_ONCE: Final = 500

ADOPTED: Final = Filter(workspace=LOG_ITSELF.workspace, stream=LOG_ITSELF.name, types=(ZoneDataAdopted.TYPE,))

_log: Final = structlog.get_logger("eventjobs.presence")


class Outdated(Protocol):
    """The owners by the wall clock, from the view."""

    async def outdated(self, zone_data: str, limit: int) -> Sequence[StreamId]:
        """Return those whose next moment was found with older zone data."""
        ...


class Presence:
    """Announces this instance, notes when it was away, and keeps to the log's zone data. It is the lease to tick by."""

    def __init__(
        self,
        log: EventLog,
        dispatcher: Dispatcher,
        surroundings: Surroundings,
        clock: Clock,
        lease: Lease,
        outdated: Outdated,
        *,
        zone_data: str,
    ) -> None:
        self._log = log
        self._dispatcher = dispatcher
        self._surroundings = surroundings
        self._clock = clock
        self._lease = lease
        self._outdated = outdated
        self._zone_data = zone_data
        self._needed: str | None = None
        self._position = 0
        self._seen_s = float("-inf")
        self._looked_s = float("-inf")

    def trusted(self) -> bool:
        """Tell whether this instance may answer what is due: it is known to be up, and reckons as the log does."""
        return self._needed is not None and self._needed <= self._zone_data and self._lease.trusted()

    def trouble(self) -> str | None:
        """Return a stable word if this instance must not answer what is due."""
        return "zone_data_old" if self._needed is not None and self._needed > self._zone_data else None

    async def keep(self) -> None:
        """Look every second, for ever; a fault costs a look and nothing else."""
        while True:
            try:
                await self.look()
            except (LogFault, *DATABASE_FAULTS) as fault:
                _log.warning("presence_failed", fault=type(fault).__name__)
            await self._clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Announce what is to announce."""
        if self._needed is None:
            await self._announce()
        await self._note_absence()
        await self._follow_zone_data()
        if self.trusted() and self._clock.monotonic() - self._looked_s >= ADOPT_S:
            self._looked_s = self._clock.monotonic()
            await self._adopt()

    async def _announce(self) -> None:
        self._position = self._log.known_head.position
        command = AnnounceInstance(zone_data=self._zone_data)
        context = self._surroundings.context(EVERYWHERE)
        outcome = await self._dispatcher.dispatch(announce_instance.SPEC, command, context)
        self._seen_s = self._clock.monotonic()
        self._need(str(outcome.answer["zone_data"]))

    async def _note_absence(self) -> None:
        if not self._lease.trusted():
            return
        away_s = self._clock.monotonic() - self._seen_s
        if away_s > AWAY_S:
            command = NoteAbsence(away_s=round(away_s, 3))
            await self._dispatcher.dispatch(note_absence.SPEC, command, self._surroundings.context(EVERYWHERE))
        self._seen_s = self._clock.monotonic()

    async def _follow_zone_data(self) -> None:
        """Hear of newer zone data that another instance brought."""
        head = self._log.known_head.position
        if head <= self._position:
            return
        for fact in await self._log.read(self._position, AT_ONCE, before=head + 1, matching=ADOPTED):
            self._need(max(self._needed or "", fact.event.version))
        self._position = head

    def _need(self, version: str) -> None:
        if version > self._zone_data and version != self._needed:
            _log.error("zone_data_old", installed=self._zone_data, needed=version)
        self._needed = version

    async def _adopt(self) -> None:
        """Let owners that reckon with older zone data look for their next moment again."""
        while True:
            streams = await self._outdated.outdated(self._zone_data, AT_ONCE)
            decided = 0
            for stream in streams:
                context = self._surroundings.context(stream.workspace)
                command = AdoptZoneData(kind=stream.kind, id=stream.id)
                outcome = await self._dispatcher.dispatch(adopt_zone_data.SPEC, command, context)
                decided += outcome.decided
            if streams:
                _log.info("zone_data_adopted", version=self._zone_data, schedules=decided)
            if len(streams) < AT_ONCE or not decided:
                return
