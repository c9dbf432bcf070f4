"""Remove a person from a workspace: all their keys are revoked in the same append."""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import ADMINISTRATOR
from eventjobs.domain.streams import key_stream, member_stream
from eventjobs.events.access import KeyRevoked
from eventjobs.events.member import MemberRemoved


class RemoveMember(CommandFields):
    """The person to remove."""

    id: Id


def decide(command: RemoveMember, world: World, context: Context) -> None:
    """Remove the person and revoke their keys; again decides nothing."""
    present = world.member(command.id)
    if not present.definition_version:
        raise no_such("member", command.id)
    if present.added is None:
        return
    world.need(key_stream(context.workspace, key) for key in present.keys)
    world.emit(member_stream(context.workspace, command.id), MemberRemoved())
    for key in present.keys:
        if not world.key(key).revoked:
            world.emit(key_stream(context.workspace, key), KeyRevoked())


SPEC: Final = CommandSpec(
    name="RemoveMember",
    command=RemoveMember,
    streams=lambda command, context: [member_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({ADMINISTRATOR}),
    summary="Remove a person from the workspace and revoke their keys",
    example={"id": "ada"},
)
