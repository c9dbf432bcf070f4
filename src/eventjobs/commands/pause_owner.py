"""
Pause an owner: its due moments are skipped until the pause ends, and running by hand still works (SPEC decision 7).

A pause is not an inactivation: the moments fall due and have their outcome, `skipped: paused`. An open run goes on.
"""

from datetime import UTC, datetime
from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import OwnerRef, no_such
from eventjobs.commands.halting import check_end
from eventjobs.commands.spec import CommandFields, CommandSpec, Text
from eventjobs.commands.world import World
from eventjobs.domain.access import OPERATORS
from eventjobs.domain.streams import schedule_stream
from eventjobs.errors import Invalid
from eventjobs.events.schedule import SchedulePaused


class PauseOwner(CommandFields):
    """What to pause, why, and until when; without `until` it is paused until somebody ends it."""

    owner: OwnerRef
    note: Text = ""
    until: datetime | None = None


def pausable(owner: OwnerRef, world: World) -> str:
    """Return the schedule's id; raises `Invalid` for an owner without occurrences of its own, or one not built yet."""
    if owner.kind != "schedule":
        raise Invalid.at("owner.kind", "not_supported", f"owners of kind {owner.kind!r} cannot be paused")
    if not world.schedule(owner.id).alive:
        raise no_such("schedule", owner.id)
    return owner.id


def decide(command: PauseOwner, world: World, context: Context) -> None:
    """Pause it, after what fell due before was answered; the same pause again decides nothing."""
    schedule_id = pausable(command.owner, world)
    check_end(command.until, context)
    until = None if command.until is None else command.until.astimezone(UTC)
    settle_due(world, context, schedule_id)
    present = world.schedule(schedule_id).pause
    if present is not None and (present.note, present.until) == (command.note, until):
        return
    since = context.now if present is None else present.since
    world.emit(
        schedule_stream(context.workspace, schedule_id),
        SchedulePaused(since=since, until=until, note=command.note, by=context.actor),
    )


SPEC: Final = CommandSpec(
    name="PauseOwner",
    command=PauseOwner,
    streams=lambda command, context: [schedule_stream(context.workspace, command.owner.id)],
    decide=decide,
    roles=OPERATORS,
    summary="Skip what falls due of a schedule until the pause ends",
    example={
        "owner": {"kind": "schedule", "id": "nightly"},
        "note": "the source moves",
        "until": "2027-01-04T06:00:00Z",
    },
)
