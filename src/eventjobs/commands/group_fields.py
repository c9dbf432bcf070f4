"""The fields that define a group, and what they mean for it and for its members."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, cast

from pydantic import Field

from eventjobs.commands.answering import settle_group_of, settle_if_over
from eventjobs.commands.connect_fields import (
    ConnectName,
    GroupNotificationFields,
    LastDay,
    SlotPolicyFields,
    check_name,
    notification_of,
    slot_policies_of,
)
from eventjobs.commands.context import Context
from eventjobs.commands.qualifying import incomplete, objections
from eventjobs.commands.slot_fields import SlotFields, slots_of
from eventjobs.commands.spec import CommandFields, Id, Text
from eventjobs.commands.world import World
from eventjobs.domain.groups import Groups
from eventjobs.domain.streams import connect_stream, groups_stream
from eventjobs.errors import Conflict, FieldError, Invalid
from eventjobs.events.connect import Member
from eventjobs.events.group import GroupSaved
from eventjobs.events.groups import GroupNamed
from eventjobs.events.job import JobGrouped, JobUngrouped
from eventjobs.events.run import Ref


class MemberFields(CommandFields):
    """A job of the group; after the failure of one that is not `required` the group goes on."""

    job: Id
    required: bool = True


Members = Annotated[tuple[Id | MemberFields, ...], Field(max_length=1_000)]


class GroupFields(CommandFields):
    """What defines a group; without `expires_on` it expires 30 days after its creation (G55)."""

    name: ConnectName
    description: Text = ""
    jobs: Members = ()
    schedule: Annotated[SlotFields, Field(default_factory=SlotFields)]
    notification: Annotated[GroupNotificationFields, Field(default_factory=GroupNotificationFields)]
    policies: Annotated[SlotPolicyFields, Field(default_factory=SlotPolicyFields)]
    on_expiry: Literal["delete", "deactivate"] = "delete"
    expires_on: LastDay | None = None


def saved(fields: GroupFields, group_id: str, world: World, context: Context) -> GroupSaved:
    """
    Return the definition.

    Raises `Invalid` for what means nothing, for unknown, doubled or too many jobs and for new ones that do not qualify,
    `Conflict` `job_in_other_group` and `name_taken`.
    """
    check_name(fields.name)
    return GroupSaved(
        name=fields.name,
        description=fields.description,
        members=_members_of(fields.jobs, group_id, world, context),
        schedule=slots_of(fields.schedule, world.workspace().time_zone),
        notification=notification_of(fields.notification, context, world),
        policies=slot_policies_of(fields.policies),
        on_expiry=fields.on_expiry,
    )


def _members_of(
    jobs: Sequence[str | MemberFields], group_id: str, world: World, context: Context
) -> tuple[Member, ...]:
    named = [MemberFields(job=one) if isinstance(one, str) else one for one in jobs]
    limit = context.limits.jobs_per_group
    if len(named) > limit:
        raise Invalid.at("jobs", "too_many_jobs", f"a group has at most {limit} jobs")
    ids = [one.job for one in named]
    doubled = [place for place, one in enumerate(ids) if one in ids[:place]]
    if doubled:
        raise Invalid.fields([FieldError(f"jobs.{n}", "duplicate_job", f"{ids[n]!r} is named twice") for n in doubled])
    world.need(connect_stream(context.workspace, one) for one in ids)
    there = {member.job.id for member in world.group(group_id).members}
    _refuse_others([(place, one) for place, one in enumerate(ids) if one not in there], group_id, world, context)
    return tuple(
        Member(job=Ref(kind=world.connect_job(one.job).kind, id=one.job), required=one.required) for one in named
    )


def _refuse_others(new: Sequence[tuple[int, str]], group_id: str, world: World, context: Context) -> None:
    errors = []
    for place, job in new:
        settle_group_of(world, context, job)
        reasons = objections(world.connect_job(job), group_id, context)
        if reasons == ("in_other_group",):
            other = world.connect_job(job).group
            detail = f"the job {job!r} is in the group {other!r}"
            raise Conflict("job_in_other_group", detail, extra={"job": job, "group": other})
        if reasons:
            detail = f"the job {job!r} does not qualify: {', '.join(reasons)}"
            errors.append(FieldError(f"jobs.{place}", "job_not_qualified", detail))
    if errors:
        raise Invalid.fields(errors)


def regroup(world: World, context: Context, group_id: str, members: Sequence[Member]) -> None:
    """Tell the jobs that left the group and those that came."""
    before = {member.job.id for member in world.group(group_id).members}
    after = {member.job.id for member in members}
    world.need(connect_stream(context.workspace, job) for job in before | after)
    for job in sorted(before - after):
        if world.connect_job(job).group == group_id:
            world.emit(connect_stream(context.workspace, job), JobUngrouped(group=group_id))
    for job in sorted(after):
        if world.connect_job(job).group != group_id:
            world.emit(connect_stream(context.workspace, job), JobGrouped(group=group_id))


def take_name(world: World, context: Context, group_id: str, name: str) -> None:
    """Give a group its name; raises `Conflict` for one that another group has, or where there are too many (G8)."""
    groups = _groups(world, context)
    other = groups.named(name)
    if other == group_id and name == world.group(group_id).name:
        return
    if other is not None and other != group_id:
        settle_if_over(world, context, other)
        groups = _groups(world, context)
    if groups.named(name) not in (None, group_id):
        raise Conflict("name_taken", f"the group {other!r} is called {name!r}", extra={"group": other})
    limit = context.limits.groups_per_workspace
    if group_id not in groups.names.values() and len(groups.names) >= limit:
        raise Conflict("too_many_groups", f"a workspace has at most {limit} groups", extra={"limit": limit})
    world.emit(groups_stream(context.workspace), GroupNamed(group=group_id, name=name))


def _groups(world: World, context: Context) -> Groups:
    return cast(Groups, world.state(groups_stream(context.workspace)))


def refuse_incomplete(group_id: str, world: World, context: Context) -> None:
    """Raise `Invalid` with all that keeps a group from being active besides its schedule (G5, G12, G15 to G18)."""
    errors = incomplete(group_id, world.group(group_id), world, context)
    if errors:
        raise Invalid.fields(errors)


def expiries(group_id: str, world: World) -> Mapping[str, datetime | None]:
    """Return when each member expires (G63)."""
    return {member.job.id: world.connect_job(member.job.id).own.expires_at for member in world.group(group_id).members}
