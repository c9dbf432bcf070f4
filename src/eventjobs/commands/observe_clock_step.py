"""The runner's own: record that the database's clock was not where this instance reckoned it."""

from datetime import datetime
from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.commands.world import World
from eventjobs.domain.streams import LOG_ITSELF
from eventjobs.events.log import ClockStepObserved


class ObserveClockStep(CommandFields):
    """What was expected and what was read; `step_s` is reading minus expected, in seconds."""

    expected: datetime
    reading: datetime
    step_s: float


def decide(command: ObserveClockStep, world: World, context: Context) -> None:
    """Record it; the same step again decides nothing."""
    if world.state(LOG_ITSELF).last_step != (command.expected, command.reading):
        world.emit(
            LOG_ITSELF,
            ClockStepObserved(
                instance=context.instance,
                expected=command.expected,
                reading=command.reading,
                step_s=command.step_s,
            ),
        )


SPEC: Final = CommandSpec(
    name="ObserveClockStep",
    command=ObserveClockStep,
    streams=lambda _command, _context: [LOG_ITSELF],
    decide=decide,
    internal=True,
    summary="Record a step of the database's clock",
)
