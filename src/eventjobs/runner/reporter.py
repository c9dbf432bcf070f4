"""
Facts of groups and Connect jobs in, commands that tell people of them out.

One of the instances that live does it. Each report has a key by which it is wanted once, and is made of what the log
had recorded by its fact: two that do it at once, or one that begins again at its mark, decide nothing more.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from eventjobs.clock import Clock
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.errors import LogFault
from eventjobs.events.recorded import Recorded
from eventjobs.log.port import EventLog, Filter
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.runner.ports import Lease, Mark, Surroundings
from eventjobs.runner.together import together
from eventjobs.runner.told import SPECS, TELLING, Told

LOOK_S: Final = 1.0
OURS_S: Final = 2.0
"""How often an instance that does not tell asks whether it is its turn."""
RETRY_S: Final = 5.0
PUT_OFF: Final = timedelta(seconds=60)
"""How long a fact that could not be told of is left alone; the others go on."""
BATCH: Final = 500
SPAN: Final = 100_000
"""How much of the log is looked through at a time, where it holds little of what is told."""
AT_ONCE: Final = 16

FOLLOWED: Final = Filter(types=tuple(event.TYPE for event in TELLING))

_log: Final = structlog.get_logger("eventjobs.reporter")


class Reporter:
    """Follows the log, and has each thing that people are to be told of told."""

    def __init__(
        self,
        log: EventLog,
        dispatcher: Dispatcher,
        surroundings: Surroundings,
        clock: Clock,
        lease: Lease,
        *,
        mark: Mark,
        is_ours: Callable[[], bool] = lambda: True,
    ) -> None:
        self._log = log
        self._told = Told(log)
        self._dispatcher = dispatcher
        self._surroundings = surroundings
        self._clock = clock
        self._lease = lease
        self._mark = mark
        self._is_ours = is_ours
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._let_go()

    def _let_go(self) -> None:
        """Leave it to another instance."""
        self._position: int | None = None
        self._kept = 0
        self._put_off: dict[int, tuple[Recorded[Any], datetime]] = {}

    async def run(self) -> None:
        """Tell while it is this one's turn, for ever; a fault of log or database costs time and nothing else."""
        self._let_go()
        while True:
            if not self._lease.trusted() or not self._is_ours():
                self._let_go()
                await self._clock.sleep(OURS_S)
                continue
            try:
                await self.step()
            except (LogFault, *DATABASE_FAULTS) as fault:
                _log.warning("reports_wait", fault=type(fault).__name__)
                self._let_go()
                await self._clock.sleep(RETRY_S)
            else:
                await self._clock.sleep(LOOK_S)

    async def step(self) -> None:
        """Tell of what is new in the log, and of what was put off, and keep how far it is."""
        if self._position is None:
            self._position = self._kept = await self._mark.find() or 0
        now = self._clock.now()
        await together(self._tell(fact) for fact, at in list(self._put_off.values()) if at <= now)
        head = self._log.known_head.position
        while self._position < head:
            before = min(self._position + SPAN, head) + 1
            facts = await self._log.read(self._position, BATCH, before=before, matching=FOLLOWED)
            await together(self._tell(fact) for fact in facts)
            self._position = facts[-1].position if len(facts) == BATCH else before - 1
            await self._keep()
        await self._keep()

    @property
    def position(self) -> int:
        """Up to where the log was taken in."""
        return self._position or 0

    async def _keep(self) -> None:
        """Keep how far all is told: what was put off is begun with again."""
        assert self._position is not None  # noqa: S101 it has begun
        told = min((position - 1 for position in self._put_off), default=self._position)
        if told > self._kept:
            await self._mark.save(told)
            self._kept = told

    async def _tell(self, fact: Recorded[Any]) -> None:
        try:
            async with self._at_once:
                command = await self._told.by(fact)
                if command is not None:
                    context = self._surroundings.context(
                        fact.workspace, causation=str(fact.position), correlation=fact.correlation
                    )
                    await self._dispatcher.dispatch(SPECS[type(command)], command, context)
        except (LogFault, *DATABASE_FAULTS):
            raise
        except Exception:  # noqa: BLE001 one fact that cannot be told of must not keep the others back
            _log.exception("not_told", fact=fact.position)
            self._put_off[fact.position] = (fact, self._clock.now() + PUT_OFF)
        else:
            self._put_off.pop(fact.position, None)
