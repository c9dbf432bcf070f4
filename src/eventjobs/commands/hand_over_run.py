"""
The runner's own: give an open run to another instance, because this one is stopping.

Only a run of which nothing is under way is handed over, so nothing is interrupted by it. The term rises as at a
take-over: whatever the old worker still says is refused, and the heir sees in the log that the run is its own now.
"""

from typing import Final

from eventjobs.commands.advance_run import superseded
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.spec import CommandFields, CommandSpec, RunId
from eventjobs.commands.world import World
from eventjobs.domain.run import State
from eventjobs.domain.streams import run_stream
from eventjobs.events.run import RunTakenOver

CAUSE: Final = "its instance is stopping"


class HandOverRun(CommandFields):
    """The run, the term in which it is this instance's, and the instance that shall go on with it."""

    run: RunId
    term: int
    to: str


def decide(command: HandOverRun, world: World, context: Context) -> None:
    """Hand it over, unless it ended or something of it is under way; refuses a term that is not the run's."""
    run = world.run(command.run)
    if run.state is State.ABSENT:
        raise no_such("run", command.run)
    if not run.open or any(row.state is State.RUNNING for row in run.rows.values()):
        return
    if command.term != run.term:
        raise superseded(command.run, run)
    world.emit(
        run_stream(context.workspace, command.run),
        RunTakenOver(instance=command.to, term=run.term + 1, cause=CAUSE),
    )


SPEC: Final = CommandSpec(
    name="HandOverRun",
    command=HandOverRun,
    streams=lambda command, context: [run_stream(context.workspace, command.run)],
    decide=decide,
    internal=True,
    summary="Give an open run to another instance",
)
