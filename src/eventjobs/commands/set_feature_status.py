"""
Put a feature into another status: Off, Onboarding, Active or Maintenance (R55 to R67).

Active makes its schedules active, whatever they were, and runs those that never ran or are behind; every other status
makes them inactive. The registration is synced with it, so pending changes of the definition come along (R65, R72).
Where it cannot be, a feature is not put into use, but it is taken out of use all the same.
"""

from typing import Final, Literal

from eventjobs.commands.context import Context
from eventjobs.commands.definition_fields import content_of, refuse_archived
from eventjobs.commands.fields import no_such
from eventjobs.commands.queueing import stop_open_runs
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.sync_attempts import stop_using
from eventjobs.commands.syncing import sync
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR, INTEGRATION_AUTHOR, OPERATORS
from eventjobs.domain.integration import TRANSITIONS, Status
from eventjobs.domain.owner import schedule_ref
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.streams import integration_stream, run_stream
from eventjobs.errors import Conflict
from eventjobs.events.integration import IntegrationFeatureStatusSet


class SetFeatureStatus(CommandFields):
    """
    The feature of a registration, and its new status.

    `skip_onboarding` lets a feature that is off become Active at once, `cancel_open_runs` stops the runs of one that is
    turned off (R47).
    """

    integration: Id
    feature: Id
    status: Literal["off", "onboarding", "active", "maintenance"]
    skip_onboarding: bool = False
    cancel_open_runs: bool = False


def decide(command: SetFeatureStatus, world: World, context: Context) -> None:
    """Set it and sync; the status that it has decides nothing."""
    present = world.integration(command.integration)
    if not present.exists:
        raise no_such("integration", command.integration)
    defined = content_of(world.definition(present.definition_workspace, command.integration)).feature(command.feature)
    before, status = present.status(command.feature), Status(command.status)
    if defined is None and before is Status.OFF:
        raise no_such("feature", command.feature)
    if status is before:
        return
    skips = command.skip_onboarding and (before, status) == (Status.OFF, Status.ACTIVE)
    if status not in TRANSITIONS[before] and not skips:
        raise Conflict(
            "transition_not_possible",
            f"a feature that is {before} cannot become {status}",
            extra={"status": before, "possible": sorted(TRANSITIONS[before])},
        )
    if before is Status.OFF:
        refuse_archived(defined)
    world.emit(
        integration_stream(context.workspace, command.integration),
        IntegrationFeatureStatusSet(feature=command.feature, status=status, before=before),
    )
    if status in (Status.OFF, Status.MAINTENANCE):
        stop_using(world, context, command.integration, command.feature)
    else:
        sync(world, context, command.integration, entered=command.feature)
    if status is Status.OFF and command.cancel_open_runs:
        _cancel(command, world, context)


def _cancel(command: SetFeatureStatus, world: World, context: Context) -> None:
    things = world.integration(command.integration).things
    schedules = {thing.id: world.schedule(thing.id) for thing in things if thing.kind == "schedule"}
    ours = sorted(one for one, schedule in schedules.items() if _is_of(schedule, command.feature))
    world.need(run_stream(context.workspace, run) for one in ours for run in schedules[one].open_runs)
    for schedule_id in ours:
        stop_open_runs(world, context, schedule_ref(schedule_id))


def _is_of(schedule: Schedule, feature: str) -> bool:
    return schedule.origin is not None and schedule.origin.feature == feature


SPEC: Final = CommandSpec(
    name="SetFeatureStatus",
    command=SetFeatureStatus,
    streams=lambda command, context: [integration_stream(context.workspace, command.integration)],
    decide=decide,
    roles=OPERATORS | {FLOW_AUTHOR, INTEGRATION_AUTHOR},
    summary="Put a feature into another status",
    example={"integration": "contacts", "feature": "nightly-load", "status": "active"},
)
