"""The newest part of the log in memory."""

import asyncio
from typing import Any

import pytest

from eventjobs.errors import ForkedHistory
from eventjobs.events.recorded import Recorded
from eventjobs.log.batch import Batch
from eventjobs.log.port import Head
from eventjobs.log.prepared import prepare
from eventjobs.log.tail import Tail
from tests.log.facts import CODEC, a_stream, append_to, noted
from tests.log.fakes import FIRST, START

HEAD = Head(1, FIRST.chain, START)


async def facts(number: int, base: Head = HEAD) -> list[Recorded[Any]]:
    batch = Batch(base, START, [prepare(CODEC, append_to(a_stream(), noted())) for _ in range(number)])
    return list(batch.publish(CODEC))


def positions(found: Any) -> list[int]:
    return [fact.position for fact in found]


async def test_facts_are_taken_once_and_in_order() -> None:
    tail, new = Tail(HEAD), await facts(5)
    tail.extend(new[:2])
    tail.extend(new[:4])
    tail.extend(new[1:3])
    tail.extend([])
    assert tail.head == Head(5, new[3].chain, START)
    assert positions(tail.between(1, None)) == [2, 3, 4, 5]
    with pytest.raises(ForkedHistory):
        tail.extend((await facts(7))[5:])


async def test_only_the_newest_facts_are_kept() -> None:
    tail, new = Tail(HEAD, kept=3), await facts(20)
    for fact in new:
        tail.extend([fact])
    assert 3 <= tail.head.position - tail.first + 1 <= 6
    assert tail.between(tail.first - 2, None) is None
    assert positions(tail.between(tail.first - 1, None)) == list(range(tail.first, 22))
    assert positions(tail.between(19, 21)) == [20]
    assert positions(tail.between(21, None)) == []
    assert tail.find(tail.first - 1) is None
    assert tail.find(22) is None
    found = tail.find(21)
    assert found is not None
    assert found.position == 21


async def test_foreign_facts_must_continue_the_chain() -> None:
    tail, one, other = Tail(HEAD), await facts(3), await facts(3)
    tail.extend(one[:2])
    tail.check(one)
    with pytest.raises(ForkedHistory):
        tail.check(other)
    with pytest.raises(ForkedHistory):
        tail.check(one[:2] + (await facts(4))[3:])


async def test_a_fault_reaches_who_waits_and_who_comes_later() -> None:
    tail = Tail(HEAD)
    waiting = [asyncio.ensure_future(tail.wait_beyond(1, 60)) for _ in range(2)]
    await asyncio.sleep(0)
    tail.break_off(ForkedHistory("lost"))
    for wait in (*waiting, tail.wait_beyond(0, 60)):
        with pytest.raises(ForkedHistory):
            await wait


async def test_one_who_gives_up_does_not_disturb_the_others() -> None:
    tail = Tail(HEAD)
    waiting = [asyncio.ensure_future(tail.wait_beyond(1, 60)) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    assert await tail.wait_beyond(1, 0.01) == 1
    tail.extend(await facts(1))
    assert await waiting[1] == 2
    assert waiting[0].cancelled()


async def test_who_waits_is_woken_in_the_order_of_coming() -> None:
    """Or a simulation, which follows from its seed, would do something else each time."""
    tail, woken = Tail(HEAD), list[int]()

    async def wait(number: int) -> None:
        await tail.wait_beyond(1, 60)
        woken.append(number)

    waiting = [asyncio.ensure_future(wait(number)) for number in range(100)]
    await asyncio.sleep(0)
    tail.extend(await facts(1))
    await asyncio.gather(*waiting)
    assert woken == [*range(100)]
