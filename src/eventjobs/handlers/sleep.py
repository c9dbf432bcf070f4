"""`sleep`: waits, reports how far it is, and ends at once when it is asked to stop."""

import asyncio
from datetime import timedelta
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext, Result
from eventjobs.handlers.registry import Handler

_SECONDS_MAX: Final = 86_400.0
_STEP_S: Final = 0.5


class SleepConfig(BaseModel):
    """How long to wait: `seconds`, or `duration` as ISO 8601 (`PT1M`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: Annotated[float, Field(ge=0, le=_SECONDS_MAX, allow_inf_nan=False)] | None = None
    duration: Annotated[timedelta, Field(ge=timedelta(), le=timedelta(seconds=_SECONDS_MAX))] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.seconds is None) == (self.duration is None):
            raise ValueError("give either seconds or duration")
        return self

    @property
    def length_s(self) -> float:
        """The time to wait in seconds."""
        if self.duration is not None:
            return self.duration.total_seconds()
        return self.seconds or 0.0


async def run(context: HandlerContext, config: SleepConfig) -> Result:
    """Wait; a stop that is asked for ends the attempt as failed."""
    started = context.monotonic()
    deadline = started + config.length_s
    while (left_s := deadline - context.monotonic()) > 0:
        if context.stop_requested.is_set():
            raise JobFailed("stopped while sleeping", reason="error", retryable=False)
        await context.progress(1 - left_s / config.length_s, f"{left_s:.1f} s left")
        await _pause(context, min(left_s, _STEP_S))
    return Result(output={"slept_s": round(context.monotonic() - started, 3)})


async def _pause(context: HandlerContext, seconds: float) -> None:
    """Wait on the context's clock, or until a stop is asked for."""
    async with asyncio.TaskGroup() as group:
        stopped = group.create_task(context.stop_requested.wait())
        slept = group.create_task(context.clock.sleep(seconds))
        await asyncio.wait((stopped, slept), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        slept.cancel()


HANDLER: Final = Handler(
    name="sleep",
    summary="Waits for a while",
    config=SleepConfig,
    run=run,
    delivery="at_least_once",
)
