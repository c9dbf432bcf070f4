"""
The audit of occurrences while the service runs: a follower of the log that raises an alarm and never interferes.

One of the instances that live audits, with a tenth of its event loop's time at most. How far it has come is kept every
minute, so that the next start, or another instance, goes on from there; without that, or with other code, it begins at
position 1. Two that audit at once do no harm. What is left over is looked for every ten seconds.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

import structlog

from eventjobs.audit.findings import Finding, Found, Kind
from eventjobs.audit.keeping import common_of, ledger_from, owners_of, put_owners
from eventjobs.audit.occurrences import Ledger
from eventjobs.clock import Clock
from eventjobs.errors import LogFault
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.port import EventLog
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.postgres.ledger import Kept
from eventjobs.telemetry.metrics import Metrics

T = TypeVar("T")

BATCH: Final = 500
AT_ONCE: Final = 50
"""How many facts, or owners, are looked at before others get their turn on the event loop."""
SHARE: Final = 0.1
"""Of the time, however much there is to audit."""
REST_S: Final = 0.25
POLL_S: Final = 1.0
LOOK_S: Final = 10.0
KEEP_S: Final = 60.0
RETRY_S: Final = 5.0
OURS_S: Final = 2.0
"""How often an instance that does not audit asks whether it is its turn."""

_log: Final = structlog.get_logger("eventjobs.ledger")


class Keeper(Protocol):
    """Where an audit is kept."""

    async def find(self) -> Kept | None:
        """Return what was kept last by the same code."""
        ...

    async def save(self, kept: Kept, *, whole: bool) -> bool:
        """Keep it, unless somebody is further; `whole` says that it has all owners. Tell whether it was kept."""
        ...


class LedgerWatch:
    """Follows the log with a `Ledger`; what it finds is logged as an error, counted, and told by `summary`."""

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        metrics: Metrics,
        up: Callable[[], bool],
        keeper: Keeper | None = None,
        *,
        is_ours: Callable[[], bool] = lambda: True,
    ) -> None:
        self._log = log
        self._clock = clock
        self._metrics = metrics
        self._up = up
        self._keeper = keeper
        self._is_ours = is_ours
        self._begin()

    def _begin(self) -> None:
        self._is_at_work = False
        self._is_whole = True
        self._kept_s: float | None = None
        self._ledger = Ledger()
        self._told = 0
        self._standing: dict[tuple[StreamId, datetime], Finding] = {}
        self._looked_s = float("-inf")
        self._up_s = float("-inf")
        self._last: Recorded[Any] | None = None

    def summary(self) -> Mapping[str, Any] | None:
        """Return how far the audit is and how much it found, without names; nothing where another instance audits."""
        if not self._is_at_work:
            return None
        findings = [*self._ledger.findings, *self._standing.values()]
        return {
            "position": self._ledger.position,
            "findings": self._ledger.found + len(self._standing),
            "first": min((finding.position for finding in findings), default=None),
        }

    def found(self) -> Found | None:
        """Return what it found, with names; nothing where another instance audits."""
        if not self._is_at_work:
            return None
        standing, ledger = tuple(self._standing.values()), self._ledger
        of_kind = Counter(finding.kind for finding in standing)
        return Found(
            position=ledger.position,
            at=ledger.liveness.at,
            found=ledger.found + len(standing),
            kinds={kind: ledger.kinds[kind] + of_kind[kind] for kind in Kind},
            occurrences=dict(ledger.outcomes),
            steps=ledger.steps,
            findings=(*ledger.findings, *standing),
        )

    async def run(self) -> None:
        """
        Audit what comes while it is this one's turn, for ever; a fault of the log costs time and nothing else.

        Called again after it broke, it goes on from what was kept: a fact may have been taken by half.
        """
        self._let_go()
        await self._clock.sleep(REST_S)  # by then it is known who else lives
        while True:
            if not self._is_ours():
                self._let_go()
                await self._clock.sleep(OURS_S)
                continue
            try:
                if self._kept_s is None:
                    await self._go_on()
                if not await self.step():
                    await self._log.wait_beyond(self._ledger.position, POLL_S)
            except (LogFault, *DATABASE_FAULTS) as fault:
                _log.warning("ledger_waits", fault=type(fault).__name__)
                await self._clock.sleep(RETRY_S)

    def _let_go(self) -> None:
        """Leave it to another instance, and keep nothing of it: not its alarm either, which is the other's now."""
        if self._kept_s is not None:
            self._begin()
            self._tell()

    async def step(self) -> bool:
        """Audit one batch; tell whether there may be more."""
        self._is_at_work, began = True, self._clock.monotonic()
        facts = await self._log.read(self._ledger.position, BATCH)
        for place, fact in enumerate(facts, 1):
            self._ledger.take(fact)
            if not place % AT_ONCE:
                await asyncio.sleep(0)
        if len(facts) < BATCH:
            self._ledger.flush()
            await self._look()
            await self._keep(facts[-1] if facts else None)
        self._tell()
        if facts:  # runs come first: an audit may be late
            await self._clock.sleep(max(REST_S, (self._clock.monotonic() - began) * (1 / SHARE - 1)))
        return len(facts) == BATCH

    async def _go_on(self) -> None:
        """Go on where an audit by the same code stood, if the log is still that one."""
        kept = None if self._keeper is None else await self._keeper.find()
        if kept is not None:
            there = await self._log.read(kept.position - 1, 1, before=kept.position + 1)
            if there and there[0].chain == kept.chain:
                ledger = ledger_from(kept.state)
                async for some in self._unhurried(list(kept.owners.items())):
                    put_owners(ledger, some)
                self._ledger = ledger
                self._last, self._told, self._is_whole = there[0], len(self._ledger.findings), False
        self._kept_s = self._clock.monotonic()

    async def _keep(self, last: Recorded[Any] | None) -> None:
        """Keep from time to time how far the audit is."""
        self._last = last or self._last
        now_s = self._clock.monotonic()
        if self._keeper is None or self._last is None or now_s - (self._kept_s or 0.0) < KEEP_S:
            return
        self._kept_s, ledger = now_s, self._ledger
        streams = set(ledger.owners.known) if self._is_whole else set(ledger.changed)
        owners: dict[StreamId, bytes] = {}
        async for some in self._unhurried(list(streams)):
            owners.update(owners_of(ledger, some))
        kept = Kept(
            position=ledger.position,
            chain=self._last.chain,
            state=common_of(ledger),
            owners=owners,
        )
        if await self._keeper.save(kept, whole=self._is_whole):
            self._is_whole = False
            ledger.changed -= streams

    async def _look(self) -> None:
        """Find what is left over; while this instance is up, by now and not by the last fact's time."""
        now_s = self._clock.monotonic()
        if not self._up():
            self._up_s = now_s
        if now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        now = self._clock.now() if now_s - self._up_s > 2 * LOOK_S else None
        found: dict[tuple[StreamId, datetime], Finding] = {}
        async for some in self._unhurried(self._ledger.passed(now)):
            for stream in some:
                finding = self._ledger.left_over_of(stream, now)
                if finding is not None and finding.due is not None:
                    found[stream, finding.due] = finding
        for key in found.keys() - self._standing.keys():
            _alarm(found[key])
        self._standing = found

    async def _unhurried(self, whole: Sequence[T]) -> AsyncIterator[Sequence[T]]:
        """Yield all of it in pieces, each followed by the rest that keeps this to its share of the time."""
        for first in range(0, len(whole), AT_ONCE):
            began = self._clock.monotonic()
            yield whole[first : first + AT_ONCE]
            await self._clock.sleep((self._clock.monotonic() - began) * (1 / SHARE - 1))

    def _tell(self) -> None:
        for finding in self._ledger.findings[self._told :]:
            _alarm(finding)
        self._told = len(self._ledger.findings)
        metrics = self._metrics
        for kind in Kind:
            standing = sum(finding.kind is kind for finding in self._standing.values())
            metrics.ledger_findings.labels(kind).set(self._ledger.kinds[kind] + standing)
        metrics.ledger_position.set(self._ledger.position)
        behind = self._log.known_head.position - self._ledger.position if self._is_at_work else 0
        metrics.ledger_lag.set(max(0, behind))


def _alarm(finding: Finding) -> None:
    _log.error("ledger_finding", **finding.document())
