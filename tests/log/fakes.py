"""A clock that moves only when somebody sleeps, and a storage that does what a test says."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.batch import Batch
from eventjobs.log.birth import birth
from eventjobs.log.port import Head, StoredReceipt
from eventjobs.log.storage import Written
from tests.log.facts import CODEC

START = datetime(2026, 12, 1, 20, tzinfo=UTC)
FIRST = birth("0192f0c1-0000-7000-8000-00000000aaaa", "0192f0c1-0000-7000-8000-00000000bbbb", START)


class ManualClock:
    def __init__(self) -> None:
        self.passed_s = 0.0
        self.ahead = timedelta()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed_s) + self.ahead

    def monotonic(self) -> float:
        return self.passed_s

    async def sleep(self, seconds: float) -> None:
        self.passed_s += seconds
        await asyncio.sleep(0)


class HalfRandom:
    def uniform(self) -> float:
        return 0.5

    def token(self, nbytes: int) -> str:
        return "x" * nbytes


Interference = Callable[[Batch], Awaitable[Written | None]]


class FakeStorage:
    """
    A table in memory. `plan` holds what happens to the next writes: an exception, an outcome, or a function that may
    do something first; what is left of the time a batch is written if its base is the head.
    """

    def __init__(self) -> None:
        self.facts: list[Recorded[Any]] = [FIRST]
        self.receipts: dict[str, StoredReceipt] = {}
        self.plan: list[BaseException | Written | Interference | None] = []
        self.writes: list[int] = []
        self.looked_up: list[Sequence[StreamId]] = []
        self.unreadable: Exception | None = None

    @property
    def head(self) -> Head:
        last = self.facts[-1]
        return Head(last.position, last.chain, last.at)

    async def write(self, batch: Batch) -> Written:
        await asyncio.sleep(0)
        self.writes.append(batch.count)
        step = self.plan.pop(0) if self.plan else None
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, Written):
            return step
        if step is not None and (outcome := await step(batch)) is not None:
            return outcome
        return self.put(batch)

    def put(self, batch: Batch) -> Written:
        if self.head.position != batch.base.position or self.head.chain != batch.base.chain:
            return Written.BEHIND
        stored = batch.stored()
        if any(receipt.key in self.receipts for receipt in stored):
            return Written.RECEIPT_TAKEN
        self.receipts.update({receipt.key: receipt for receipt in stored})
        for position, *rest in batch.rows():
            workspace, stream, version, kind, schema, actor, command, causation, correlation, data, leaf, chain = rest
            self.facts.append(
                Recorded(
                    position=position,
                    stream=StreamId(workspace, stream),
                    stream_version=version,
                    type=kind,
                    schema=schema,
                    at=batch.at,
                    actor=actor,
                    command_id=command,
                    causation=causation,
                    correlation=correlation,
                    data=data.encode(),
                    leaf=leaf,
                    chain=chain,
                    decode=CODEC.decode,
                )
            )
        return Written.COMMITTED

    async def holds(self, head: Head) -> bool:
        self._check()
        return any(fact.position == head.position and fact.chain == head.chain for fact in self.facts)

    async def find_versions(self, streams: Sequence[StreamId]) -> Mapping[StreamId, int]:
        self._check()
        self.looked_up.append(streams)
        await asyncio.sleep(0)
        return {stream: sum(fact.stream == stream for fact in self.facts) for stream in streams}

    async def find_receipts(self, keys: Sequence[str]) -> Mapping[str, StoredReceipt]:
        self._check()
        return {key: self.receipts[key] for key in keys if key in self.receipts}

    async def read_after(self, position: int) -> Sequence[Recorded[Any]]:
        self._check()
        return [fact for fact in self.facts if fact.position > position][:3]

    def _check(self) -> None:
        if self.unreadable is not None:
            raise self.unreadable
