"""The runner's own: answer what is due of a schedule."""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.beginning import begin_opened
from eventjobs.commands.context import Context
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.streams import schedule_stream


class AnswerDue(CommandFields):
    """The schedule whose recorded due moment has come; `begin`: the run that opens begins here and now."""

    schedule: Id
    begin: bool = False


def decide(command: AnswerDue, world: World, context: Context) -> None:
    """Answer every moment that has passed; nothing where someone did already."""
    if world.schedule(command.schedule).alive:
        settle_due(world, context, command.schedule)
        if command.begin:
            begin_opened(world, context)


SPEC: Final = CommandSpec(
    name="AnswerDue",
    command=AnswerDue,
    streams=lambda command, context: [schedule_stream(context.workspace, command.schedule)],
    decide=decide,
    internal=True,
    summary="Answer what is due of a schedule",
)
