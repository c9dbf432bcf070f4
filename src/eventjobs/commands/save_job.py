"""
Save a Connect job: a new one as a draft, another one from its next start on (G12, G54, G78).

A draft is saved with its errors, which are told; an active one is not.
"""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.connect_fields import expiry_of
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.job_saving import (
    ConnectJobFields,
    alive_job,
    create,
    definition_of,
    field_errors,
    refuse_errors,
    saved,
)
from eventjobs.commands.qualifying import refuse_member
from eventjobs.commands.slot_activity import findings_of, is_due_otherwise, reschedule, set_expiry
from eventjobs.commands.slot_fields import tell
from eventjobs.commands.spec import CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.slots import undrawn
from eventjobs.domain.streams import connect_stream, flow_stream, service_stream, workspace_stream
from eventjobs.errors import Conflict, Invalid
from eventjobs.events.run import Ref
from eventjobs.events.slots import SlotType


class SaveJob(ConnectJobFields):
    """The job's whole definition."""

    id: Id | None = None


def job_id(command: SaveJob, context: Context) -> str:
    """The given id, or one made from the command's."""
    return command.id or context.command_id


def decide(command: SaveJob, world: World, context: Context) -> None:
    """Save it; the same again decides nothing."""
    if not world.workspace().exists:
        raise no_such("workspace", context.workspace)
    the_id = job_id(command, context)
    if world.connect_job(the_id).exists:
        _save(command, the_id, world, context)
    else:
        if command.expires_on is None:
            raise Invalid.at("expires_on", "expiration_required", "a job has a last day, or never expires")
        expiry = expiry_of(command.expires_on, context.now, world, context)
        create(Ref(kind=command.kind, id=the_id), saved(command, the_id, world, context), expiry, world, context)
    job = world.connect_job(the_id)
    if not job.own.active:
        tell(findings_of(job.own, undrawn(job.own.schedule), context), world, field_errors(job.errors))


def _save(command: SaveJob, the_id: str, world: World, context: Context) -> None:
    owner, present = alive_job(the_id, world, context)
    if present.kind != command.kind:
        raise Conflict("id_taken", f"the id {the_id!r} is taken by a job of kind {present.kind}")
    definition = saved(command, the_id, world, context)
    settle_due(world, context, owner)
    owner, present = alive_job(the_id, world, context)
    if command.expires_on not in (None, present.own.expires_on or "never"):
        created = present.own.created_at or context.now
        set_expiry(world, context, owner, expiry_of(command.expires_on, created, world, context))
    if definition != definition_of(present):
        if present.own.active:
            refuse_errors(definition.errors)
        if definition.schedule.type is not SlotType.ON_DEMAND:
            refuse_member(present, the_id, world, context, force=False)
        otherwise = is_due_otherwise(present.own, definition.schedule, definition.policies.timing)
        world.emit(connect_stream(context.workspace, the_id), definition)
        if present.own.active and otherwise:
            reschedule(world, context, owner, definition.schedule)


SPEC: Final = CommandSpec(
    name="SaveJob",
    command=SaveJob,
    streams=lambda command, context: [
        connect_stream(context.workspace, job_id(command, context)),
        flow_stream(context.workspace, job_id(command, context)),
        service_stream(context.workspace, job_id(command, context)),
        workspace_stream(context.workspace),
    ],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Save a Connect job",
    example={
        "id": "contacts",
        "kind": "import",
        "name": "Contacts",
        "handler": "csv.import",
        "config": {"source": "contacts.csv", "table": "contacts", "mode": "replace"},
        "expires_on": "never",
        "schedule": {"type": "on_demand"},
        "notification": {"mode": "failure", "recipients": ["ops@example.org"]},
    },
)
