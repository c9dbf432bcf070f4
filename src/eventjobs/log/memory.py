"""
The log in memory: the same contract, for tests and simulations.

It misbehaves on request as the real one can. `Faults.next` is asked before each append; what it answers happens to
that append, and nothing else in the log is random.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Final, Protocol

from eventjobs.clock import Clock
from eventjobs.errors import (
    LogFault,
    LogFull,
    LogUnavailable,
    NotFound,
    OutcomeUnknown,
    Overtaken,
    Rejected,
    VersionConflict,
)
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.batch import Batch, decided_for
from eventjobs.log.birth import birth
from eventjobs.log.codec import Codec
from eventjobs.log.port import EVERYTHING, Append, Appended, Filter, Head, StoredReceipt
from eventjobs.log.prepared import Prepared, prepare
from eventjobs.log.tail import Tail
from eventjobs.telemetry.tasks import Tasks

_NOBODY: Final = "00000000-0000-7000-8000-000000000000"


class Fault(Enum):
    """What may happen to an append."""

    CONFLICT = "conflict"
    """Another process wrote to the stream first (it did not; deciding again on the same state is harmless)."""
    UNAVAILABLE = "unavailable"
    FULL = "full"
    UNKNOWN_WRITTEN = "unknown_written"
    """The facts are in the log, and the caller hears that nobody knows."""
    UNKNOWN_LOST = "unknown_lost"
    """The facts are not in the log, and the caller hears that nobody knows."""


class Faults(Protocol):
    """A plan of what goes wrong."""

    async def next(self, append: Append) -> Fault | None:
        """Say what happens to this append; taking time here delays it, as a slow disk would."""
        ...


class MemoryEventLog:
    """`EventLog` in this process's memory; its position 1 is `log.created`, as on disk."""

    def __init__(self, codec: Codec, clock: Clock, *, faults: Faults | None = None, log_id: str = _NOBODY) -> None:
        self._codec = codec
        self._clock = clock
        self._faults = faults
        first = birth(log_id, _NOBODY, clock.now())
        self._tail = Tail(Head(0, bytes(32), first.at), kept=None)
        self._tail.extend([first])
        self._streams: dict[StreamId, list[Recorded[Any]]] = {first.stream: [first]}
        self._receipts: dict[str, StoredReceipt] = {}
        self._tasks = Tasks()

    async def append(self, append: Append) -> Appended:
        """Write the facts, or answer with the receipt that already carries a key of the append."""
        prepared = prepare(self._codec, append)
        if self._faults is None:
            self._write(prepared)
        else:
            _ = self._tasks.start(self._write_or_fail(prepared, self._faults), name="memory-log-write")
        await asyncio.sleep(0)
        return await prepared.done

    async def append_each(self, appends: Sequence[Append]) -> Sequence[Appended | Rejected | LogFault]:
        """Write appends one after the other."""
        outcomes: list[Appended | Rejected | LogFault] = []
        for append in appends:
            try:
                outcomes.append(await self.append(append))
            except (Rejected, LogFault) as refusal:
                outcomes.append(refusal)
        return outcomes

    async def read_streams(self, wanted: Sequence[tuple[StreamId, int]]) -> Mapping[StreamId, Sequence[Recorded[Any]]]:
        """Return the facts of each stream after the given version, in order, from one snapshot."""
        return {stream: self._streams.get(stream, [])[after:] for stream, after in wanted}

    async def read(
        self,
        after: int,
        limit: int,
        *,
        before: int | None = None,
        matching: Filter = EVERYTHING,
    ) -> Sequence[Recorded[Any]]:
        """Return up to `limit` facts with `after < position < before`, ascending."""
        known = self._tail.between(max(after, 0), before) or ()
        return [fact for fact in known if matching.matches(fact)][:limit]

    async def read_back(
        self, before: int, limit: int, *, stream: StreamId, types: Sequence[str]
    ) -> Sequence[Recorded[Any]]:
        """Return up to `limit` facts of these types in a stream with `position < before`, the last one first."""
        facts = reversed(self._streams.get(stream, []))
        return [fact for fact in facts if fact.position < before and fact.type in types][:limit]

    async def head(self) -> Head:
        """Return the newest head."""
        return self._tail.head

    @property
    def known_head(self) -> Head:
        """The head as this process knows it, without asking."""
        return self._tail.head

    async def wait_beyond(self, position: int, timeout_s: float) -> int:
        """Wait until the head is above `position` or the time is over; return the head's position."""
        return await self._tail.wait_beyond(position, timeout_s)

    async def find_receipt(self, key: str) -> StoredReceipt | None:
        """Return the receipt under `key`."""
        return self._receipts.get(key)

    async def position_at(self, instant: datetime) -> int:
        """Return the last position whose time is at or before `instant` (0: none)."""
        facts = self._tail.between(0, None) or ()
        return next((fact.position for fact in reversed(facts) if fact.at <= instant), 0)

    async def at_of(self, position: int) -> datetime:
        """Return the time of a position; raises `NotFound` if it does not exist."""
        fact = self._tail.find(position)
        if fact is None:
            raise NotFound("position_unknown", f"there is no position {position}")
        return fact.at

    async def _write_or_fail(self, prepared: Prepared, faults: Faults) -> None:
        match await faults.next(prepared.append):
            case None:
                self._write(prepared)
            case Fault.CONFLICT:
                stream, expected = next(iter(prepared.append.expected.items()), (None, 0))
                prepared.refuse(VersionConflict(stream, expected, expected + 1))
            case Fault.UNAVAILABLE:
                prepared.refuse(LogUnavailable("the log cannot be written now"))
            case Fault.FULL:
                prepared.refuse(LogFull("the log's disk is full"))
            case Fault.UNKNOWN_LOST:
                prepared.refuse(OutcomeUnknown("the link to the log was lost around a commit"))
            case Fault.UNKNOWN_WRITTEN:
                prepared.refuse(OutcomeUnknown("the link to the log was lost around a commit"))
                self._write(prepared)

    def _write(self, prepared: Prepared) -> None:
        append, head = prepared.append, self._tail.head
        known = [self._receipts[receipt.key] for receipt in append.receipts if receipt.key in self._receipts]
        if known:
            prepared.resolve(Appended(first=known[0].first, last=known[0].last, at=head.at, replayed=known[0]))
            return
        for stream, expected in append.expected.items():
            actual = len(self._streams.get(stream, ()))
            if actual != expected:
                prepared.refuse(VersionConflict(stream, expected, actual))
                return
        now = decided_for(head, self._clock.now())
        if not append.holds(now):
            prepared.refuse(Overtaken(now))
            return
        batch = Batch(head, now, [prepared])
        facts = batch.publish(self._codec)
        for fact in facts:
            self._streams.setdefault(fact.stream, []).append(fact)
        for stored in batch.stored():
            self._receipts[stored.key] = stored
        self._tail.extend(facts)
