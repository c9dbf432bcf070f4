"""
Activate a schedule.

The first time it runs at once unless its start is ahead (R24, R14); later it runs at once if it is behind (R31), which
`run_if_behind: false` prevents by counting from now.
"""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.schedule_fields import warn
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR, OPERATORS
from eventjobs.domain.activation import on_activated
from eventjobs.domain.streams import schedule_stream
from eventjobs.events.schedule import ScheduleActivated


class ActivateSchedule(CommandFields):
    """The schedule to activate."""

    id: Id
    run_if_behind: bool = True


def decide(command: ActivateSchedule, world: World, context: Context) -> None:
    """Activate it; an active one stays as it is."""
    present = world.schedule(command.id)
    if not present.alive:
        raise no_such("schedule", command.id)
    if present.active:
        return
    decision = on_activated(
        present.cadence,
        present.policies.timing,
        present.timing,
        context.now,
        run_if_behind=command.run_if_behind,
    )
    world.emit(
        schedule_stream(context.workspace, command.id),
        ScheduleActivated(timing=decision.state, next=decision.next),
    )
    warn(decision.notes, world)
    settle_due(world, context, command.id)


SPEC: Final = CommandSpec(
    name="ActivateSchedule",
    command=ActivateSchedule,
    streams=lambda command, context: [schedule_stream(context.workspace, command.id)],
    decide=decide,
    roles=OPERATORS | {INTEGRATION_AUTHOR},
    summary="Let a schedule trigger by itself",
    example={"id": "nightly"},
)
