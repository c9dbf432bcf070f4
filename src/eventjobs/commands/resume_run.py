"""
Run again what did not succeed of a run, as a new run that is linked to it.

It goes on from the first stage that did not succeed. Rows before it, those beside it, and free-runners that succeeded
are carried: they keep that run's counts and output and are not run again. Later stages run again also where they
succeeded, for they ran on what had failed. The jobs are those of today, so what was mended counts (R44, R49); the job
table must be the one of that run. No occurrence's outcome is changed by it.
"""

from collections.abc import Iterable
from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.fields import RunRef, no_such
from eventjobs.commands.opening import Moment, preflight
from eventjobs.commands.reach import refuse_others_owner
from eventjobs.commands.room import already_running
from eventjobs.commands.run_now import open_by_hand
from eventjobs.commands.spec import CommandSpec, RunId
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR, FLOW_AUTHOR, INTEGRATION_AUTHOR, OPERATORS
from eventjobs.domain.occurrence import OCCURRENCE_PREFIXES
from eventjobs.domain.plan import done
from eventjobs.domain.run import ENDED, Run, State
from eventjobs.domain.streams import run_stream
from eventjobs.errors import Conflict, Invalid
from eventjobs.events.run import JobRunCarried, Ref, RunResumed, SnapshotJob

RESUMED: Final = "resumed"


class ResumeRun(RunRef):
    """The run to go on with; `id` is the new run's."""

    id: RunId | None = None


def decide(command: ResumeRun, world: World, context: Context) -> None:
    """Open the new run, or refuse where nothing is left of the old one, or another one goes on with it already."""
    if command.id is not None and command.id.startswith(OCCURRENCE_PREFIXES):
        raise Invalid.at("id", "reserved_id", "ids of this form belong to occurrences")
    run, run_id = world.run(command.run), command.id or context.command_id
    if run.state in (State.ABSENT, State.SKIPPED, State.MISSED):
        raise no_such("run", command.run)
    refuse_others_owner(run.owner.kind, context)
    world.answer["run"] = run_id
    if run.resumed_by == run_id:
        return
    refusal = not_resumable(command.run, run.state, run.resumed_by)
    if refusal is not None:
        raise refusal
    if world.run(run_id).state is not State.ABSENT:
        raise Conflict("id_taken", f"the id {run_id!r} is taken")
    moment = Moment(cause="manual", cause_detail=RESUMED, resumes=command.run, stands_for=run.moment)
    open_by_hand(run.owner, run_id, world, context, moment)
    _refuse_other_jobs(run, world.run(run_id))
    for row in done(run):
        carried = JobRunCarried(row=row.row, run=row.joined or command.run, counts=row.counts, output=row.output)
        world.emit(run_stream(context.workspace, run_id), carried)
    if run.owner.kind == "group":
        preflight(world, context, run.owner, run_id)
    world.emit(run_stream(context.workspace, command.run), RunResumed(by=run_id))


def not_resumable(run_id: str, state: str, resumed_by: str | None) -> Conflict | None:
    """Return why nobody may go on with a run, by the run alone: it is open, succeeded, or another goes on with it."""
    if state not in ENDED:
        return already_running(run_id)
    if state == State.SUCCEEDED:
        return Conflict("nothing_to_resume", f"run {run_id} succeeded")
    if resumed_by is not None:
        detail = f"run {resumed_by} goes on with it; resume that one"
        return Conflict("already_resumed", detail, extra={"run": resumed_by})
    return None


def jobs_changed() -> Conflict:
    """The refusal for a run whose jobs, order or flags are not those of its schedule any more."""
    return Conflict("jobs_changed", "the job table is not that of the run any more; run it anew")


def _refuse_other_jobs(run: Run, new: Run) -> None:
    if _table(row.job for row in run.rows.values()) != _table(row.job for row in new.rows.values()):
        raise jobs_changed()


def _table(jobs: Iterable[SnapshotJob]) -> list[tuple[int, Ref, int, bool]]:
    return [(job.row, job.job, job.seq, job.skip_wait) for job in jobs]


SPEC: Final = CommandSpec(
    name="ResumeRun",
    command=ResumeRun,
    streams=lambda command, context: [run_stream(context.workspace, command.run)],
    decide=decide,
    roles=OPERATORS | {DATA_DIRECTOR, FLOW_AUTHOR, INTEGRATION_AUTHOR},
    summary="Run again from the first stage that did not succeed, as a new run",
    example={"run": "0192f0c1-0000-7000-8000-000000000000"},
)
