"""How the log in memory misbehaves when it is told to."""

import asyncio
from collections.abc import Sequence

import pytest

from eventjobs.errors import LogFull, LogUnavailable, OutcomeUnknown, VersionConflict
from eventjobs.log.memory import Fault, MemoryEventLog
from eventjobs.log.port import Append
from tests.log.facts import CODEC, a_receipt, a_stream, append_to, noted
from tests.log.fakes import ManualClock


class Plan:
    def __init__(self, faults: Sequence[Fault | None]) -> None:
        self.faults = list(faults)
        self.hold: asyncio.Event | None = None

    async def next(self, append: Append) -> Fault | None:
        assert append.events
        if self.hold is not None:
            await self.hold.wait()
        return self.faults.pop(0) if self.faults else None


@pytest.mark.parametrize(
    ("fault", "raised", "is_written"),
    [
        (Fault.CONFLICT, VersionConflict, False),
        (Fault.UNAVAILABLE, LogUnavailable, False),
        (Fault.FULL, LogFull, False),
        (Fault.UNKNOWN_LOST, OutcomeUnknown, False),
        (Fault.UNKNOWN_WRITTEN, OutcomeUnknown, True),
    ],
)
async def test_a_fault_is_told_and_its_truth_is_in_the_log(
    fault: Fault, raised: type[Exception], is_written: bool
) -> None:
    log = MemoryEventLog(CODEC, ManualClock(), faults=Plan([fault]))
    stream, receipt = a_stream(), a_receipt()
    with pytest.raises(raised):
        await log.append(append_to(stream, noted(), receipt=receipt))
    assert len((await log.read_streams([(stream, 0)]))[stream]) == is_written
    again = await log.append(append_to(stream, noted(), receipt=receipt))
    assert (again.replayed is not None) == is_written
    assert len((await log.read_streams([(stream, 0)]))[stream]) == 1


async def test_a_slow_append_survives_its_cancelled_caller() -> None:
    plan = Plan([])
    plan.hold = asyncio.Event()
    log, stream = MemoryEventLog(CODEC, ManualClock(), faults=plan), a_stream()
    caller = asyncio.ensure_future(log.append(append_to(stream, noted())))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    caller.cancel()
    plan.hold.set()
    assert await log.wait_beyond(1, 5) == 2
    assert caller.cancelled()
