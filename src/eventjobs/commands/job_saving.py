"""The fields that define a Connect job, and what they mean for it."""

from typing import Annotated, Literal

from pydantic import Field

from eventjobs.commands.connect_fields import (
    ConnectName,
    Expiry,
    LastDay,
    NotificationFields,
    SlotPolicyFields,
    check_name,
    notification_of,
    slot_policies_of,
)
from eventjobs.commands.context import Context
from eventjobs.commands.expiring import refuse_expired
from eventjobs.commands.fields import ServiceFields, check_size, no_such, unknown_handler
from eventjobs.commands.job_facts import refuse_taken
from eventjobs.commands.managing import refuse_reserved, warn_customer
from eventjobs.commands.slot_fields import SlotFields, slots_of
from eventjobs.commands.spec import Text
from eventjobs.commands.workspace_room import refuse_too_many_jobs
from eventjobs.commands.world import World
from eventjobs.domain.connect_job import ConnectJob
from eventjobs.domain.qualification import nobody_told
from eventjobs.domain.slot_checks import form_errors
from eventjobs.domain.slots import undrawn
from eventjobs.domain.streams import connect_stream
from eventjobs.errors import FieldError, Invalid
from eventjobs.events.job import JobCreated, JobSaved, SavedError
from eventjobs.events.run import Ref

KINDS = Literal["import", "export", "partner", "feed"]


class ConnectJobFields(ServiceFields):
    """
    What defines a Connect job; it needs a last day, or `never` (G54).

    `subtype` says what it loads or writes, such as `profile_list`, `profile_extension` or `custom_table` (G78).
    """

    name: ConnectName | None = None
    kind: KINDS
    subtype: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")] | None = None
    description: Text = ""
    schedule: Annotated[SlotFields, Field(default_factory=SlotFields)]
    notification: Annotated[NotificationFields, Field(default_factory=NotificationFields)]
    policies: Annotated[SlotPolicyFields, Field(default_factory=SlotPolicyFields)]
    on_expiry: Literal["delete", "deactivate"] = "delete"
    expires_on: LastDay | None = None


def saved(fields: ConnectJobFields, job_id: str, world: World, context: Context) -> JobSaved:
    """
    Return the definition, with what keeps the job from being activated (G12).

    Raises `Invalid` for what means nothing.
    """
    name = fields.name or job_id
    check_name(name)
    handler = context.catalog.find(fields.handler)
    if handler is None:
        raise unknown_handler(fields.handler, context)
    check_size(fields.config)
    schedule = slots_of(fields.schedule, world.workspace().time_zone)
    notification = notification_of(fields.notification, context, world)
    errors = [*context.catalog.problems(fields.handler, fields.config), *nobody_told(notification)]
    errors += [finding.error for finding in form_errors(schedule)]
    return JobSaved(
        name=name,
        description=fields.description,
        handler=fields.handler,
        config=fields.config,
        policy=fields.policy(handler),
        schedule=schedule,
        notification=notification,
        policies=slot_policies_of(fields.policies),
        on_expiry=fields.on_expiry,
        subtype=fields.subtype,
        errors=tuple(SavedError(path=error.path, code=error.code, detail=error.detail) for error in errors),
    )


def create(job: Ref, definition: JobSaved, expiry: Expiry, world: World, context: Context) -> None:
    """
    Begin a job, as a draft.

    Raises `Conflict` `id_taken` where one of another kind has the id, or had it, and where the workspace has too many.
    """
    refuse_taken(world, job)
    refuse_reserved(job.id, world, context)
    warn_customer(world)
    world.emit(
        connect_stream(context.workspace, job.id),
        JobCreated(
            kind=job.kind,
            name=definition.name,
            description=definition.description,
            handler=definition.handler,
            config=definition.config,
            policy=definition.policy,
            schedule=definition.schedule,
            notification=definition.notification,
            policies=definition.policies,
            on_expiry=definition.on_expiry,
            subtype=definition.subtype,
            errors=definition.errors,
            created_at=context.now,
            expires_on=expiry.on,
            expires_at=expiry.at,
            warn_at=expiry.warn_at,
        ),
    )
    refuse_too_many_jobs(world, context)


def definition_of(job: ConnectJob) -> JobSaved:
    """Return the definition of a job as it was saved."""
    return JobSaved(
        name=job.name,
        description=job.own.description,
        handler=job.handler,
        config=job.config,
        policy=job.policy,
        schedule=undrawn(job.own.schedule),
        notification=job.own.notification,
        policies=job.own.policies,
        on_expiry=job.own.on_expiry,
        subtype=job.subtype,
        errors=job.errors,
    )


def refuse_errors(errors: tuple[SavedError, ...]) -> None:
    """Raise `Invalid` with all that keeps a job from being active."""
    if errors:
        raise Invalid.fields(field_errors(errors))


def field_errors(errors: tuple[SavedError, ...]) -> list[FieldError]:
    """Return what was found when a job was saved as the errors that refuse."""
    return [FieldError(error.path, error.code, error.detail) for error in errors]


def alive_job(job_id: str, world: World, context: Context) -> tuple[Ref, ConnectJob]:
    """Return a job that is in the lists; raises `NotFound`, and `Conflict` `job_expired` once it has expired."""
    job = world.connect_job(job_id)
    if not job.exists:
        raise no_such("job", job_id)
    owner = Ref(kind=job.kind, id=job_id)
    refuse_expired(owner, job.own, context)
    if job.deleted:
        raise no_such("job", job_id)
    return owner, job
