"""What handlers hear of the log: the moment of their run, and what their job said last."""

from typing import Any
from zoneinfo import ZoneInfo

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext, Result
from eventjobs.runner.history import RunHistory
from tests.runner.plant import Instance, Plant
from tests.support.bodies import DAILY, row, run_now, tick
from tests.support.story import WORKSPACE, command
from tests.support.time import virtually

HEARD: list[Any] = []
HEAR = {"a": {"handler": "noop", "config": {"do": "hear"}}}


async def hear(context: HandlerContext, _: object) -> Result:
    """Tell what the last success said, then do what the run is called."""
    HEARD.append(await context.history.last_output(context.workspace, context.job.kind, context.job.id))
    match context.run.partition("-")[0]:
        case "fails":
            raise JobFailed("as told", output={"of": context.run})
        case "hangs":
            await context.clock.sleep(3600)
    return Result(output={"of": context.run})


def test_G84_only_a_run_that_succeeded_counts() -> None:
    async def story() -> None:
        HEARD.clear()
        plant = Plant()
        plant.floor.doings["hear"] = hear
        one = Instance(plant, "one").start()
        await plant.furnish(one, [row("a")], HEAR)
        for run in ("fails-0", "good-1", "fails-2", "good-3"):
            await one.do(run_now(id=run))
            await plant.ended(run)
        await one.do(run_now(id="hangs-4"))
        await plant.clock.sleep(1)
        await one.do(command("StopRun", run="hangs-4", mode="now"))
        await plant.ended("hangs-4")
        two = Instance(plant, "two").start()
        await two.do(run_now(id="good-5"))
        await plant.ended("good-5")

        assert HEARD == [None, None, {"of": "good-1"}, {"of": "good-1"}, {"of": "good-3"}, {"of": "good-3"}]

    virtually(story())


async def tell_moment(context: HandlerContext, _: object) -> Result:
    HEARD.append((await context.history.moment(context.workspace, context.run)).isoformat())
    if context.attempt == 1:
        raise JobFailed("again")
    return Result()


def test_a_run_s_moment_is_in_its_owner_s_zone_and_the_same_for_every_attempt() -> None:
    async def story() -> None:
        HEARD.clear()
        plant = Plant()
        plant.floor.doings["hear"] = tell_moment
        one = Instance(plant, "one").start()
        cadence = {**DAILY, "start_time": "13:01", "time_zone": "Europe/Berlin"}
        await plant.furnish(one, [row("a", attempts=2)], HEAR, cadence=cadence)
        await plant.clock.sleep(90)
        await one.do(tick())
        await plant.ended("schedule.nightly.1.20261201t120100z")
        await one.do(run_now(id="by-hand"))
        opened = plant.facts("run:by-hand")[0].at.astimezone(ZoneInfo("Europe/Berlin"))
        await plant.ended("by-hand")
        await one.do(run_now("a", "service", id="alone"))
        await plant.ended("alone")

        assert HEARD[:2] == ["2026-12-01T13:01:00+01:00"] * 2
        assert HEARD[2] == HEARD[3] == opened.isoformat()
        assert HEARD[4].endswith("+00:00")

    virtually(story())


def test_a_take_over_is_seen_that_nobody_told_of() -> None:
    async def story() -> None:
        plant = Plant()
        one = Instance(plant, "one").start()
        await plant.furnish(one, [row("a")], {"a": {"handler": "noop", "config": {"do": "gate"}}})
        await one.do(run_now(id="mine"))
        alone = RunHistory(plant.log, Instance(plant, "frozen").dispatcher.states)
        assert not await alone.is_superseded(WORKSPACE, "mine", 1)
        await one.do(command("TakeOverRun", run="mine", seen_term=1, cause="its instance is gone"))
        assert await alone.is_superseded(WORKSPACE, "mine", 1)
        assert not await alone.is_superseded(WORKSPACE, "mine", 2)
        await one.kill()

    virtually(story())


def test_the_moment_of_a_group_and_of_a_connect_job_is_in_the_zone_of_its_schedule() -> None:
    async def story() -> None:
        plant = Plant()
        plant.floor.doings["hear"] = hear
        one = Instance(plant, "one").start()
        await plant.furnish(one, [row("a")], HEAR)
        for job in ("contacts", "extension"):
            schedule = {"type": "on_demand", "time_zone": "Asia/Tokyo"}
            fields = {"kind": "import", "expires_on": "never", "schedule": schedule, **HEAR["a"]}
            await one.do(command("SaveJob", id=job, **fields))
            await one.do(command("ActivateJob", id=job))
        daily = {"type": "daily", "at": "03:15", "time_zone": "Asia/Kathmandu"}
        group = {"id": "lists", "name": "Lists", "jobs": ["contacts", "extension"]}
        await one.do(command("CreateGroup", **group, schedule=daily))
        await one.do(command("ActivateGroup", id="lists"))
        for kind, owner in (("import", "contacts"), ("group", "lists")):
            await one.do(run_now(owner, kind, id=owner))
            await plant.ended(owner)
        history = RunHistory(plant.log, one.dispatcher.states)
        zones = [str((await history.moment(WORKSPACE, run)).tzinfo) for run in ("contacts", "lists")]
        assert zones == ["Asia/Tokyo", "Asia/Kathmandu"]

        await one.do(command("DeactivateGroup", id="lists"))
        await one.do(command("SaveGroup", **group, schedule={"type": "weekly", "time_zone": "Asia/Tokyo"}))
        assert str((await history.moment(WORKSPACE, "lists")).tzinfo) == "Asia/Tokyo"

    virtually(story())
