"""
The runner's own: take over the open run of an instance that is gone.

The term rises, so whatever the old worker still says is refused. What was running was interrupted: it gets another try
where its job allows it, else it ends (SPEC decision 5).
"""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.ending import AttemptResult, end_attempt
from eventjobs.commands.fields import no_such
from eventjobs.commands.spec import CommandFields, CommandSpec, RunId
from eventjobs.commands.world import World
from eventjobs.domain.run import State
from eventjobs.domain.streams import job_stream, owner_stream, run_stream
from eventjobs.events.run import RunTakenOver


class TakeOverRun(CommandFields):
    """The run, the term in which its instance was seen to be gone, and why."""

    run: RunId
    seen_term: int
    cause: str


def decide(command: TakeOverRun, world: World, context: Context) -> None:
    """Take it over, unless someone did already or it ended."""
    run = world.run(command.run)
    if run.state is State.ABSENT:
        raise no_such("run", command.run)
    if not run.open or run.term != command.seen_term:
        return
    world.need(
        [job_stream(context.workspace, row.job.job) for row in run.rows.values() if not row.ended]
        + [owner_stream(context.workspace, run.owner)]
    )
    world.emit(
        run_stream(context.workspace, command.run),
        RunTakenOver(instance=context.instance, term=run.term + 1, cause=command.cause),
    )
    for row in list(world.run(command.run).rows.values()):
        if row.state is State.RUNNING:
            stopped = run.stop is not None
            result = AttemptResult(
                row=row.row,
                attempt=row.attempt,
                state=State.ABORTED if stopped else State.FAILED,
                reason="stopped" if stopped else "interrupted",
                detail=f"the instance that ran it is gone: {command.cause}",
            )
            end_attempt(world, context, command.run, row, result, stopping=stopped)


SPEC: Final = CommandSpec(
    name="TakeOverRun",
    command=TakeOverRun,
    streams=lambda command, context: [run_stream(context.workspace, command.run)],
    decide=decide,
    internal=True,
    summary="Take over an open run of an instance that is gone",
)
