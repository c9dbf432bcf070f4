"""Stop an open run: at once, or after the jobs that are running; what did not begin is skipped (R50)."""

from typing import Final, Literal

from eventjobs.commands.context import Context
from eventjobs.commands.fields import RunRef, no_such
from eventjobs.commands.reach import refuse_others_owner
from eventjobs.commands.spec import CommandSpec
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR, FLOW_AUTHOR, INTEGRATION_AUTHOR, OPERATORS
from eventjobs.domain.run import ENDED, State, StopMode
from eventjobs.domain.streams import run_stream
from eventjobs.errors import Conflict
from eventjobs.events.run import RunStopRequested


class StopRun(RunRef):
    """The run to stop; `now` also ends the jobs that are running, after a grace."""

    mode: Literal["now", "after_current"] = "now"


def decide(command: StopRun, world: World, context: Context) -> None:
    """Ask for the stop; asking again decides nothing, unless it is stricter."""
    run = world.run(command.run)
    if run.state in (State.ABSENT, State.SKIPPED, State.MISSED):
        raise no_such("run", command.run)
    refuse_others_owner(run.owner.kind, context)
    if run.state == State.ABORTED or run.stop in (StopMode.NOW, StopMode(command.mode)):
        return
    if run.state in ENDED:
        raise run_ended(command.run, str(run.state))
    world.emit(run_stream(context.workspace, command.run), RunStopRequested(mode=command.mode))


def run_ended(run: str, state: str) -> Conflict:
    """The refusal for a run that is over, otherwise than by a stop."""
    return Conflict("run_ended", f"run {run} has ended: {state}", extra={"state": state})


SPEC: Final = CommandSpec(
    name="StopRun",
    command=StopRun,
    streams=lambda command, context: [run_stream(context.workspace, command.run)],
    decide=decide,
    roles=OPERATORS | {DATA_DIRECTOR, FLOW_AUTHOR, INTEGRATION_AUTHOR},
    summary="Stop an open run",
    example={"run": "0192f0c1-0000-7000-8000-000000000000", "mode": "now"},
)
