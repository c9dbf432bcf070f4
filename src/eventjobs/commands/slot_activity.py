"""Switching a group or a Connect job on and off, and what another schedule or another last day means for it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from eventjobs.commands.answering import settle_due
from eventjobs.commands.connect_fields import Expiry
from eventjobs.commands.context import Context
from eventjobs.commands.owner_facts import SLOT_FACTS
from eventjobs.commands.queueing import drop_all
from eventjobs.commands.slot_fields import heed
from eventjobs.commands.world import World
from eventjobs.domain.activation import on_inactivated
from eventjobs.domain.edits import on_zone_data_changed
from eventjobs.domain.slot_activation import on_slots_set
from eventjobs.domain.slot_checks import Findings, check_activation
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.slots import cadence_of, drawn, undrawn
from eventjobs.domain.standing import activation_of
from eventjobs.domain.streams import owner_stream
from eventjobs.errors import Conflict, FieldError
from eventjobs.events.cadence import TimingPolicies
from eventjobs.events.run import Ref
from eventjobs.events.slots import SlotSchedule


def slot_owner(world: World, owner: Ref) -> SlotOwner:
    """Return a group, or a Connect job as the owner of its runs by itself."""
    present = world.owner(owner)
    assert isinstance(present, SlotOwner)  # noqa: S101 its kind says so
    return present


def findings_of(
    present: SlotOwner, schedule: SlotSchedule, context: Context, members: Mapping[str, datetime | None] | None = None
) -> Findings:
    """Return what speaks against being due by a schedule from now on, and what is odd about it."""
    activation = activation_of(present, context.now, members)
    again = activation.again and undrawn(present.schedule) == undrawn(schedule)
    return check_activation(replace(activation, schedule=schedule, again=again))


def switch_on(
    world: World,
    context: Context,
    owner: Ref,
    members: Mapping[str, datetime | None] | None = None,
    *,
    errors: Sequence[FieldError] = (),
) -> None:
    """
    Activate it: a new cadence version, with a minute drawn anew; an active one stays as it is.

    Raises `Invalid` with all that speaks against it: the `errors` that are known, and those of its schedule (G12).
    """
    present = slot_owner(world, owner)
    if present.active:
        return
    heed(findings_of(present, present.schedule, context, members), world, errors)
    _schedule(world, context, owner, present.schedule, "activated")


def reschedule(
    world: World,
    context: Context,
    owner: Ref,
    schedule: SlotSchedule,
    members: Mapping[str, datetime | None] | None = None,
) -> None:
    """Let an active one, whose due moments were answered and whose policies are the new ones, be due otherwise."""
    heed(findings_of(slot_owner(world, owner), schedule, context, members), world)
    _schedule(world, context, owner, schedule, "scheduled")


def is_due_otherwise(present: SlotOwner, schedule: SlotSchedule, policies: TimingPolicies) -> bool:
    """Tell whether another schedule, or another reading of it, moves what is due."""
    read = (policies.gap, policies.repeat)
    return (
        undrawn(present.schedule) != schedule or (present.policies.timing.gap, present.policies.timing.repeat) != read
    )


def _schedule(world: World, context: Context, owner: Ref, schedule: SlotSchedule, what: str) -> None:
    present = slot_owner(world, owner)
    schedule = drawn(schedule, context.random.uniform())
    decision = on_slots_set(schedule, present.policies.timing, present.timing, context.now, present.expires_at)
    world.emit(
        owner_stream(context.workspace, owner),
        getattr(SLOT_FACTS[owner.kind], what)(
            schedule=schedule,
            cadence_version=present.cadence_version + 1,
            timing=decision.state,
            next=decision.next,
        ),
    )


def switch_off(world: World, context: Context, owner: Ref) -> None:
    """Deactivate it, after what fell due before was answered; what waits is skipped."""
    settle_due(world, context, owner)
    drop_all(world, context, owner, "inactive")
    timing = on_inactivated(slot_owner(world, owner).timing)
    world.emit(owner_stream(context.workspace, owner), SLOT_FACTS[owner.kind].deactivated(timing=timing))


def not_active(kind: str, the_id: str) -> Conflict:
    """The refusal for who switches off what is not on."""
    return Conflict("not_active", f"the {kind} {the_id!r} is not active")


def set_expiry(world: World, context: Context, owner: Ref, expiry: Expiry) -> None:
    """Let it expire at another time: what is due next may go, or come back; the same again decides nothing."""
    present = slot_owner(world, owner)
    if (present.expires_on, present.expires_at) == (expiry.on, expiry.at):
        return
    due = present.next
    if present.active:
        cadence = cadence_of(present.schedule, expiry.at)
        due = on_zone_data_changed(cadence, present.policies.timing, present.timing, present.next, context.now).next
    world.emit(
        owner_stream(context.workspace, owner),
        SLOT_FACTS[owner.kind].expiration_set(
            expires_on=expiry.on, expires_at=expiry.at, warn_at=expiry.warn_at, next=due
        ),
    )
