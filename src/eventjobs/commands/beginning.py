"""What begins in the same append that opens its run: nothing then stands between a due moment and its first jobs."""

from eventjobs.commands.context import Context
from eventjobs.commands.members import define
from eventjobs.commands.turns import is_free, take_turn
from eventjobs.commands.world import World
from eventjobs.domain.plan import in_turn
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import AttemptStarted, RunOpened


def begin_opened(world: World, context: Context) -> None:
    """
    Begin the first jobs of the runs that this decision opened, where nobody has them.

    A job that is busy is left to the run's worker, who waits for it or joins.
    """
    opened = [stream for stream, event in world.emitted if isinstance(event, RunOpened)]
    for stream in opened:
        _begin(world, context, stream)


def _begin(world: World, context: Context, stream: StreamId) -> None:
    for row in list(in_turn(world.run(stream.id))):
        if row.retry_at is None and is_free(world, row) and take_turn(world, context, stream.id, row):
            define(world, context, stream.id, row)
            run = world.run(stream.id)
            world.emit(stream, AttemptStarted(row=row.row, attempt=row.attempt + 1, term=run.term))
