"""Giving a schedule another cadence, whether a person does it or a definition (R22 to R28)."""

from dataclasses import replace

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.schedule_fields import warn
from eventjobs.commands.world import World
from eventjobs.domain.edits import on_cadence_changed
from eventjobs.domain.overriding import timing_in_force
from eventjobs.domain.owner import schedule_ref
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.streams import schedule_stream
from eventjobs.events.cadence import Cadence
from eventjobs.events.schedule import ScheduleCadenceEdited, SchedulePolicies


def suited(present: Schedule, cadence: Cadence) -> SchedulePolicies:
    """Return a schedule's policies with the timing that goes with another cadence; a definition's counts first."""
    defined = None if present.origin is None else present.origin.timing
    own = present.policies.timing
    timing = timing_in_force(cadence, defined, present.cadence, own.timing)
    return replace(present.policies, timing=replace(own, timing=timing))


def change_cadence(world: World, context: Context, schedule_id: str, cadence: Cadence) -> None:
    """Change it to one that was checked: what fell due is answered under the old one, what is due now runs."""
    settle_due(world, context, schedule_ref(schedule_id))
    present = world.schedule(schedule_id)
    policies = suited(present, cadence)
    decision = on_cadence_changed(
        present.cadence,
        present.policies.timing,
        cadence,
        policies.timing,
        state=present.timing,
        next_due=present.next,
        now=context.now,
        active=present.active,
    )
    world.emit(
        schedule_stream(context.workspace, schedule_id),
        ScheduleCadenceEdited(
            cadence=cadence,
            cadence_version=present.cadence_version + 1,
            timing=decision.state,
            next=decision.next,
            policies=None if policies == present.policies else policies,
        ),
    )
    warn(decision.notes, world)
    settle_due(world, context, schedule_ref(schedule_id))
