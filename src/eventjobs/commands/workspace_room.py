"""How many schedules and Connect jobs a workspace may have."""

from eventjobs.commands.census import CONNECT_JOB, SCHEDULE, grown
from eventjobs.commands.context import Context
from eventjobs.commands.world import World
from eventjobs.errors import Conflict


def refuse_too_many_schedules(world: World, context: Context) -> None:
    """Raise `Conflict` `too_many_schedules` where a decision would leave more than there may be; once it is made."""
    _refuse(world, SCHEDULE, context.limits.schedules_per_workspace, "schedules")


def refuse_too_many_jobs(world: World, context: Context) -> None:
    """Raise `Conflict` `too_many_connect_jobs` where a decision would leave more than there may be; once it is made."""
    _refuse(world, CONNECT_JOB, context.limits.connect_jobs_per_workspace, "Connect jobs")


def _refuse(world: World, kind: str, limit: int, things: str) -> None:
    more = grown(world.emitted, kind)
    if more > 0 and world.count(kind) + more > limit:
        code = f"too_many_{things.lower().replace(' ', '_')}"
        raise Conflict(code, f"a workspace has at most {limit:,} {things}", extra={"limit": limit})
