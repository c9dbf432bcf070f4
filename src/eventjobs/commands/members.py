"""The turn of a member in its group's run: it must still qualify, and runs as it is defined by then (G22, G23)."""

from dataclasses import replace

from eventjobs.commands.context import Context
from eventjobs.commands.opening import fixed
from eventjobs.commands.qualifying import objections
from eventjobs.commands.world import World
from eventjobs.domain.run import Row
from eventjobs.domain.streams import run_stream
from eventjobs.events.run import JobRunDefined
from eventjobs.events.schedule import JobRow


def lost(world: World, context: Context, run_id: str, row: Row) -> str | None:
    """Return why a member that qualified when the run began does not any more, before its first try."""
    owner = world.run(run_id).owner
    if owner.kind != "group" or row.attempt:
        return None
    reasons = objections(world.connect_job(row.job.job.id), owner.id, context)
    gone = [reason for reason in reasons if reason != "in_other_group"]
    return f"it does not qualify any more: {', '.join(gone)}" if gone else None


def define(world: World, context: Context, run_id: str, row: Row) -> None:
    """Give a member that was edited since the run began its new definition, before its first try."""
    if world.run(run_id).owner.kind != "group" or row.attempt:
        return
    job = world.connect_job(row.job.job.id)
    if job.definition_version == row.job.version:
        return
    now = fixed(JobRow(row=row.row, job=row.job.job, seq=row.job.seq), job)
    world.emit(
        run_stream(context.workspace, run_id),
        JobRunDefined(row=row.row, job=replace(now, required=row.job.required)),
    )
