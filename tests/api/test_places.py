"""Places are taken in order, several at a time, and given back however the wait ended."""

import asyncio

import pytest

from eventjobs.api.places import Places
from tests.support.waiting import eventually


async def held(places: Places, wanted: int, began: list[int], until: asyncio.Event) -> None:
    async with places.take(wanted, 5.0):
        began.append(wanted)
        await until.wait()


async def test_whoever_wants_more_than_is_free_waits_and_so_do_those_behind() -> None:
    places, began, over = Places(10), list[int](), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        async with places.take(6, 1.0):
            group.create_task(held(places, 5, began, over))
            await asyncio.sleep(0)
            with pytest.raises(TimeoutError):
                async with places.take(1, 0.01):
                    pass
            assert (places.free, began) == (4, [])
        await eventually(lambda: began == [5])
        over.set()
    assert places.free == 10


async def test_those_who_wait_come_in_order_when_places_are_given_back() -> None:
    places, began, over = Places(10), list[int](), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        async with places.take(10, 1.0):
            for wanted in (5, 4, 3):
                group.create_task(held(places, wanted, began, over))
            await asyncio.sleep(0)
        await eventually(lambda: began == [5, 4])
        over.set()
    assert began == [5, 4, 3]
    assert places.free == 10


async def test_one_that_gives_up_lets_the_smaller_ones_behind_it_pass() -> None:
    places, began, over = Places(10), list[int](), asyncio.Event()
    async with places.take(6, 1.0), asyncio.TaskGroup() as group:
        impatient = group.create_task(held(places, 5, began, over))
        group.create_task(held(places, 4, began, over))
        await asyncio.sleep(0)
        impatient.cancel()
        await eventually(lambda: began == [4])
        over.set()
    assert places.free == 10


async def test_more_than_all_is_all() -> None:
    places = Places(10)
    async with places.take(1_000, 1.0):
        assert places.free == 0
    assert places.free == 10
