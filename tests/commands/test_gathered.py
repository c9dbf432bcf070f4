"""Many callers' reads in one query."""

import asyncio
from collections.abc import Sequence
from typing import Any

from eventjobs.commands.gathered import AT_ONCE, GatheredReads
from eventjobs.domain.streams import service_stream
from eventjobs.errors import LogUnavailable
from eventjobs.events.recorded import StreamId
from tests.support.waiting import eventually

A, B = service_stream("acme", "a"), service_stream("acme", "b")


class Fact:
    def __init__(self, version: int) -> None:
        self.stream_version = version


class CountedReads:
    """A log's reads, counted, that can be held or fail."""

    def __init__(self) -> None:
        self.asked: list[list[tuple[StreamId, int]]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.fault: Exception | None = None

    async def read_streams(self, wanted: Sequence[tuple[StreamId, int]]) -> Any:
        self.asked.append(list(wanted))
        await self.go.wait()
        if self.fault is not None:
            raise self.fault
        return {stream: [Fact(v) for v in range(after + 1, 4)] for stream, after in wanted}


def versions(found: Any, stream: StreamId) -> list[int]:
    return [fact.stream_version for fact in found[stream]]


async def test_callers_of_one_turn_share_a_query_and_each_gets_what_it_asked_for() -> None:
    log = CountedReads()
    reads = GatheredReads(log)  # type: ignore[arg-type]
    first, second, third = await asyncio.gather(
        reads.read([(A, 0)]), reads.read([(A, 2), (B, 1)]), reads.read([(B, 3)])
    )
    assert log.asked == [[(A, 0), (B, 1)]]
    assert versions(first, A) == [1, 2, 3]
    assert (versions(second, A), versions(second, B)) == ([3], [2, 3])
    assert versions(third, B) == []


async def test_slow_reads_do_not_hold_up_a_later_caller() -> None:
    log = CountedReads()
    reads = GatheredReads(log)  # type: ignore[arg-type]
    log.go.clear()
    slow = asyncio.ensure_future(reads.read([(A, 0)]))
    await eventually(lambda: len(log.asked) == 1)
    quick = asyncio.ensure_future(reads.read([(B, 0)]))
    await eventually(lambda: len(log.asked) == 2)
    log.go.set()
    await asyncio.gather(slow, quick)


async def test_a_caller_that_goes_away_takes_nobody_with_it() -> None:
    log = CountedReads()
    reads = GatheredReads(log)  # type: ignore[arg-type]
    log.go.clear()
    leading = [asyncio.ensure_future(reads.read([(A, 0)]))]
    await eventually(lambda: len(log.asked) == 1)
    for number in range(1, AT_ONCE):
        leading.append(asyncio.ensure_future(reads.read([(A, 0)])))
        await eventually(lambda number=number: len(log.asked) == number + 1)
    waiting = [asyncio.ensure_future(reads.read([(B, 1)])) for _ in range(5)]
    await asyncio.sleep(0)
    for one in (*leading, waiting[0]):
        one.cancel()
    await asyncio.gather(*leading, return_exceptions=True)
    log.go.set()
    for one in waiting[1:]:
        async with asyncio.timeout(5):
            assert versions(await one, B) == [2, 3]


async def test_a_fault_reaches_every_caller_and_the_next_read_works() -> None:
    log = CountedReads()
    reads = GatheredReads(log)  # type: ignore[arg-type]
    log.fault = LogUnavailable("away")
    found = await asyncio.gather(reads.read([(A, 0)]), reads.read([(B, 0)]), return_exceptions=True)
    assert [type(one) for one in found] == [LogUnavailable, LogUnavailable]
    log.fault = None
    assert versions(await reads.read([(A, 0)]), A) == [1, 2, 3]
