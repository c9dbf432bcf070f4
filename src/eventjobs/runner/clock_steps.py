"""A step of the clock that was observed becomes a fact: it explains what was decided around it."""

from typing import Final

import structlog

from eventjobs.clock import Clock
from eventjobs.commands import observe_clock_step
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.observe_clock_step import ObserveClockStep
from eventjobs.errors import LogFault
from eventjobs.ids import EVERYWHERE
from eventjobs.log.clock import ClockStep
from eventjobs.runner.ports import Surroundings

AGAIN_S: Final = 1.0
TRIES_MAX: Final = 25
"""The audit waits for an explanation for half a minute."""

_log: Final = structlog.get_logger("eventjobs.clock")


async def record_step(dispatcher: Dispatcher, surroundings: Surroundings, clock: Clock, step: ClockStep) -> bool:
    """Record it, again after a second where the log takes nothing; tells whether it was recorded."""
    command = ObserveClockStep(expected=step.expected, reading=step.reading, step_s=step.step_s)
    for _ in range(TRIES_MAX):
        try:
            await dispatcher.dispatch(observe_clock_step.SPEC, command, surroundings.context(EVERYWHERE))
        except LogFault as fault:
            _log.warning("clock_step_not_recorded", fault=type(fault).__name__)
            await clock.sleep(AGAIN_S)
        else:
            return True
    return False
