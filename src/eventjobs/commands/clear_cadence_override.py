"""
Let a managed schedule follow its definition's cadence again (R75).

Whether that runs it now is the same question as for an edit (R22 to R28).
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from eventjobs.commands.cadence_change import change_cadence, suited
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.schedule_fields import check
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.target_fields import TargetFields, Targets, named, refuse_targets
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.overriding import BUNDLES, merged
from eventjobs.domain.streams import integration_stream, schedule_stream
from eventjobs.errors import Conflict, Invalid
from eventjobs.events.cadence import Unit
from eventjobs.events.schedule import ScheduleOverrideCleared


class ClearCadenceOverride(CommandFields):
    """
    The schedule, and which bundles of its cadence: `start` (date, time, zone), `period` (number and unit).

    Or the `integration`, for all of its schedules. With `targets`, which is for the workspace that publishes the
    definition: in other workspaces, or `all`.
    """

    id: Id | None = None
    integration: Id | None = None
    targets: TargetFields | None = None
    bundles: Annotated[tuple[Literal["start", "period"], ...], Field(min_length=1, max_length=2)] = BUNDLES


def targets_of(command: ClearCadenceOverride) -> Targets | None:
    """Return the registrations that it is for, where it is for others than this workspace's."""
    if command.targets is None:
        return None
    if command.integration is None:
        raise Invalid.at("integration", "missing", "which integration's overrides?")
    each = ClearCadenceOverride(id=command.id, integration=command.integration, bundles=command.bundles)
    return Targets(definition=command.integration, workspaces=named(command.targets), each=each)


def decide(command: ClearCadenceOverride, world: World, context: Context) -> None:
    """Clear what is overridden; where nothing is, nothing is decided."""
    refuse_targets(command.targets)
    if command.id is None and command.integration is None:
        raise Invalid.at("id", "missing", "a schedule or an integration is needed")
    if command.id is None:
        _clear_all(command, world, context)
        return
    present = world.schedule(command.id)
    if not present.alive:
        raise no_such("schedule", command.id)
    if present.origin is None:
        raise not_managed(command.id)
    clear(command.id, command.bundles, world, context)


def _clear_all(command: ClearCadenceOverride, world: World, context: Context) -> None:
    integration = world.integration(command.integration or "")
    if not integration.exists:
        raise no_such("integration", command.integration or "")
    schedules = sorted(thing.id for thing in integration.things if thing.kind == "schedule")
    world.need(schedule_stream(context.workspace, schedule_id) for schedule_id in schedules)
    for schedule_id in schedules:
        if world.schedule(schedule_id).alive:
            clear(schedule_id, command.bundles, world, context)


def not_managed(schedule_id: str) -> Conflict:
    """The refusal for a schedule that follows no definition."""
    return Conflict("not_managed", f"the schedule {schedule_id!r} is the workspace's own")


def clear(schedule_id: str, bundles: tuple[str, ...], world: World, context: Context) -> None:
    """Clear these bundles of a managed schedule, as far as they are overridden; a cron is both in one."""
    present = world.schedule(schedule_id)
    if present.cadence.unit is Unit.CRON:
        bundles = BUNDLES
    cleared = tuple(one for one in present.overrides if one in bundles)
    if not cleared or present.origin is None:
        return
    left = tuple(one for one in present.overrides if one not in bundles)
    cadence = merged(present.cadence, present.origin.cadence, left)
    check(cadence, suited(present, cadence), context)
    if cadence != present.cadence:
        change_cadence(world, context, schedule_id, cadence)
    world.emit(schedule_stream(context.workspace, schedule_id), ScheduleOverrideCleared(bundles=cleared))


SPEC: Final = CommandSpec(
    name="ClearCadenceOverride",
    command=ClearCadenceOverride,
    streams=lambda command, context: [
        integration_stream(context.workspace, command.integration or "")
        if command.id is None
        else schedule_stream(context.workspace, command.id)
    ],
    decide=decide,
    roles=frozenset({INTEGRATION_AUTHOR}),
    summary="Let a managed schedule follow its definition's cadence again",
    example={"id": "contacts.nightly"},
)
