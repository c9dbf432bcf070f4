"""Revoke a key: it may do nothing from the next request on."""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import ADMINISTRATOR
from eventjobs.domain.streams import key_stream
from eventjobs.errors import Forbidden
from eventjobs.events.access import KeyRevoked


class RevokeKey(CommandFields):
    """The key to revoke."""

    id: Id


def decide(command: RevokeKey, world: World, context: Context) -> None:
    """Revoke it; again decides nothing."""
    present = world.key(command.id)
    if present.grant is None:
        raise no_such("key", command.id)
    for workspace in sorted(present.grant.workspaces):
        if context.grant is not None and not context.grant.may_write(frozenset({ADMINISTRATOR}), workspace):
            raise Forbidden("forbidden", f"you are no administrator of {workspace!r}")
    if not present.revoked:
        world.emit(key_stream(context.workspace, command.id), KeyRevoked())


SPEC: Final = CommandSpec(
    name="RevokeKey",
    command=RevokeKey,
    streams=lambda command, context: [key_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({ADMINISTRATOR}),
    summary="Revoke a key",
    example={"id": "ci"},
)
