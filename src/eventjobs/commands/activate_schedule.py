"""
Activate a schedule.

The first time it runs at once unless its start is ahead (R24, R14); later it runs at once if it is behind (R31), which
`run_if_behind: false` prevents by counting from now. The schedules of an Active feature go by its status (R60).
"""

from typing import Final

from eventjobs.commands.activity import switch_on
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.managing import no_jobs, refuse_set_by_feature
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR, INTEGRATION_AUTHOR, OPERATORS
from eventjobs.domain.streams import schedule_stream


class ActivateSchedule(CommandFields):
    """The schedule to activate."""

    id: Id
    run_if_behind: bool = True


def decide(command: ActivateSchedule, world: World, context: Context) -> None:
    """Activate it; an active one stays as it is."""
    present = world.schedule(command.id)
    if not present.alive:
        raise no_such("schedule", command.id)
    refuse_set_by_feature(present, world)
    if not present.jobs:
        raise no_jobs(command.id)
    switch_on(world, context, command.id, run_if_behind=command.run_if_behind)


SPEC: Final = CommandSpec(
    name="ActivateSchedule",
    command=ActivateSchedule,
    streams=lambda command, context: [schedule_stream(context.workspace, command.id)],
    decide=decide,
    roles=OPERATORS | {FLOW_AUTHOR, INTEGRATION_AUTHOR},
    summary="Let a schedule trigger by itself",
    example={"id": "nightly"},
)
