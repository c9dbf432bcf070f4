"""The virtual-time loop: it jumps, it is the same every time, and it refuses what lives in the machine's time."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from eventjobs.errors import SimulationStuck
from eventjobs.simulation.loop import virtually
from eventjobs.simulation.ports import SeededIds, SeededRandom, VirtualClock
from tests.simulation.machines import MachineLoop

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_year_of_waiting_takes_no_time_and_is_exact_to_the_microsecond() -> None:
    clock = VirtualClock(START)

    async def wait() -> datetime:
        for _ in range(365):
            await clock.sleep((clock.now() + timedelta(days=1) - clock.now()).total_seconds())
        return clock.now()

    began = time.perf_counter()

    assert virtually(wait()) == START + timedelta(days=365)
    assert time.perf_counter() - began < 5


@pytest.mark.timeout(20)
def test_the_loop_of_machines_goes_on_after_half_a_year() -> None:
    loop = MachineLoop(1)

    async def wait() -> float:
        for _ in range(365):
            await asyncio.sleep(86_400.0)
        return loop.time()

    try:
        assert loop.run_until_complete(wait()) == pytest.approx(365 * 86_400.0)
    finally:
        loop.close()


def order(seed: int | None) -> list[int]:
    async def main() -> list[int]:
        done: list[int] = []

        async def one(number: int) -> None:
            for _ in range(3):
                await asyncio.sleep(1)
                done.append(number)

        await asyncio.gather(*(one(number) for number in range(6)))
        return done

    return virtually(main(), seed=seed)


def test_without_a_seed_who_began_to_wait_first_goes_on_first() -> None:
    assert order(None) == [0, 1, 2, 3, 4, 5] * 3


def test_timers_that_were_cancelled_are_let_go() -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        for _ in range(1_000):
            loop.call_later(1_000, print).cancel()
        await asyncio.sleep(1)
        return len(loop._scheduled)  # type: ignore[attr-defined]

    assert virtually(main()) < 200


def test_a_seed_draws_the_order_of_tasks_and_draws_it_again() -> None:
    assert order(7) == order(7)
    assert len({tuple(order(seed)) for seed in range(20)}) > 10


def test_a_seed_leaves_the_order_of_callbacks_alone() -> None:
    async def main() -> list[int]:
        done: list[int] = []
        for number in range(20):
            asyncio.get_running_loop().call_soon(done.append, number)
        await asyncio.sleep(1)
        return done

    assert virtually(main(), seed=3) == list(range(20))


def test_waiting_for_what_nobody_will_do_is_told() -> None:
    with pytest.raises(SimulationStuck):
        virtually(asyncio.Event().wait())


def test_a_deadline_is_in_virtual_seconds() -> None:
    with pytest.raises(TimeoutError):
        virtually(asyncio.sleep(100), within_s=99)


def test_threads_and_sockets_are_refused() -> None:
    async def thread() -> None:
        await asyncio.to_thread(time.monotonic)

    async def socket() -> None:
        await asyncio.open_connection("127.0.0.1", 9)

    with pytest.raises(RuntimeError, match="no threads"):
        virtually(thread())
    with pytest.raises(RuntimeError, match="no sockets"):
        virtually(socket())


def test_what_is_left_behind_is_cancelled() -> None:
    ended: list[str] = []

    async def left() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            ended.append("left")

    async def main() -> asyncio.Task[None]:
        task = asyncio.create_task(left())
        await asyncio.sleep(1)
        return task

    assert virtually(main()).cancelled()
    assert ended == ["left"]


def test_a_step_moves_the_clock_and_nobody_s_waiting() -> None:
    clock = VirtualClock(START)

    async def main() -> tuple[datetime, float]:
        clock.step(-3600)
        await clock.sleep(10)
        return clock.now(), clock.monotonic()

    assert virtually(main()) == (START - timedelta(seconds=3590), 10.0)


def test_ids_and_chance_come_from_the_seed() -> None:
    def drawn(seed: int) -> list[object]:
        async def main() -> list[object]:
            ids, chance = SeededIds(VirtualClock(START), seed), SeededRandom(seed)
            return [ids.new(), ids.new(), chance.uniform(), chance.token(16)]

        return virtually(main())

    first, second, *_ = drawn(1)
    assert drawn(1) == drawn(1) != drawn(2)
    assert str(first) < str(second)
    assert str(first)[14] == "7"
