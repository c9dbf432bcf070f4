"""
Change when a schedule runs.

A new cadence version begins. What fell due under the old one is answered first; whether the edit makes the schedule
behind, and so runs it now, is R22 to R28. A cron brings its timing with it. Of a managed schedule the edited bundles
are the workspace's own from then on: no sync overwrites them (R73); they are read with the definition's timing.
"""

from dataclasses import replace
from typing import Final

from eventjobs.commands.cadence_change import change_cadence, suited
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.managing import warn_customer
from eventjobs.commands.schedule_fields import CadenceFields, cadence_of, check
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.overriding import edited_bundles
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.streams import schedule_stream
from eventjobs.errors import Invalid
from eventjobs.events.cadence import Cadence
from eventjobs.events.schedule import ScheduleCadenceOverridden

TIMING: Final = "policies.timing"


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
    present = world.schedule(command.id)
    _check(present, cadence, context)
    warn_customer(world)
    change_cadence(world, context, command.id, cadence)
    own = tuple(one for one in edited_bundles(present.cadence, cadence) if one not in present.overrides)
    if present.origin is not None and own:
        world.emit(schedule_stream(context.workspace, command.id), ScheduleCadenceOverridden(bundles=own))


def _check(present: Schedule, cadence: Cadence, context: Context) -> None:
    """Raise `Invalid` as `check` does; a timing that does not fit is told at the unit, which is sent."""
    try:
        check(cadence, suited(present, cadence), context)
    except Invalid as invalid:
        managed = present.origin is not None
        whose = "The definition says the timing." if managed else "EditSchedulePolicies changes the timing."
        raise Invalid.fields(
            [
                replace(one, path="cadence.unit", detail=f"{one.detail} {whose}") if one.path == TIMING else one
                for one in invalid.errors
            ]
        ) from invalid


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
