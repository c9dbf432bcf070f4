"""
Replace a schedule's policies.

Another timing, gap or repeat policy reads the cadence differently and so begins a new cadence version.
"""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.managing import refuse_managed, warn_customer
from eventjobs.commands.schedule_fields import (
    PolicyFields,
    check,
    check_calendars,
    policies_of,
    warn,
    warn_if_blacked_out,
)
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.edits import is_read_otherwise, on_cadence_changed
from eventjobs.domain.owner import schedule_ref
from eventjobs.domain.streams import schedule_stream
from eventjobs.events.schedule import SchedulePoliciesEdited


class EditSchedulePolicies(CommandFields):
    """The schedule's whole new policies."""

    id: Id
    policies: PolicyFields


def decide(command: EditSchedulePolicies, world: World, context: Context) -> None:
    """Replace them; the same policies again decide nothing."""
    if not world.schedule(command.id).alive:
        raise no_such("schedule", command.id)
    refuse_managed(world.schedule(command.id), f"the schedule {command.id!r}")
    policies = policies_of(command.policies, world.schedule(command.id).cadence)
    if policies == world.schedule(command.id).policies:
        return
    check_calendars(policies.calendars, world, context)
    warn_customer(world)
    settle_due(world, context, schedule_ref(command.id))
    present = world.schedule(command.id)
    check(present.cadence, policies, context)
    moved = is_read_otherwise(present.policies.timing, policies.timing)
    timing, following = present.timing, present.next
    if moved:
        decision = on_cadence_changed(
            present.cadence,
            present.policies.timing,
            present.cadence,
            policies.timing,
            state=present.timing,
            next_due=present.next,
            now=context.now,
            active=present.active,
        )
        timing, following = decision.state, decision.next
        warn(decision.notes, world)
    world.emit(
        schedule_stream(context.workspace, command.id),
        SchedulePoliciesEdited(
            policies=policies,
            cadence_version=present.cadence_version + (1 if moved else 0),
            timing=timing,
            next=following,
        ),
    )
    settle_due(world, context, schedule_ref(command.id))
    warn_if_blacked_out(world.schedule(command.id), world, context)


SPEC: Final = CommandSpec(
    name="EditSchedulePolicies",
    command=EditSchedulePolicies,
    streams=lambda command, context: [schedule_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({INTEGRATION_AUTHOR}),
    summary="Replace a schedule's policies",
    example={"id": "nightly", "policies": {"timing": "wall_clock", "on_failure": "stop"}},
)
