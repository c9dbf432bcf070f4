"""Beginning and saving a group: a draft with its errors told, an active one only without any (G10, G12, G76)."""

from eventjobs.commands.answering import settle_due
from eventjobs.commands.connect_fields import Expiry, expiry_of
from eventjobs.commands.context import Context
from eventjobs.commands.expiring import refuse_expired
from eventjobs.commands.fields import no_such
from eventjobs.commands.group_fields import GroupFields, expiries, refuse_incomplete, regroup, saved, take_name
from eventjobs.commands.managing import warn_customer
from eventjobs.commands.qualifying import incomplete
from eventjobs.commands.slot_activity import findings_of, is_due_otherwise, reschedule, set_expiry
from eventjobs.commands.slot_fields import tell
from eventjobs.commands.world import World
from eventjobs.domain.group import Group
from eventjobs.domain.slots import undrawn
from eventjobs.domain.streams import group_stream
from eventjobs.errors import Conflict
from eventjobs.events.group import GroupCreated, GroupSaved
from eventjobs.events.run import Ref


def group_ref(group_id: str) -> Ref:
    """Name a group as an owner."""
    return Ref(kind="group", id=group_id)


def alive_group(group_id: str, world: World, context: Context) -> Group:
    """Return a group that is in the lists; raises `NotFound`, and `Conflict` `group_expired` once it has expired."""
    group = world.group(group_id)
    if not group.exists:
        raise no_such("group", group_id)
    refuse_expired(group_ref(group_id), group, context)
    if group.deleted:
        raise no_such("group", group_id)
    return group


def create(group_id: str, definition: GroupSaved, expiry: Expiry, world: World, context: Context) -> None:
    """Begin a group, as a draft; its jobs are no other group's from now on (G6), what it lacks is told."""
    warn_customer(world)
    take_name(world, context, group_id, definition.name)
    regroup(world, context, group_id, definition.members)
    world.emit(
        group_stream(context.workspace, group_id),
        GroupCreated(
            name=definition.name,
            description=definition.description,
            members=definition.members,
            schedule=definition.schedule,
            notification=definition.notification,
            policies=definition.policies,
            on_expiry=definition.on_expiry,
            created_at=context.now,
            expires_on=expiry.on,
            expires_at=expiry.at,
            warn_at=expiry.warn_at,
        ),
    )
    warn_of_errors(group_id, world, context)


def refuse_another(present: Group, definition: GroupSaved, last_day: str | None, the_id: str) -> None:
    """Refuse unless what is asked for, a draft, is what is there: 200 for an active one would say that it is not."""
    if not present.drafted or (definition_of(present), present.expires_on) != (definition, last_day):
        raise id_taken(the_id)


def id_taken(the_id: str) -> Conflict:
    """The refusal for an id that another group has, or had."""
    return Conflict("id_taken", f"the id {the_id!r} is taken")


def save(world: World, context: Context, group_id: str, fields: GroupFields) -> None:
    """
    Replace the definition of a group from its next run on; the same again decides nothing.

    Of an active one what speaks against it is refused; who saves another tells what it lacks (`warn_of_errors`).
    """
    definition = saved(fields, group_id, world, context)
    owner = group_ref(group_id)
    settle_due(world, context, owner)
    present = alive_group(group_id, world, context)
    changes = definition != definition_of(present)
    if changes:
        take_name(world, context, group_id, fields.name)
        regroup(world, context, group_id, definition.members)
        world.emit(group_stream(context.workspace, group_id), definition)
    if fields.expires_on not in (None, present.expires_on or "never"):
        created = present.created_at or context.now
        set_expiry(world, context, owner, expiry_of(fields.expires_on, created, world, context))
    if present.active and changes:
        refuse_incomplete(group_id, world, context)
        if is_due_otherwise(present, definition.schedule, definition.policies.timing):
            reschedule(world, context, owner, definition.schedule, expiries(group_id, world))


def warn_of_errors(group_id: str, world: World, context: Context) -> None:
    """Tell what keeps a draft, or one that is switched off, from being activated (G12, G33)."""
    group = world.group(group_id)
    found = findings_of(group, undrawn(group.schedule), context, expiries(group_id, world))
    tell(found, world, incomplete(group_id, group, world, context))


def definition_of(present: Group) -> GroupSaved:
    """Return the definition of a group as it was saved."""
    return GroupSaved(
        name=present.name,
        description=present.description,
        members=present.members,
        schedule=undrawn(present.schedule),
        notification=present.notification,
        policies=present.policies,
        on_expiry=present.on_expiry,
    )
