"""
Group commit: many callers' appends, one statement at a time.

While one batch is being committed the next ones queue; what has come by then is the next batch, so no timer is needed.
The log's primary key is the compare-and-swap: a batch is numbered after the head that this process knows, and if
another process wrote first, the statement fails as a whole, what is new is read, and every append is checked again. A
second batch is never sent before the first commit is known; that is what keeps positions without a gap.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

import structlog

from eventjobs.clock import Clock
from eventjobs.errors import ForkedHistory, LogFault, LogUnavailable, OutcomeUnknown, Overtaken, VersionConflict
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.ids import Random
from eventjobs.log.batch import Batch, decided_for
from eventjobs.log.codec import Codec
from eventjobs.log.prepared import Prepared
from eventjobs.log.replays import Replays
from eventjobs.log.storage import LinkLost, Storage, Unwritable, Written
from eventjobs.log.tail import Tail
from eventjobs.log.versions import GENERATION, StreamVersions
from eventjobs.log.waiting import EVENTS_ENOUGH, EVENTS_MAX, Waiting
from eventjobs.telemetry.tasks import Tasks

SETTLE_S: Final = 4.0
"""How long an unknown outcome is looked into before the callers are told that nobody knows."""
SETTLE_PAUSE_S: Final = 0.05
RACES_BEFORE_HALVING: Final = 3

_log: Final = structlog.get_logger("eventjobs.log")


class Appender:
    """
    One per process.

    `put` queues an append; its future is resolved by the writing task, which a caller's cancellation does not reach.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        tail: Tail,
        codec: Codec,
        clock: Clock,
        random: Random,
        tasks: Tasks,
        generation: int = GENERATION,
    ) -> None:
        self._storage = storage
        self._tail = tail
        self._codec = codec
        self._clock = clock
        self._random = random
        self._tasks = tasks
        self._head = tail.head
        self._versions = StreamVersions(tail.head.position, generation=generation)
        self._queue = Waiting()
        self._work = asyncio.Event()
        self._closed = False
        self._races = 0
        self._commit_s = 0.001
        self.replays = Replays(storage, tail)
        self.written = 0
        """The last position that this process wrote."""
        self.lost_races = 0
        """How often another process wrote first, since the start."""

    def put(self, prepared: Prepared) -> None:
        """Queue an append."""
        if self._closed:
            prepared.refuse(LogUnavailable("the log is closing"))
            return
        self._queue.put(prepared)
        self._work.set()

    def take_in(self, facts: Sequence[Recorded[Any]]) -> None:
        """
        Take facts that were read from storage; those of other processes move the streams and the head.

        Raises `ForkedHistory`, now and at everybody who waits, if they do not continue what was read before.
        """
        try:
            self._tail.check(facts)
        except ForkedHistory as fault:
            self._tail.break_off(fault)
            raise
        for fact in facts:
            if fact.position > self._head.position:
                self._versions.saw(fact.stream, fact.stream_version)
        self._tail.extend(facts)
        if self._tail.head.position > self._head.position:
            self._head = self._tail.head
        self._versions.turn(self._head.position)

    async def run(self) -> None:
        """Write what is queued until `close` was called and the queue is empty."""
        while self._queue or not self._closed:
            was_idle = not self._queue
            if was_idle:
                self._work.clear()
                await self._work.wait()
                if not self._queue:
                    continue
            # After idling, half of those that came at once: their callers then work while the other half is committed.
            # Where others write too each batch is a race, and one large one is lost less often than many small ones.
            alone = self.written in (0, self._head.position)
            taken = self._queue.take(
                appends_max=len(self._queue) // 2 if was_idle and alone else EVENTS_MAX,
                enough=EVENTS_ENOUGH if alone else EVENTS_MAX,
            )
            try:
                await self._write(taken)
            except LogUnavailable as fault:
                # Who waits is told at once, and not one attempt to connect after another.
                _fail([*taken, *self._queue.clear()], fault)
            except OutcomeUnknown as fault:
                _fail(taken, fault)
                _fail(self._queue.clear(), LogUnavailable("the database does not answer; nothing was written"))
            except LogFault as fault:
                _fail(taken, fault)
            except Exception:  # noqa: BLE001 a writer that ends would leave every caller waiting
                _log.exception("append_failed")
                _fail(taken, OutcomeUnknown("the writer failed"))
            except BaseException:
                _fail(taken, OutcomeUnknown("the writer was stopped"))
                _fail(self._queue, LogUnavailable("the writer was stopped"))
                raise

    def close(self) -> None:
        """Take no more appends; `run` ends when those that are queued have their outcome."""
        self._closed = True
        self._work.set()

    async def _write(self, taken: Sequence[Prepared]) -> None:
        if self._tail.fault is not None:
            raise self._tail.fault
        examined = await self._examine(taken)
        now = decided_for(self._head, self._clock.now())
        accepted = [prepared for prepared in examined if prepared.append.holds(now)]
        if len(accepted) < len(examined):
            self._refuse((prepared, Overtaken(now)) for prepared in examined if not prepared.append.holds(now))
        if not accepted:
            return
        batch = Batch(self._head, now, accepted)
        if batch.is_empty:
            self._publish(batch)
            return
        started = self._clock.monotonic()
        try:
            written = await self._send(batch)
        except Unwritable as refusal:
            if len(accepted) == 1:
                raise LogFault(str(refusal)) from refusal
            self._queue.put_back(accepted, singly=True)
            return
        match written:
            case Written.COMMITTED:
                self._commit_s = self._clock.monotonic() - started
                self._committed(batch)
            case Written.BEHIND:
                await self._lose(batch)
                self._queue.put_back(accepted)
            case Written.RECEIPT_TAKEN:
                self._queue.put_back(await self.replays.answer_stored(accepted))

    async def _examine(self, taken: Sequence[Prepared]) -> Sequence[Prepared]:
        """
        Return those whose versions are as expected; the others are answered, if need be in a task of their own.

        Versions that neither the notes nor the callers' own reading tell are looked up first, all in one query. A
        caller that read further than this process has followed the log is not behind: then the log is read first.
        """
        followed = False
        while True:
            noted = self._head.position
            accepted, refused, unknown = self._compare(taken)
            if unknown:
                found = await self._storage.find_versions(unknown)
                if self._versions.covers(noted):
                    self._versions.learned(found)
            elif not followed and any(conflict.expected > conflict.actual for _, conflict in refused):
                await self._follow()
                followed = True
            else:
                break
        self._refuse(refused)
        return accepted

    def _refuse(self, refused: Iterable[tuple[Prepared, VersionConflict | Overtaken]]) -> None:
        """Have these decided again, but for those whose keys have their receipts already."""
        keyed: list[tuple[Prepared, VersionConflict | Overtaken]] = []
        for prepared, why in refused:
            if prepared.append.receipts:
                keyed.append((prepared, why))
            else:
                prepared.refuse(why)
        if keyed:
            _ = self._tasks.start(self.replays.answer_refused(keyed), name="log-refusals")

    def _compare(
        self, taken: Sequence[Prepared]
    ) -> tuple[list[Prepared], list[tuple[Prepared, VersionConflict]], list[StreamId]]:
        """Return which appends hold, which conflict, and which streams have to be looked up to know."""
        accepted: list[Prepared] = []
        refused: list[tuple[Prepared, VersionConflict]] = []
        unknown: list[StreamId] = []
        find, covers = self._versions.find, self._versions.covers
        for prepared in taken:
            append = prepared.append
            if append.receipts and self.replays.answer_recent(prepared):
                continue
            for stream, expected in append.expected.items():
                version = find(stream)
                if version is None:
                    read_at = append.read_at.get(stream)
                    if read_at is None or not covers(read_at):
                        unknown.append(stream)
                elif version != expected:
                    refused.append((prepared, VersionConflict(stream, expected, version)))
                    break
            else:
                accepted.append(prepared)
        return accepted, refused, unknown

    async def _send(self, batch: Batch) -> Written:
        try:
            return await self._storage.write(batch)
        except LinkLost:
            return await self._settle(batch)

    async def _settle(self, batch: Batch) -> Written:
        """
        Find out what became of a batch whose answer was lost, by sending it again on a new connection.

        Its positions and chain are the same, so it cannot be written twice: it goes in if the first one did not, it
        waits if the first one is still under way, and it collides with itself if that one was committed.
        """
        deadline = self._clock.monotonic() + SETTLE_S
        while (left_s := deadline - self._clock.monotonic()) > 0:
            try:
                async with asyncio.timeout(left_s):
                    written = await self._storage.write(batch)
                    if written is not Written.COMMITTED and batch.count and await self._storage.holds(batch.head):
                        return Written.COMMITTED
            except (LinkLost, Unwritable, LogFault, TimeoutError):
                await self._clock.sleep(SETTLE_PAUSE_S)
            else:
                return written
        raise OutcomeUnknown("the link to the database was lost around a commit")

    def _committed(self, batch: Batch) -> None:
        self._races = 0
        self._queue.limit()
        if batch.count:
            self.written = batch.head.position
        if batch.head.position > self._head.position:
            self._head = batch.head
            for prepared in batch.appends:
                self._versions.wrote(prepared.written)
            self._versions.turn(batch.head.position)
        # else the answer was lost, and the batch was read meanwhile, perhaps with what others wrote on top of it
        self.replays.note(batch.stored())
        if self._queue:  # the next batch goes out first, and the callers of this one are answered meanwhile
            asyncio.get_running_loop().call_soon(self._publish, batch)
        else:
            self._publish(batch)

    def _publish(self, batch: Batch) -> None:
        self._tail.extend(batch.publish(self._codec))

    async def _lose(self, batch: Batch) -> None:
        """Wait a little, so that two busy processes do not keep colliding, then read what the other one wrote."""
        self.lost_races += 1
        self._races += 1
        if self._races >= RACES_BEFORE_HALVING:
            self._queue.limit(batch.count // 2)
        await self._clock.sleep(self._random.uniform() * 2 * self._commit_s)
        before = self._head
        await self._follow()
        if self._head is before and not await self._storage.holds(before):
            fault = ForkedHistory(f"position {before.position} is not in the log as it was read before")
            self._tail.break_off(fault)
            raise fault

    async def _follow(self) -> None:
        """Read the log to its end."""
        while facts := await self._storage.read_after(self._head.position):
            self.take_in(facts)


def _fail(appends: Iterable[Prepared], error: BaseException) -> None:
    for prepared in appends:
        prepared.refuse(error)
