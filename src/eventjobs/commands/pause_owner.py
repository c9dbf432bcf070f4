"""
Pause an owner: its due moments are skipped until the pause ends, and running by hand still works (SPEC decision 7).

A pause is not an inactivation: the moments fall due and have their outcome, `skipped: paused`. An open run goes on.
"""

from datetime import UTC, datetime
from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.expiring import refuse_expired
from eventjobs.commands.fields import OwnerRef, no_such
from eventjobs.commands.halting import check_end
from eventjobs.commands.owner_facts import OWNER_FACTS
from eventjobs.commands.reach import refuse_others_owner
from eventjobs.commands.spec import CommandFields, CommandSpec, Text
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR, OPERATORS
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.streams import CONNECT_JOBS, owner_stream
from eventjobs.errors import Invalid
from eventjobs.events.run import Ref


class PauseOwner(CommandFields):
    """What to pause, why, and until when; without `until` it is paused until somebody ends it."""

    owner: OwnerRef
    note: Text = ""
    until: datetime | None = None


def pausable(owner: OwnerRef, world: World, context: Context) -> Ref:
    """Return the owner; raises `Invalid` for one without occurrences of its own, `Conflict` for one that expired."""
    if owner.kind not in OWNER_FACTS:
        raise Invalid.at("owner.kind", "not_supported", f"owners of kind {owner.kind!r} cannot be paused")
    refuse_others_owner(owner.kind, context)
    ref = owner.plain()
    present = world.owner(ref)
    if not present.exists or (owner.kind in CONNECT_JOBS and world.connect_job(owner.id).kind != owner.kind):
        raise no_such(owner.kind, owner.id)
    if isinstance(present, SlotOwner):
        refuse_expired(ref, present, context)
    if present.deleted:
        raise no_such(owner.kind, owner.id)
    return ref


def decide(command: PauseOwner, world: World, context: Context) -> None:
    """Pause it, after what fell due before was answered; the same pause again decides nothing."""
    owner = pausable(command.owner, world, context)
    check_end(command.until, context)
    until = None if command.until is None else command.until.astimezone(UTC)
    settle_due(world, context, owner)
    present = world.owner(owner).pause
    if present is not None and (present.note, present.until) == (command.note, until):
        return
    since = context.now if present is None else present.since
    world.emit(
        owner_stream(context.workspace, owner),
        OWNER_FACTS[owner.kind].paused(since=since, until=until, note=command.note, by=context.actor),
    )


SPEC: Final = CommandSpec(
    name="PauseOwner",
    command=PauseOwner,
    streams=lambda command, context: [owner_stream(context.workspace, command.owner.plain())],
    decide=decide,
    roles=OPERATORS | {DATA_DIRECTOR},
    summary="Skip what falls due of an owner until the pause ends",
    example={
        "owner": {"kind": "schedule", "id": "nightly"},
        "note": "the source moves",
        "until": "2027-01-04T06:00:00Z",
    },
)
