"""
What jobs do here: succeed, take their time, fail, ignore their end, keep their loop busy, suspend.

Every call is a record.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext, Result, Suspended
from eventjobs.handlers.registry import Handler, Registry

if TYPE_CHECKING:
    from tests.simulation.member import Member
    from tests.simulation.world import World

STUBBORN_S: Final = 25.0


class Config(BaseModel):
    """How it goes: the longest it takes, how often it fails, and whether it ends elsewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    do: str = "work"
    seconds: float = 1.0
    failing: float = 0.0
    suspends: bool = False


class Floor:
    """
    The handlers of all instances.

    `safe`, `pay` (once at most), `load` (an interruption does not count), and `python`, that of flows.
    """

    def __init__(self, world: "World") -> None:
        self._world = world

    def registry(self, member: "Member") -> Registry:
        """The handlers of one instance."""

        async def run(context: HandlerContext, config: Config) -> Result | Suspended:
            return await self._run(member, context, config)

        return Registry(
            {
                "safe": Handler(name="safe", summary="", config=Config, run=run, delivery="at_least_once"),
                "pay": Handler(name="pay", summary="", config=Config, run=run, delivery="at_most_once"),
                "load": Handler(
                    name="load",
                    summary="",
                    config=Config,
                    run=run,
                    delivery="at_least_once",
                    interruption_counts=False,
                ),
                "python": Handler(name="python", summary="", config=Config, run=run),
            }
        )

    async def _run(self, member: "Member", context: HandlerContext, config: Config) -> Result | Suspended:
        self._world.called(member, context)
        draw = Random(f"{self._world.options.seed}/{context.run}/{context.row}/{context.attempt}")
        await context.progress(0.0, "began")
        seconds = config.seconds * draw.random()
        if config.suspends and context.callback_url is not None:
            self._world.partners.ask(context.callback_url)
        await self._how(config.do)(self._world, seconds)
        context.log("info", "half done", of=seconds)
        await context.progress(0.5, "half")
        if draw.random() < config.failing:
            raise JobFailed("as drawn") if draw.random() < 0.5 else RuntimeError("as drawn")
        if config.suspends:
            return Suspended(waits_for="a partner", counts={"asked": 1})
        return Result(counts={"processed": context.row}, output={"attempt": context.attempt})

    def _how(self, do: str) -> Callable[["World", float], Awaitable[None]]:
        return {"work": _work, "stubborn": _stubborn, "quick": _quick}[do]


async def _work(_world: "World", seconds: float) -> None:
    await asyncio.sleep(seconds)


async def _quick(_world: "World", _seconds: float) -> None:
    await asyncio.sleep(0)


async def _stubborn(world: "World", seconds: float) -> None:
    """Swallow every cancellation, and work on."""
    until = world.loop.time() + seconds
    while (left_s := until - world.loop.time()) > 0:
        try:
            await asyncio.sleep(left_s)
        except asyncio.CancelledError:
            world.seen.note("cancellation_swallowed")
            until = max(until, world.loop.time() + STUBBORN_S * world.net.random())
