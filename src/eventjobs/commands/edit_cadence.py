"""
Change when a schedule runs.

A new cadence version begins. What fell due under the old one is answered first; whether the edit makes the schedule
behind, and so runs it now, is R22 to R28.
"""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.schedule_fields import CadenceFields, cadence_of, check, warn
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.edits import on_cadence_changed
from eventjobs.domain.streams import schedule_stream
from eventjobs.events.schedule import ScheduleCadenceEdited


class EditCadence(CommandFields):
    """The schedule's whole new cadence."""

    id: Id
    cadence: CadenceFields


def decide(command: EditCadence, world: World, context: Context) -> None:
    """Edit it; the same cadence again decides nothing (R33)."""
    if not world.schedule(command.id).alive:
        raise no_such("schedule", command.id)
    cadence = cadence_of(command.cadence)
    if cadence == world.schedule(command.id).cadence:
        return
    settle_due(world, context, command.id)
    present = world.schedule(command.id)
    check(cadence, present.policies, context)
    timing = present.policies.timing
    decision = on_cadence_changed(
        present.cadence,
        timing,
        cadence,
        timing,
        state=present.timing,
        next_due=present.next,
        now=context.now,
        active=present.active,
    )
    world.emit(
        schedule_stream(context.workspace, command.id),
        ScheduleCadenceEdited(
            cadence=cadence,
            cadence_version=present.cadence_version + 1,
            timing=decision.state,
            next=decision.next,
        ),
    )
    warn(decision.notes, world)
    settle_due(world, context, command.id)


SPEC: Final = CommandSpec(
    name="EditCadence",
    command=EditCadence,
    streams=lambda command, context: [schedule_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({INTEGRATION_AUTHOR}),
    summary="Change when a schedule runs",
    example={
        "id": "nightly",
        "cadence": {
            "start_date": "2026-12-01",
            "start_time": "14:00",
            "time_zone": "America/Chicago",
            "every": 12,
            "unit": "hour",
        },
    },
)
