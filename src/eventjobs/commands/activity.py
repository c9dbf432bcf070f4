"""Switching a schedule on and off: by itself, because somebody asked, or because its feature did (R60 to R63)."""

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.queueing import drop_all
from eventjobs.commands.schedule_fields import warn
from eventjobs.commands.world import World
from eventjobs.domain.activation import on_activated, on_inactivated
from eventjobs.domain.owner import schedule_ref
from eventjobs.domain.streams import schedule_stream
from eventjobs.events.schedule import ScheduleActivated, ScheduleInactivated


def switch_on(
    world: World, context: Context, schedule_id: str, *, cause: str = "asked", run_if_behind: bool = True
) -> None:
    """Activate a schedule, and run what that makes due; an active one stays as it is."""
    present = world.schedule(schedule_id)
    if present.active:
        return
    decision = on_activated(
        present.cadence, present.policies.timing, present.timing, context.now, run_if_behind=run_if_behind
    )
    world.emit(
        schedule_stream(context.workspace, schedule_id),
        ScheduleActivated(timing=decision.state, next=decision.next, cause=cause),
    )
    warn(decision.notes, world)
    settle_due(world, context, schedule_ref(schedule_id))


def switch_off(world: World, context: Context, schedule_id: str, *, cause: str = "asked") -> None:
    """Inactivate a schedule after what fell due before was answered; an inactive one stays as it is."""
    if not world.schedule(schedule_id).active:
        return
    settle_due(world, context, schedule_ref(schedule_id))
    drop_all(world, context, schedule_ref(schedule_id), "inactive")
    timing = on_inactivated(world.schedule(schedule_id).timing)
    world.emit(schedule_stream(context.workspace, schedule_id), ScheduleInactivated(timing=timing, cause=cause))
