"""
Copy a Connect job: a new draft that is defined as the job is, or was when it was deleted or expired.

Its group and its runs are not copied.
"""

from dataclasses import replace
from typing import Final

from eventjobs.commands.connect_fields import ConnectName, LastDay, check_name, expiry_of
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.job_saving import create, definition_of
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.streams import connect_stream, flow_stream, service_stream, workspace_stream
from eventjobs.errors import Conflict
from eventjobs.events.run import Ref


class CopyJob(CommandFields):
    """
    The job, and the id of its copy, which else is made.

    Without `name` and `expires_on` the copy is called as the job is, and expires with it.
    """

    id: Id
    new_id: Id | None = None
    name: ConnectName | None = None
    expires_on: LastDay | None = None


def copy_id(command: CopyJob, context: Context) -> str:
    """The given id, or one made from the command's."""
    return command.new_id or context.command_id


def decide(command: CopyJob, world: World, context: Context) -> None:
    """Create the copy; the same again decides nothing. Raises `Conflict` `id_taken`."""
    original = world.connect_job(command.id)
    if not original.exists:
        raise no_such("job", command.id)
    the_id, name = copy_id(command, context), command.name or original.name
    check_name(name)
    definition = replace(definition_of(original), name=name)
    expiry = expiry_of(command.expires_on or original.own.expires_on or "never", context.now, world, context)
    present = world.connect_job(the_id)
    if not present.exists:
        create(Ref(kind=original.kind, id=the_id), definition, expiry, world, context)
    elif not present.own.drafted or (definition_of(present), present.own.expires_on) != (definition, expiry.on):
        raise Conflict("id_taken", f"the id {the_id!r} is taken")


SPEC: Final = CommandSpec(
    name="CopyJob",
    command=CopyJob,
    streams=lambda command, context: [
        connect_stream(context.workspace, copy_id(command, context)),
        connect_stream(context.workspace, command.id),
        flow_stream(context.workspace, copy_id(command, context)),
        service_stream(context.workspace, copy_id(command, context)),
        workspace_stream(context.workspace),
    ],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Copy a Connect job",
    example={"id": "contacts", "new_id": "contacts-emea", "name": "Contacts EMEA"},
)
