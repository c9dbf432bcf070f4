"""Runs on the real runner: order, failures, retries, timeouts, stops."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from eventjobs.domain.run import Run, State
from eventjobs.errors import JobFailed
from eventjobs.events.recorded import Recorded
from eventjobs.handlers.context import HandlerContext, Result
from eventjobs.runner.tally import Tally
from tests.runner.plant import Instance, Plant
from tests.support.bodies import row, run_now, schedule
from tests.support.story import command
from tests.support.time import VirtualLoop, virtually
from tests.support.waiting import eventually

OK = {"handler": "noop"}


def slow(seconds: float, **fields: Any) -> dict[str, Any]:
    return {"handler": "noop", "config": {"do": "sleep", "seconds": seconds}, **fields}


def doing(name: str, **fields: Any) -> dict[str, Any]:
    return {"handler": "noop", "config": {"do": name}, **fields}


async def running(plant: Plant, services: dict[str, Any], jobs: Any = None, **fields: Any) -> Instance:
    """Start an instance and the run `mine` of these services, one stage each if nothing else is said."""
    instance = Instance(plant, "one", grace_s=fields.pop("grace_s", 30.0)).start()
    await plant.furnish(instance, jobs or [row(name) for name in services], services, **fields)
    await instance.do(run_now(id="mine"))
    return instance


def outcome(run: Run) -> dict[int, tuple[str, str | None]]:
    return {number: (str(one.state), one.reason) for number, one in run.rows.items()}


def test_R37_worked_example_7_runs_in_its_order() -> None:
    async def story() -> None:
        plant = Plant()
        services = {"a": slow(10), "b": slow(20), "c": slow(5), "d": slow(5), "e": slow(60)}
        jobs = [row("a", seq=1), row("b", seq=1), row("c", seq=2), row("d", seq=3), row("e", seq=3, skip_wait=True)]
        await running(plant, services, jobs)
        run = await plant.ended("mine")

        assert run.state is State.SUCCEEDED
        began = sorted((round(call.began), call.job) for call in plant.floor.calls)
        assert began == [(0, "a"), (0, "b"), (0, "e"), (20, "c"), (25, "d")]
        assert round(plant.clock.monotonic()) == 60
        assert plant.schedule().open_run is None

    virtually(story())


def test_one_fact_that_breaks_the_instance_keeps_it_from_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    take, broken = Tally.take, []

    def breaks(tally: Tally, fact: Recorded[Any]) -> None:
        if fact.type in ("service.added", "run.opened"):
            broken.append(fact.position)
            raise ZeroDivisionError
        take(tally, fact)

    async def story() -> None:
        plant = Plant()
        monkeypatch.setattr(Tally, "take", breaks)
        await running(plant, {"a": OK, "b": OK})
        assert (await plant.ended("mine")).state is State.SUCCEEDED
        assert len(broken) == 3

    virtually(story())


def test_an_attempt_is_in_the_log_before_its_handler_is_called() -> None:
    async def story() -> None:
        plant = Plant()
        seen: list[str] = []

        async def look(_context: HandlerContext, _config: object) -> None:
            seen.extend(fact.type for fact in plant.facts("run:mine"))

        plant.floor.doings["look"] = look
        await running(plant, {"a": doing("look")})
        await plant.ended("mine")
        assert seen == ["run.opened", "attempt.started"]

    virtually(story())


def test_later_stages_see_the_outputs_of_earlier_ones() -> None:
    async def story() -> None:
        plant = Plant()
        await running(plant, {"a": OK, "b": OK, "c": OK}, [row("a", seq=1), row("b", seq=1), row("c", seq=2)])
        await plant.ended("mine")
        context = plant.floor.of("c")[0].context
        assert context is not None
        assert context.outputs == {1: {"job": "a"}, 2: {"job": "b"}}

    virtually(story())


def test_R42_by_default_a_failure_stops_nobody_and_fails_the_run() -> None:
    async def story() -> None:
        plant = Plant()
        await running(plant, {"a": doing("fail"), "b": OK})
        run = await plant.ended("mine")
        assert outcome(run) == {1: ("failed", "error"), 2: ("succeeded", None)}
        assert (run.state, run.reason, run.rows[1].counts) == (State.FAILED, "error", {"processed": 2, "rejected": 1})
        assert (run.rows[1].detail, run.rows[1].output) == ("as told", {"why": "told"})

    virtually(story())


def test_R42_with_stop_later_stages_do_not_begin() -> None:
    async def story() -> None:
        plant = Plant()
        await running(plant, {"a": doing("fail"), "b": OK}, policies={"on_failure": "stop"})
        run = await plant.ended("mine")
        assert outcome(run) == {1: ("failed", "error"), 2: ("skipped", "earlier_failed")}
        assert plant.floor.order() == ["a"]

    virtually(story())


def test_a_failed_attempt_is_repeated_after_a_wait_that_chance_shortens() -> None:
    async def story() -> None:
        plant = Plant(chance=0.5)

        async def twice(context: HandlerContext, _config: object) -> None:
            if context.attempt < 3:
                raise JobFailed("not yet")

        plant.floor.doings["twice"] = twice
        backoff = {"initial": "PT10S", "factor": 3.0, "jitter": 0.4}
        await running(plant, {"a": doing("twice", attempts=3, backoff=backoff)})
        run = await plant.ended("mine")
        assert (run.state, run.rows[1].attempt) == (State.SUCCEEDED, 3)
        began = [call.began for call in plant.floor.calls]
        assert [round(b - a, 1) for a, b in pairwise(began)] == [8.0, 24.0]

    virtually(story())


def test_when_no_attempt_is_left_the_job_has_failed() -> None:
    async def story() -> None:
        plant = Plant()
        await running(plant, {"a": doing("fail", attempts=2)})
        run = await plant.ended("mine")
        assert (run.state, len(plant.floor.calls)) == (State.FAILED, 2)

    virtually(story())


def test_R48_an_attempt_that_takes_too_long_has_failed() -> None:
    async def story() -> None:
        plant = Plant()
        await running(plant, {"a": slow(100, timeout="PT30S"), "b": OK})
        run = await plant.ended("mine")
        assert outcome(run) == {1: ("failed", "timeout"), 2: ("succeeded", None)}
        assert plant.floor.calls[0].ended == pytest.approx(30, abs=0.1)

    virtually(story())


async def deaf(_context: HandlerContext, _config: object) -> None:
    """Ignore every attempt to end it."""
    while True:
        try:
            await asyncio.sleep(1_000)
        except asyncio.CancelledError:
            continue


def test_a_handler_that_ignores_its_timeout_is_abandoned_after_the_grace_and_not_tried_again() -> None:
    async def story() -> None:
        plant = Plant()
        plant.floor.doings["deaf"] = deaf
        await running(plant, {"a": doing("deaf", timeout="PT30S", attempts=5), "b": OK}, grace_s=10.0)
        run = await plant.ended("mine")
        assert outcome(run) == {1: ("failed", "timeout"), 2: ("succeeded", None)}
        assert plant.floor.of("b")[0].began == pytest.approx(40, abs=0.1)
        assert len(plant.floor.of("a")) == 1

    virtually(story())


def test_R50_a_stop_at_once_cancels_what_runs() -> None:
    async def story() -> None:
        plant = Plant()
        instance = await running(plant, {"a": slow(100), "b": OK})
        await eventually(lambda: plant.floor.calls)
        await instance.do(command("StopRun", run="mine", mode="now"))
        run = await plant.ended("mine", within_s=5)
        assert outcome(run) == {1: ("aborted", "stopped"), 2: ("skipped", "stopped")}
        assert run.state is State.ABORTED
        assert plant.floor.calls[0].ended is not None
        assert plant.floor.calls[0].ended < 5

    virtually(story())


def test_a_stop_after_current_lets_what_runs_end() -> None:
    async def story() -> None:
        plant = Plant()
        instance = await running(plant, {"a": slow(100), "b": OK})
        await eventually(lambda: plant.floor.calls)
        await instance.do(command("StopRun", run="mine", mode="after_current"))
        run = await plant.ended("mine")
        assert outcome(run) == {1: ("succeeded", None), 2: ("skipped", "stopped")}
        assert plant.floor.calls[0].ended == pytest.approx(100, abs=0.1)

    virtually(story())


def test_a_handler_may_end_by_itself_when_a_stop_is_asked_for() -> None:
    async def story() -> None:
        plant = Plant()

        async def polite(context: HandlerContext, _config: object) -> None:
            with pytest.raises(asyncio.CancelledError):
                await context.stop_requested.wait()
            assert context.stop_requested.is_set()

        plant.floor.doings["polite"] = polite
        instance = await running(plant, {"a": doing("polite")})
        await eventually(lambda: plant.floor.calls)
        await instance.do(command("StopRun", run="mine", mode="now"))
        assert outcome(await plant.ended("mine")) == {1: ("succeeded", None)}

    virtually(story())


def test_a_handler_that_ignores_a_stop_is_abandoned_after_the_grace() -> None:
    async def story() -> None:
        plant = Plant()
        plant.floor.doings["deaf"] = deaf
        instance = await running(plant, {"a": doing("deaf"), "b": OK}, grace_s=10.0)
        await eventually(lambda: plant.floor.calls)
        asked = plant.clock.monotonic()
        await instance.do(command("StopRun", run="mine", mode="now"))
        run = await plant.ended("mine")
        assert outcome(run) == {1: ("aborted", "stopped"), 2: ("skipped", "stopped")}
        assert run.rows[1].detail == "did not end in its grace"
        assert plant.clock.monotonic() - asked == pytest.approx(10, abs=0.2)

    virtually(story())


def test_a_stop_that_comes_between_the_start_of_an_attempt_and_its_handler_is_heard() -> None:
    async def story() -> None:
        plant = Plant()
        instance = await running(plant, {"a": slow(100)}, grace_s=1_000.0)
        await eventually(lambda: plant.facts(type_="attempt.started"), every_s=0.0)
        await instance.do(command("StopRun", run="mine", mode="now"))
        assert outcome(await plant.ended("mine", within_s=5)) == {1: ("aborted", "stopped")}

    virtually(story())


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, RuntimeError, RecursionError, BaseException])
def test_what_a_handler_raises_does_not_break_the_others(kind: type[BaseException]) -> None:
    async def story() -> None:
        plant = Plant()

        async def die(_context: HandlerContext, _config: object) -> None:
            await asyncio.sleep(1)
            raise kind("swordfish")

        plant.floor.doings["die"] = die
        services = {"a": {**doing("die"), "config": {"do": "die", "word": "secret://word"}}, "b": slow(5), "c": OK}
        await running(plant, services, [row("a", seq=1), row("b", seq=1), row("c", seq=2)])
        run = await plant.ended("mine")
        assert outcome(run) == {1: ("failed", "error"), 2: ("succeeded", None), 3: ("succeeded", None)}
        assert kind.__name__ in (run.rows[1].detail or "")
        assert b"swordfish" not in b"".join(fact.data for fact in plant.facts())

    virtually(story())


def test_a_handler_that_never_yields_only_delays_the_others() -> None:
    async def story() -> None:
        plant = Plant()

        async def block(_context: HandlerContext, _config: object) -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loop.block(40)

        plant.floor.doings["block"] = block
        await running(plant, {"a": doing("block"), "b": slow(5)}, [row("a", seq=1), row("b", seq=1)])
        run = await plant.ended("mine")
        assert outcome(run) == {1: ("succeeded", None), 2: ("succeeded", None)}

    virtually(story())


RUBBISH: dict[str, Any] = {
    "counts": {"processed": 1.5, "rows": float("nan"), 7: 3, "big": 2**70, "flag": True, "fine": 4},
    "output": {"ratio": float("nan")},
    "none": None,
}


@pytest.mark.parametrize("what", ["counts", "output", "reason", "failed_counts"])
def test_results_that_cannot_be_recorded_do_not_keep_a_run_open(what: str) -> None:
    async def story() -> None:
        plant = Plant()

        async def rubbish(_context: HandlerContext, _config: object) -> Result:
            match what:
                case "counts":
                    return Result(counts=RUBBISH["counts"])
                case "output":
                    return Result(output=RUBBISH["output"])
                case "reason":
                    raise JobFailed("x", reason=None, retryable="yes")  # type: ignore[arg-type]
                case _:
                    raise JobFailed("x", counts=RUBBISH["counts"], output=RUBBISH["output"])

        plant.floor.doings["rubbish"] = rubbish
        await running(plant, {"a": doing("rubbish"), "b": OK}, [row("a", seq=1), row("b", seq=1)])
        run = await plant.ended("mine")
        assert run.rows[2].state is State.SUCCEEDED
        assert run.rows[1].state is (State.SUCCEEDED if what == "counts" else State.FAILED)
        assert all(isinstance(value, int) for value in run.rows[1].counts.values())

    virtually(story())


def test_a_run_waits_for_a_job_that_is_busy_elsewhere_and_a_third_joins() -> None:
    async def story() -> None:
        plant = Plant()
        one, two = Instance(plant, "one").start(), Instance(plant, "two").start()
        await plant.furnish(one, [row("a")], {"a": slow(10)})
        for name in ("b", "c"):
            await two.do(schedule(name, jobs=[row("a")]))
        await one.do(run_now("nightly", id="first"))
        await eventually(lambda: plant.floor.calls)
        await two.do(run_now("b", id="second"))
        await eventually(lambda: plant.service("a").waiting)
        await one.do(run_now("c", id="third"))
        for name in ("first", "second", "third"):
            assert (await plant.ended(name)).state is State.SUCCEEDED
        assert [(call.run, round(call.began)) for call in plant.floor.calls] == [("first", 0), ("second", 10)]
        assert plant.run("third").rows[1].attempt == 0

    virtually(story())


def test_the_wait_for_a_busy_job_ends() -> None:
    async def story() -> None:
        plant = Plant()
        instance = await running(plant, {"a": slow(1_000, wait_timeout="PT5M")})
        await eventually(lambda: plant.floor.calls)
        await instance.do(schedule("other", jobs=[row("a")]))
        await instance.do(run_now("other", id="waits"))
        run = await plant.ended("waits")
        assert outcome(run) == {1: ("failed", "job_running")}
        assert plant.clock.monotonic() == pytest.approx(300, abs=1)

    virtually(story())


def test_who_shares_a_turn_for_longer_than_its_wait_does_not_keep_the_loop_busy() -> None:
    async def story() -> None:
        plant = Plant()
        instance = await running(plant, {"a": slow(200, wait_timeout="PT5M")})
        for name in ("b", "c"):
            await eventually(lambda: plant.floor.calls)
            await instance.do(schedule(name, jobs=[row("a")]))
            await instance.do(run_now(name, id=name))
        assert (await plant.ended("c")).state is State.SUCCEEDED
        assert plant.clock.monotonic() == pytest.approx(400, abs=1)

    virtually(story())
