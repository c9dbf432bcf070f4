"""The runner's own: answer what is due of an owner."""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.beginning import begin_opened
from eventjobs.commands.context import Context
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.streams import owner_stream
from eventjobs.events.run import Ref


class AnswerDue(CommandFields):
    """The owner whose recorded due moment has come; `begin`: the run that opens begins here and now."""

    kind: str
    id: Id
    begin: bool = False


def decide(command: AnswerDue, world: World, context: Context) -> None:
    """Answer every moment that has passed; nothing where someone did already."""
    owner = world.called(command.kind, command.id)
    if world.owner(owner).alive:
        settle_due(world, context, owner)
        if command.begin:
            begin_opened(world, context)


SPEC: Final = CommandSpec(
    name="AnswerDue",
    command=AnswerDue,
    streams=lambda command, context: [owner_stream(context.workspace, Ref(kind=command.kind, id=command.id))],
    decide=decide,
    internal=True,
    summary="Answer what is due of an owner",
)
