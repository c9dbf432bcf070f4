"""
Syncs that stand in nobody's way.

Where the workspace cannot take what the definition says, the failure is recorded (R71). What a person takes out of use
stops all the same, as it is here: no definition keeps it running.
"""

from eventjobs.commands.activity import switch_off
from eventjobs.commands.context import Context
from eventjobs.commands.syncing import sync
from eventjobs.commands.world import World
from eventjobs.domain.streams import integration_stream, schedule_stream
from eventjobs.errors import Rejected
from eventjobs.events.integration import IntegrationSyncFailed


def sync_if_possible(world: World, context: Context, integration_id: str, *, entered: str | None = None) -> bool:
    """Sync a registration and return `True`, or record why it cannot be, with a warning."""
    mark = world.mark()
    try:
        sync(world, context, integration_id, entered=entered)
    except Rejected as refused:
        world.go_back(mark)
        _record(world, context, integration_id, refused)
        return False
    return True


def stop_using(world: World, context: Context, integration_id: str, feature: str | None = None) -> None:
    """Make what came out of use inactive, synced or not: the schedules of a feature, or of all (R63, R67)."""
    if sync_if_possible(world, context, integration_id, entered=feature):
        return
    things = world.integration(integration_id).things
    schedules = sorted(thing.id for thing in things if thing.kind == "schedule")
    world.need(schedule_stream(context.workspace, one) for one in schedules)
    for schedule_id in schedules:
        origin = world.schedule(schedule_id).origin
        if feature is None or (origin is not None and origin.feature == feature):
            switch_off(world, context, schedule_id, cause="integration" if feature is None else "feature")


def _record(world: World, context: Context, integration_id: str, refused: Rejected) -> None:
    present = world.integration(integration_id)
    version = world.definition(present.definition_workspace, integration_id).version
    path = refused.errors[0].path if refused.errors else None
    detail = refused.detail if path is None else f"{path}: {refused.detail}"
    failed = IntegrationSyncFailed(version=version, code=refused.code, detail=detail)
    world.warn("sync_failed", refused.detail, path)
    if present.failed != failed:
        world.emit(integration_stream(context.workspace, integration_id), failed)
