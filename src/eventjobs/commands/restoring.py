"""Bringing back what was deleted in a workspace although a definition has it (R78, R87)."""

from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.job_facts import FACTS
from eventjobs.commands.world import World
from eventjobs.domain.streams import job_stream
from eventjobs.errors import Conflict
from eventjobs.events.run import Ref


def restore_job(job: Ref, world: World, context: Context) -> None:
    """Restore a service or flow as its definition said at the last sync; one that is there decides nothing."""
    present = world.job(job)
    if not present.exists:
        raise no_such(job.kind, job.id)
    if present.alive:
        return
    if present.origin is None or job not in world.integration(present.origin.integration).things:
        raise not_restorable(job.kind, job.id)
    world.emit(job_stream(context.workspace, job), FACTS[job.kind].restored())


def not_restorable(kind: str, thing_id: str) -> Conflict:
    """The refusal for what no sync would have."""
    return Conflict("not_restorable", f"no definition has the {kind} {thing_id!r} any more")
