"""Flows that go on elsewhere: the worker waits without a place, and another instance goes on when it is gone."""

from typing import Any

from eventjobs.auth.callbacks import CallbackKey
from eventjobs.domain.run import Row, State
from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext, Suspended
from tests.runner.plant import Instance, Plant
from tests.support.bodies import flow, flow_row, row, run_now, schedule, service, workspace
from tests.support.handlers import Anything
from tests.support.story import command
from tests.support.time import virtually
from tests.support.waiting import eventually


async def suspends(_: HandlerContext, config: Anything) -> Suspended:
    return Suspended(waits_for=getattr(config, "waits_for", "somebody"), counts={"asked": 1})


async def running(plant: Plant, **fields: Any) -> Instance:
    """An instance with the run `mine`: the flow `approve`, then the service `b`."""
    plant.floor.doings["suspend"] = suspends
    one = Instance(plant, "one").start()
    await one.do(workspace())
    await one.do(flow(config={"do": "suspend"}, **fields))
    await one.do(service("b", config={"do": "ok"}))
    await one.do(schedule(jobs=[flow_row(seq=1), row("b", seq=2)]))
    await one.do(run_now(id="mine"))
    return one


async def first_is(plant: Plant, state: State) -> Row:
    return await eventually(  # type: ignore[return-value]
        lambda: next((one for one in plant.run("mine").rows.values() if one.row == 1 and one.state is state), None)
    )


def answer(state: str = "succeeded", attempt: int = 1, **fields: Any) -> Any:
    return command("AnswerCallback", run="mine", row=1, attempt=attempt, state=state, **fields)


def test_a_suspended_flow_is_answered_and_the_next_stage_gets_what_was_said() -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant)
        row = await first_is(plant, State.SUSPENDED)
        assert row.suspended is not None
        assert (row.suspended.waits_for, dict(row.counts)) == ("somebody", {"asked": 1})
        await one.do(answer(output={"approved": True}))
        assert (await plant.ended("mine")).state is State.SUCCEEDED
        (call,) = plant.floor.of("b")
        assert call.context is not None
        assert call.context.outputs == {1: {"approved": True}}

    virtually(story())


def test_a_flow_gets_its_own_callback_and_a_service_gets_none() -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant)
        await first_is(plant, State.SUSPENDED)
        await one.do(answer())
        await plant.ended("mine")
        flows, services = plant.floor.of("approve")[0].context, plant.floor.of("b")[0].context
        assert flows is not None
        assert services is not None
        assert services.callback_url is None
        base, _, token = str(flows.callback_url).rpartition("/")
        found = CallbackKey(b"the plant's own").read("acme", token, plant.clock.now())
        assert base == "http://plant/v1/acme/callbacks"
        assert found is not None
        assert (found.run, found.row, found.attempt) == ("mine", 1, 1)

    virtually(story())


def test_R43_the_worker_wakes_when_the_wait_is_over() -> None:
    async def story() -> None:
        plant = Plant()
        await running(plant, wait_timeout="PT10M")
        run = await plant.ended("mine")
        assert plant.clock.monotonic() < 700
        assert (run.state, run.rows[1].reason, run.rows[2].state) == (State.FAILED, "wait_timeout", State.SUCCEEDED)

    virtually(story())


def test_a_suspended_flow_outlives_a_killed_instance() -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant)
        await first_is(plant, State.SUSPENDED)
        await one.kill()
        two = Instance(plant, "two").start()
        await two.do(command("TakeOverRun", run="mine", seen_term=1, cause="gone"))
        await two.do(answer())
        run = await plant.ended("mine")
        assert (run.state, run.term) == (State.SUCCEEDED, 2)
        assert len(plant.floor.of("approve")) == 1

    virtually(story())


