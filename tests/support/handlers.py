"""Handlers that do what a test tells them, and remember what they did."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext, Result, Suspended
from eventjobs.handlers.registry import Handler, Registry


class Anything(BaseModel):
    """A configuration whose every field is for the test."""

    model_config = ConfigDict(extra="allow")

    do: str = "ok"
    seconds: float = 0.0


@dataclass(slots=True)
class Call:
    """One call of a handler, in the loop's seconds; `ended` is `None` while it goes on."""

    job: str
    run: str
    row: int
    attempt: int
    term: int
    instance: str
    began: float
    ended: float | None = None
    context: HandlerContext | None = None


@dataclass
class Floor:
    """What was called, and the doings that tests add by name."""

    calls: list[Call] = field(default_factory=list)
    doings: dict[str, Callable[[HandlerContext, Anything], Awaitable[Any]]] = field(default_factory=dict)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)

    def registry(self, instance: str = "one") -> Registry:
        """Return the handlers of one instance: they differ in their delivery only; `python` does flows."""

        async def run(context: HandlerContext, config: Anything) -> Result | Suspended:
            return await self._run(instance, context, config)

        return Registry(
            {
                "csv.import": Handler(
                    name="csv.import",
                    summary="",
                    config=Anything,
                    run=run,
                    delivery="at_least_once",
                    interruption_counts=False,
                ),
                "noop": Handler(name="noop", summary="", config=Anything, run=run, delivery="at_least_once"),
                "pay": Handler(name="pay", summary="", config=Anything, run=run, delivery="at_most_once"),
                "python": Handler(name="python", summary="", config=Anything, run=run, delivery="at_least_once"),
            }
        )

    def order(self) -> list[str]:
        """Return the jobs in the order in which they were called."""
        return [call.job for call in self.calls]

    def of(self, job: str) -> list[Call]:
        """Return the calls of one job."""
        return [call for call in self.calls if call.job == job]

    def gate(self, job: str) -> asyncio.Event:
        """Return the gate at which `do: gate` waits."""
        return self.gates.setdefault(job, asyncio.Event())

    async def _run(self, instance: str, context: HandlerContext, config: Anything) -> Result | Suspended:
        now = asyncio.get_running_loop().time
        call = Call(context.job.id, context.run, context.row, context.attempt, context.term, instance, now())
        call.context = context
        self.calls.append(call)
        try:
            return await self._do(context, config)
        finally:
            call.ended = now()

    async def _do(self, context: HandlerContext, config: Anything) -> Result | Suspended:
        match config.do:
            case "ok":
                return Result(counts={"processed": 1}, output={"job": context.job.id})
            case "sleep":
                await context.clock.sleep(config.seconds)
                return Result(counts={"processed": 1})
            case "gate":
                await self.gate(context.job.id).wait()
                return Result(counts={"processed": 1})
            case "fail":
                raise JobFailed("as told", counts={"processed": 2, "rejected": 1}, output={"why": "told"})
            case doing:
                done = await self.doings[doing](context, config)
                return done if isinstance(done, (Result, Suspended)) else Result()
