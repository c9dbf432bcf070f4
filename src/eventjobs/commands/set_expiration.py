"""
Set when a group or a Connect job expires: on a last day, so many days after the present one, or never (G54, G58).

It is later than today. One that has expired stays so, unless its expiry only deactivated it.
"""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from eventjobs.commands.answering import settle_due
from eventjobs.commands.connect_fields import Expiry, LastDay, expiry_of, expiry_on
from eventjobs.commands.context import Context
from eventjobs.commands.expiring import refuse_unless_kept
from eventjobs.commands.fields import no_such
from eventjobs.commands.slot_activity import set_expiry, slot_owner
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.expiry import extended
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.streams import connect_stream, owner_stream, workspace_stream
from eventjobs.errors import Invalid
from eventjobs.events.run import Ref


class SlotOwnerRef(CommandFields):
    """A group or a Connect job."""

    kind: Literal["group", "import", "export", "partner", "feed"]
    id: Id


class SetExpiration(CommandFields):
    """
    A last day or `never`, or by how many days the present one is extended.

    With `members` the jobs of a group that would expire before it expire with it (G63).
    """

    owner: SlotOwnerRef
    expires_on: LastDay | None = None
    extend_by_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    members: bool = False


def decide(command: SetExpiration, world: World, context: Context) -> None:
    """Set it; the same again decides nothing."""
    owner = Ref(kind=command.owner.kind, id=command.owner.id)
    if command.members and owner.kind != "group":
        raise Invalid.at("members", "not_with_kind", "only a group has members")
    _settle(owner, world, context)
    expiry = _wanted(command, slot_owner(world, owner), world, context)
    set_expiry(world, context, owner, expiry)
    if command.members:
        _extend_members(owner.id, expiry, world, context)


def _settle(owner: Ref, world: World, context: Context) -> None:
    """Answer what is due, its expiry too; raises `NotFound`, and `Conflict` for who has expired for good."""
    present = slot_owner(world, owner)
    if not present.exists or (owner.kind != "group" and world.connect_job(owner.id).kind != owner.kind):
        raise no_such(owner.kind, owner.id)
    if present.alive and not present.expired:
        settle_due(world, context, owner)
    refuse_unless_kept(world, context, owner)
    if not slot_owner(world, owner).alive:
        raise no_such(owner.kind, owner.id)


def _wanted(command: SetExpiration, present: SlotOwner, world: World, context: Context) -> Expiry:
    if (command.expires_on is None) == (command.extend_by_days is None):
        raise Invalid.at("expires_on", "missing", "give either expires_on or extend_by_days")
    created = present.created_at or context.now
    if command.extend_by_days is None:
        return expiry_of(command.expires_on, created, world, context)
    if present.expires_on is None:
        raise Invalid.at("extend_by_days", "never_expires", "it never expires")
    later = extended(date.fromisoformat(present.expires_on), command.extend_by_days)
    if later is None:
        raise Invalid.at("extend_by_days", "date_out_of_range", "that is beyond the calendar")
    return expiry_on(later, created, world, context)


def _extend_members(group_id: str, expiry: Expiry, world: World, context: Context) -> None:
    members = world.group(group_id).members
    world.need(connect_stream(context.workspace, member.job.id) for member in members)
    for member in members:
        job = world.connect_job(member.job.id).own
        if not job.alive or job.is_over(context.now) or job.expires_at is None:
            continue
        if expiry.at is None or job.expires_at < expiry.at:
            settle_due(world, context, member.job)
            set_expiry(world, context, member.job, _of_member(member.job.id, job, expiry, world, context))


def _of_member(job_id: str, job: SlotOwner, wanted: Expiry, world: World, context: Context) -> Expiry:
    """Return when a member expires as its group does; raises `Invalid` that names it where it may not so long."""
    try:
        return expiry_of(wanted.on or "never", job.created_at or context.now, world, context)
    except Invalid as refusal:
        raise Invalid.at("members", refusal.code, f"the job {job_id!r}: {refusal.detail}") from None


SPEC: Final = CommandSpec(
    name="SetExpiration",
    command=SetExpiration,
    streams=lambda command, context: [
        owner_stream(context.workspace, Ref(kind=command.owner.kind, id=command.owner.id)),
        workspace_stream(context.workspace),
    ],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Set when a group or a job expires",
    example={"owner": {"kind": "group", "id": "nightly-lists"}, "expires_on": "2027-01-31"},
)