def test_a_suspended_flow_keeps_no_place_and_is_handed_over_at_once() -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant)
        await first_is(plant, State.SUSPENDED)
        assert not one.places.holds(next(iter(one.supervisor._workers.values())))
        before = plant.clock.monotonic()
        await one.supervisor.drain(grace_s=30.0)
        assert plant.clock.monotonic() - before < 1.0

    virtually(story())


def test_R93_an_errored_flow_is_tried_again_with_another_callback() -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant, attempts=2, backoff={"initial": "PT1S"})
        await first_is(plant, State.SUSPENDED)
        await one.do(answer("errored"))
        await eventually(lambda: len(plant.floor.of("approve")) == 2)
        await first_is(plant, State.SUSPENDED)
        await one.do(answer(attempt=2))
        assert (await plant.ended("mine")).state is State.SUCCEEDED
        urls = {call.context.callback_url for call in plant.floor.of("approve") if call.context}
        assert len(urls) == 2

    virtually(story())


def test_R93_a_flow_that_its_author_ends_is_failed_and_not_tried_again() -> None:
    async def stops(*_: object) -> None:
        raise JobFailed("nothing to approve", reason="stop_step")

    async def story() -> None:
        plant = Plant()
        plant.floor.doings["stop"] = stops
        one = await running(plant)
        await one.do(flow("other", config={"do": "stop"}, attempts=3))
        await one.do(run_now("other", "flow", id="r2"))
        run = await plant.ended("r2")
        assert (run.state, run.reason, len(plant.floor.of("other"))) == (State.FAILED, "stop_step", 1)

    virtually(story())


def test_R94_input_and_earlier_outputs_reach_a_job_also_over_a_take_over() -> None:
    async def story() -> None:
        plant = Plant()
        plant.floor.doings["suspend"] = suspends
        one = Instance(plant, "one").start()
        await one.do(workspace())
        await one.do(service("a", config={"do": "ok"}))
        await one.do(flow(config={"do": "suspend"}))
        await one.do(service("b", config={"do": "ok"}))
        jobs = [row("a", seq=1), flow_row(seq=2, input={"order": 7}), row("b", seq=3, input=[1])]
        await one.do(schedule(jobs=jobs))
        await one.do(run_now(id="mine"))
        await eventually(lambda: plant.run("mine").rows[2].state is State.SUSPENDED)
        await one.kill()
        two = Instance(plant, "two").start()
        await two.do(command("TakeOverRun", run="mine", seen_term=1, cause="gone"))
        await two.do(command("AnswerCallback", run="mine", row=2, attempt=1, state="succeeded", output="yes"))
        assert (await plant.ended("mine")).state is State.SUCCEEDED
        got = {call.job: call.context for call in plant.floor.calls}
        assert {job: context and context.input for job, context in got.items()} == {
            "a": {},
            "approve": {"order": 7},
            "b": [1],
        }
        assert got["b"] is not None
        assert got["b"].outputs == {1: {"job": "a"}, 2: "yes"}

    virtually(story())


def test_a_backfill_tells_its_jobs_the_moment_that_each_run_stands_for() -> None:
    async def story() -> None:
        plant = Plant()
        one = Instance(plant, "one").start()
        await one.do(workspace())
        await one.do(service("a", config={"do": "ok"}))
        daily = {"start_date": "2026-11-20", "start_time": "20:00", "time_zone": "UTC", "every": 1, "unit": "day"}
        await one.do(schedule(jobs=[row("a")], active=False, cadence=daily))
        await one.do(
            command(
                "Backfill",
                owner={"kind": "schedule", "id": "nightly"},
                since="2026-11-21T00:00:00Z",
                until="2026-11-24T00:00:00Z",
            )
        )
        await eventually(lambda: len(plant.floor.of("a")) == 3 and not plant.schedule().open_runs)
        dues = [call.context.due for call in plant.floor.of("a") if call.context]
        assert [due.isoformat()[:10] for due in dues if due] == ["2026-11-21", "2026-11-22", "2026-11-23"]

    virtually(story())
