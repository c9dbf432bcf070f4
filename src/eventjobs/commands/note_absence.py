"""The runner's own: record that an instance could not answer what was due for a while, and can again."""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.commands.world import World
from eventjobs.domain.streams import LOG_ITSELF
from eventjobs.events.log import InstanceResumed


class NoteAbsence(CommandFields):
    """For how many seconds it could not."""

    away_s: float


def decide(command: NoteAbsence, world: World, context: Context) -> None:
    """Record it."""
    world.state(LOG_ITSELF)
    world.emit(LOG_ITSELF, InstanceResumed(instance=context.instance, away_s=command.away_s))


SPEC: Final = CommandSpec(
    name="NoteAbsence",
    command=NoteAbsence,
    streams=lambda _command, _context: [LOG_ITSELF],
    decide=decide,
    internal=True,
    summary="Record that an instance could not answer for a while",
)
