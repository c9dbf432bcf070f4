"""Two instances decide about the same start at once: the log takes one of them, the other decides again."""

import asyncio

import pytest

from eventjobs.commands.context import Limits
from eventjobs.commands.spec import CommandFields
from eventjobs.errors import Conflict
from tests.runner.plant import Instance, Plant
from tests.support.bodies import DAILY, advance, ended, row, run_now, schedule, tick
from tests.support.story import command
from tests.support.time import virtually

QUARTERLY = {**DAILY, "start_time": "12:05", "every": 15, "unit": "minute"}
SERVICES = {"load": {"handler": "noop"}}
HOLD = command("HoldStarts", note="upgrade")
HOLD_ALL = command("HoldStarts", note="upgrade", everywhere=True)
PAUSE = command("PauseOwner", owner={"kind": "schedule", "id": "nightly"})


async def two_instances(
    overlap: str = "skip", at_once: int | None = None, of_an_owner: int | None = None
) -> tuple[Plant, Instance, Instance]:
    """Two that do not follow the log: each knows only what it read when it decided last."""
    plant = Plant(limits=Limits(runs_per_workspace=at_once, runs_per_owner=of_an_owner))
    one, two = Instance(plant, "one"), Instance(plant, "two")
    await plant.furnish(one, [row("load")], SERVICES, cadence=QUARTERLY, policies={"overlap": overlap})
    await one.do(schedule("other", jobs=[row("load")], cadence=QUARTERLY))
    await plant.clock.sleep(301)
    for instance in (one, two):  # both have read the workspace and its schedules
        await instance.do(tick("other"))
    return plant, one, two


def opened(plant: Plant, after: str) -> list[str]:
    """Return the runs of `nightly` that were opened after the first fact of a type."""
    since = plant.facts(type_=after)[0].position
    return [
        fact.stream.id
        for fact in plant.facts(type_="run.opened")
        if fact.position > since and fact.event.owner.id == "nightly"
    ]


@pytest.mark.parametrize("halt", [HOLD, HOLD_ALL, PAUSE], ids=["workspace", "deployment", "pause"])
@pytest.mark.parametrize("first", [0, 1, 2, 3, 4])
def test_no_start_comes_after_a_halt_whoever_was_first(halt: CommandFields, first: int) -> None:
    async def story() -> None:
        plant, one, two = await two_instances()

        async def later(instance: Instance, body: CommandFields, turns: int) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            await instance.do(body)

        await asyncio.gather(later(one, halt, first), later(two, tick(), 4 - first))
        kind = "schedule.paused" if halt is PAUSE else "workspace.starts_held"
        assert opened(plant, kind) == []
        outcomes = [*plant.events("run.opened"), *plant.events("run.skipped")]
        assert len([one for one in outcomes if one.owner.id == "nightly"]) == 1

    virtually(story())


@pytest.mark.parametrize("halt", [HOLD, HOLD_ALL], ids=["workspace", "deployment"])
def test_an_instance_that_did_not_hear_of_a_hold_starts_nothing(halt: CommandFields) -> None:
    async def story() -> None:
        plant, one, two = await two_instances()
        await one.do(halt)
        await two.do(tick())
        assert [event.reason for event in plant.events("run.skipped")] == ["held"]
        with pytest.raises(Conflict) as refused:
            await two.do(run_now("load", "service"))
        assert (refused.value.code, refused.value.extra["by"]) == ("held", "instance:one")

    virtually(story())


def test_what_waits_is_opened_once_though_two_close_at_once() -> None:
    async def story() -> None:
        plant, one, two = await two_instances("queue_one")
        await one.do(tick())
        run = "schedule.nightly.1.20261201t120500z"
        await plant.clock.sleep(900)
        await two.do(command("StopRun", run="schedule.other.1.20261201t120500z"))
        await two.do(advance("schedule.other.1.20261201t120500z"))
        await one.do(advance(run))
        await two.do(tick())
        await asyncio.gather(*(instance.do(advance(run, ended=[ended()])) for instance in (one, two)))
        assert [fact.event.due for fact in plant.facts("schedule:nightly", "schedule.run_opened")] == [
            event.due for event in plant.events("run.opened") if event.owner.id == "nightly"
        ]
        assert len(plant.facts("schedule:nightly", "schedule.run_opened")) == 2
        assert plant.schedule().waiting == ()

    virtually(story())


@pytest.mark.parametrize("first", [0, 1, 2, 3, 4])
def test_two_starts_for_the_last_place_take_it_once(first: int) -> None:
    async def story() -> None:
        plant, one, two = await two_instances(at_once=2)
        await one.do(schedule("third", jobs=[row("load")], cadence={**QUARTERLY, "start_time": "12:06"}))
        await plant.clock.sleep(60)
        await two.do(tick("other"))

        async def later(instance: Instance, name: str, turns: int) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            await instance.do(tick(name))

        await asyncio.gather(later(one, "nightly", first), later(two, "third", 4 - first))
        assert len(plant.events("run.opened")) == 2
        assert [event.limit for event in plant.events("starts.delayed")] == [2]
        assert [event.reason for event in plant.events("schedule.occurrence_queued")] == ["limit"]

    virtually(story())


@pytest.mark.parametrize("first", [0, 1, 2, 3, 4])
def test_a_due_moment_and_a_run_by_hand_at_once_take_an_owners_last_place_once(first: int) -> None:
    async def story() -> None:
        plant, one, two = await two_instances("allow", of_an_owner=2)
        await one.do(run_now(id="first"))
        refused = []

        async def later(instance: Instance, body: CommandFields, turns: int) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            try:
                await instance.do(body)
            except Conflict as refusal:
                refused.append(refusal.code)

        await plant.clock.sleep(900)
        await asyncio.gather(later(one, run_now(id="second"), first), later(two, tick(), 4 - first))
        # The run by hand answers what is due as well, so the due moments have the places, whoever was first.
        assert len(plant.schedule().open_runs) == 2
        waits = [event.reason for event in plant.events("schedule.occurrence_queued")]
        assert (refused, waits) == (["no_room"], ["owner_limit"])

    virtually(story())
