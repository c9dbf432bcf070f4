import asyncio
import gc

from eventjobs.telemetry.tasks import AGAIN_S, Tasks
from tests.support.capturing import capture_logs


async def test_a_task_lives_though_nobody_holds_it() -> None:
    tasks, ended = Tasks(), asyncio.Event()
    tasks.start(_wait_then_set(ended), name="unheld")
    gc.collect()
    async with asyncio.timeout(2):
        await ended.wait()


async def test_an_ended_task_is_forgotten() -> None:
    tasks, ended = Tasks(), asyncio.Event()
    task = tasks.start(_wait_then_set(ended), name="short")
    assert tasks.names == ["short"]
    await task
    await asyncio.sleep(0)
    assert tasks.names == []


async def test_a_lost_exception_is_logged_with_the_name_of_its_task() -> None:
    tasks = Tasks()
    with capture_logs() as logs:
        task = tasks.start(_fail(), name="doomed")
        await asyncio.wait([task])
        await asyncio.sleep(0)
    assert [(entry["event"], entry["task"]) for entry in logs] == [("task_failed", "doomed")]
    assert isinstance(logs[0]["exc_info"], ZeroDivisionError)


async def test_the_exception_of_a_joined_task_is_its_awaiter_s_alone() -> None:
    tasks = Tasks()
    with capture_logs() as logs:
        task = tasks.start(_fail(), name="joined", joined=True)
        result = await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0)
    assert isinstance(result[0], ZeroDivisionError)
    assert logs == []


async def test_cancel_all_also_ends_what_an_ending_task_starts() -> None:
    tasks = Tasks()

    async def leaves_another() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            tasks.start(_for_ever(), name="second")

    first = tasks.start(leaves_another(), name="first")
    await asyncio.sleep(0)
    assert await tasks.cancel_all() == []
    assert first.cancelled()
    assert tasks.names == []


async def test_cancel_all_names_the_task_that_would_not_end() -> None:
    tasks, release = Tasks(), asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await release.wait()

    task = tasks.start(stubborn(), name="stubborn")
    await asyncio.sleep(0)
    assert await tasks.cancel_all(timeout_s=0.05) == ["stubborn"]
    release.set()
    await task


async def test_cancel_all_spares_the_task_that_asks() -> None:
    tasks = Tasks()

    async def stops_all() -> str:
        await tasks.cancel_all()
        return "alive"

    assert await tasks.start(stops_all(), name="stopper") == "alive"


async def _wait_then_set(event: asyncio.Event) -> None:
    await asyncio.sleep(0)
    event.set()


async def _fail() -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def test_a_loop_that_broke_is_logged_and_begun_anew_after_a_pause() -> None:
    tasks, begun, pauses = Tasks(), 0, []

    async def breaks_twice() -> None:
        nonlocal begun
        begun += 1
        if begun <= 2:
            raise ZeroDivisionError

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    with capture_logs() as logs:
        await tasks.keep(breaks_twice, name="shaky", sleep=sleep)

    assert begun == 3
    assert pauses == [AGAIN_S, AGAIN_S]
    assert [(entry["event"], entry["task"]) for entry in logs] == [("loop_broke", "shaky")] * 2


async def test_a_loop_that_is_kept_can_be_cancelled() -> None:
    tasks = Tasks()
    kept = tasks.keep(_for_ever, name="kept", sleep=asyncio.sleep)
    await asyncio.sleep(0)
    assert await tasks.cancel_all() == []
    assert kept.cancelled()
