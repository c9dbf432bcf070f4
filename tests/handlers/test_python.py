import asyncio
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from eventjobs.errors import JobFailed
from eventjobs.handlers import python
from eventjobs.handlers.context import JobRef, Suspended
from eventjobs.handlers.workbench import Workbench
from tests.handlers import jobs_for_tests
from tests.handlers.conftest import Attempt

NAMES = ("in_the_loop", "in_a_thread", "checked", "until_stopped", "suspends", "breaks", "NOT_CALLABLE", "absent")


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a package's metadata would say."""
    points = [EntryPoint(name, f"tests.handlers.jobs_for_tests:{name}", python.GROUP) for name in NAMES]
    monkeypatch.setattr(python, "entry_points", lambda group: EntryPoints(p for p in points if p.group == group))


@pytest.fixture
def made(bench: Workbench, attempt: Callable[..., Attempt]) -> Attempt:
    return attempt(bench)


async def test_a_coroutine_runs_in_the_loop(made: Attempt) -> None:
    result = await made.perform("python", {"function": "in_the_loop", "params": {"a": 1}})
    assert result.output == {"params": {"a": 1}, "run": "run-1", "thread": True}
    assert made.progress[0].counts == {"processed": 1}


async def test_a_plain_function_runs_in_a_thread(made: Attempt) -> None:
    result = await made.perform("python", {"function": "in_a_thread"})
    assert (result.counts, result.output) == ({"processed": 2}, False)
    assert made.progress[0].text == "quarter"
    assert made.log == ["from a thread"]


async def test_an_entry_point_is_also_found_by_its_module_and_function(made: Attempt) -> None:
    config = {"function": "tests.handlers.jobs_for_tests:checked", "params": {"times": 2}}
    assert (await made.perform("python", config)).output == 4


@pytest.mark.parametrize("function", ["os:system", "tests.handlers.jobs_for_tests:Params", "subprocess:run", "nothing"])
async def test_nothing_but_an_entry_point_can_be_called(made: Attempt, function: str) -> None:
    with pytest.raises(JobFailed, match="no installed package offers") as failed:
        await made.perform("python", {"function": function, "params": {}})
    assert not failed.value.retryable


async def test_params_are_checked_by_the_model_that_the_function_names(made: Attempt) -> None:
    with pytest.raises(JobFailed, match="params are not valid: times") as failed:
        await made.perform("python", {"function": "checked", "params": {"times": "x"}})
    assert not failed.value.retryable


async def test_a_flow_suspends_and_its_callback_is_in_no_log_line(
    bench: Workbench, attempt: Callable[..., Attempt]
) -> None:
    made = attempt(bench, job=JobRef("flow", "approve"), callback_url="http://here/v1/acme/callbacks/signed")
    result = await made.perform("python", {"function": "suspends"})
    assert result == Suspended(waits_for="the buyer", counts={"asked": 1})
    assert "signed" not in made.log[0]


async def test_nothing_but_a_flow_can_suspend(made: Attempt) -> None:
    with pytest.raises(JobFailed, match="only a flow can suspend") as failed:
        await made.perform("python", {"function": "suspends"})
    assert not failed.value.retryable


async def test_what_a_function_raises_is_the_failure(made: Attempt) -> None:
    with pytest.raises(JobFailed, match="ZeroDivisionError: of course") as failed:
        await made.perform("python", {"function": "breaks"})
    assert failed.value.retryable


@pytest.mark.parametrize(
    ("function", "message"), [("absent", "cannot be imported"), ("NOT_CALLABLE", "is not a function")]
)
async def test_an_entry_point_that_is_no_function_says_so(made: Attempt, function: str, message: str) -> None:
    with pytest.raises(JobFailed, match=message):
        await made.perform("python", {"function": function})


async def test_a_cancelled_function_is_told_to_stop(made: Attempt) -> None:
    running = asyncio.create_task(made.perform("python", {"function": "until_stopped"}))
    async with asyncio.timeout(10):
        while not made.progress:
            await asyncio.sleep(0.005)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await asyncio.to_thread(jobs_for_tests.stopped.wait, 10)
