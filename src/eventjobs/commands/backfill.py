"""
Run a schedule for moments of the past, one after another.

Each gets a run by hand that stands for its moment: its jobs see it as the due one. No occurrence's outcome is changed,
and the cadence does not move. The runs open one at a time, whenever the schedule has none; a due moment that comes
meanwhile is answered first and meets an open run as any other.
"""

from datetime import datetime
from itertools import islice
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import check_instant, no_such
from eventjobs.commands.halting import refuse_while_held
from eventjobs.commands.managing import no_jobs, refuse_off
from eventjobs.commands.queueing import start_waiting
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR, INTEGRATION_AUTHOR, OPERATORS
from eventjobs.domain.owner import schedule_ref
from eventjobs.domain.preview import moments_since
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.streams import schedule_stream
from eventjobs.errors import Conflict, Invalid
from eventjobs.events.schedule import ScheduleBackfillAsked

MOMENTS_MAX: Final = 100


class ScheduleRef(CommandFields):
    """A schedule by id."""

    kind: Literal["schedule"]
    id: Id


class Backfill(CommandFields):
    """Of which schedule, and the window `[since, until)`; more than `max` moments in it are refused."""

    owner: ScheduleRef
    id: Id | None = None
    since: AwareDatetime
    until: AwareDatetime
    max: Annotated[int, Field(ge=1, le=MOMENTS_MAX)] = MOMENTS_MAX


def decide(command: Backfill, world: World, context: Context) -> None:
    """Take the moments on, and open the first run if the schedule has none."""
    schedule_id, backfill_id = command.owner.id, command.id or context.command_id
    schedule = world.schedule(schedule_id)
    if not schedule.alive:
        raise no_such("schedule", schedule_id)
    if backfill_id in schedule.backfilled:
        return
    _check(command, context)
    moments = _moments(command, schedule)
    refuse_off(schedule, world)
    if not schedule.jobs:
        raise no_jobs(schedule_id)
    if not moments:
        return
    settle_due(world, context, schedule_ref(schedule_id))
    refuse_while_held(world, context)
    schedule = world.schedule(schedule_id)
    if schedule.backfill is not None:
        left = len(schedule.backfill.moments)
        raise Conflict(
            "backfill_open", f"{left} moments are left of another one", extra={"backfill": schedule.backfill.id}
        )
    asked = ScheduleBackfillAsked(backfill=backfill_id, moments=moments)
    world.emit(schedule_stream(context.workspace, schedule_id), asked)
    if schedule.active and schedule.policies.overlap == "skip":
        world.warn("may_overlap", "what falls due while a run of it is open is skipped", "owner.id")
    start_waiting(world, context, schedule_ref(schedule_id))


def _check(command: Backfill, context: Context) -> None:
    check_instant("since", command.since)
    check_instant("until", command.until)
    if command.since >= command.until:
        raise Invalid.at("until", "empty_window", "the window ends before it begins")
    if command.until > context.now:
        raise Invalid.at("until", "not_past", "a backfill is for moments that have passed")


def _moments(command: Backfill, schedule: Schedule) -> tuple[datetime, ...]:
    """Return the moments in the window; raises `Invalid` for more than are wanted."""
    onward = moments_since(schedule.cadence, schedule.policies.timing, command.since)
    found = tuple(islice((due.due for due in onward), command.max + 1))
    inside = tuple(at for at in found if at < command.until)
    if len(inside) > command.max:
        raise Invalid.at("max", "too_many_moments", f"the window holds more than {command.max} moments")
    return inside


SPEC: Final = CommandSpec(
    name="Backfill",
    command=Backfill,
    streams=lambda command, context: [schedule_stream(context.workspace, command.owner.id)],
    decide=decide,
    roles=OPERATORS | {FLOW_AUTHOR, INTEGRATION_AUTHOR},
    summary="Run a schedule for moments of the past, one after another",
    example={
        "owner": {"kind": "schedule", "id": "nightly"},
        "since": "2026-11-01T00:00:00Z",
        "until": "2026-11-08T00:00:00Z",
    },
)
