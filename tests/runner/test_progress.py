"""Progress is shown as it comes and recorded now and then."""

from itertools import pairwise
from typing import Any

import pytest

from eventjobs.domain.run import State
from eventjobs.handlers.context import HandlerContext
from tests.runner.plant import Instance, Plant
from tests.runner.test_runs import doing, running
from tests.support.time import virtually


async def counting(context: HandlerContext, config: Any) -> None:
    for number in range(int(config.seconds * 10)):
        await context.progress(number / (config.seconds * 10), f"{number} done", processed=number)
        await context.clock.sleep(0.1)


def told(seconds: float) -> dict[str, Any]:
    return {"handler": "noop", "config": {"do": "counting", "seconds": seconds}}


async def counted(seconds: float) -> tuple[Plant, Instance]:
    plant = Plant()
    plant.floor.doings["counting"] = counting
    instance = await running(plant, {"a": told(seconds)})
    assert (await plant.ended("mine")).state is State.SUCCEEDED
    return plant, instance


def test_progress_is_recorded_every_five_seconds_at_most_and_at_the_end() -> None:
    async def story() -> None:
        plant, _ = await counted(23.0)
        recorded = plant.facts(type_="attempt.progressed")
        gaps = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(recorded)]
        assert len(recorded) == 5
        assert all(gap >= 5 for gap in gaps[:-1])
        assert [fact.event.text for fact in recorded][-1] == "229 done"
        types = [fact.type for fact in plant.facts("run:mine")]
        assert types.index("attempt.ended") == len(types) - 3 == types.index("job_run.ended") - 1

    virtually(story())


def test_a_short_attempt_records_its_last_word_only() -> None:
    async def story() -> None:
        plant, _ = await counted(1.0)
        assert [event.text for event in plant.events("attempt.progressed")] == ["9 done"]

    virtually(story())


def test_progress_is_shown_live_a_few_times_a_second_at_most() -> None:
    async def story() -> None:
        _, instance = await counted(10.0)
        frames = instance.frames.seen
        assert 33 <= len(frames) <= 51
        assert frames[0] == {
            "run": "mine",
            "row": 1,
            "attempt": 1,
            "fraction": 0.0,
            "text": "0 done",
            "counts": {"processed": 0},
        }

    virtually(story())


def test_progress_that_no_fact_can_hold_is_made_one_that_can() -> None:
    async def story() -> None:
        plant = Plant()

        async def odd(context: HandlerContext, _config: object) -> None:
            await context.progress(float("nan"), "a\0b", fine=1, half=0.5, big=2**70)  # type: ignore[arg-type]

        plant.floor.doings["odd"] = odd
        await running(plant, {"a": doing("odd")})
        run = await plant.ended("mine")
        assert run.state is State.SUCCEEDED
        said = plant.events("attempt.progressed")[0]
        assert (said.fraction, dict(said.counts), "\0" in said.text) == (None, {"fine": 1}, False)

    virtually(story())


@pytest.mark.parametrize("fraction", [-1.0, 2.0])
def test_a_fraction_is_between_nothing_and_all(fraction: float) -> None:
    async def story() -> None:
        plant = Plant()

        async def odd(context: HandlerContext, _config: object) -> None:
            await context.progress(fraction, "odd")

        plant.floor.doings["odd"] = odd
        await running(plant, {"a": doing("odd")})
        await plant.ended("mine")
        assert plant.events("attempt.progressed")[0].fraction in (0.0, 1.0)

    virtually(story())
