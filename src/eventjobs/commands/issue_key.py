"""
Issue a key; its secret is in this one answer and nowhere else.

The key's text is `ej_<lookup>_<secret>`; the log keeps the lookup and the secret's SHA-256. Nobody issues rights that
they do not have: an administrator of named workspaces grants roles in those only.
"""

import hashlib
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from eventjobs.commands.context import Context
from eventjobs.commands.fields import check_instant
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import ADMINISTRATOR, Key
from eventjobs.domain.streams import key_stream
from eventjobs.errors import Conflict, Forbidden, Invalid
from eventjobs.events.access import KeyIssued

Role = Literal["reader", "operator", "flow_author", "integration_author", "data_director", "auditor", "administrator"]
Scope = Annotated[str, Field(pattern=r"^(\*|[a-z0-9][a-z0-9._-]{0,39})$")]
LOOKUP_BYTES: Final = 9
SECRET_BYTES: Final = 32


class IssueKey(CommandFields):
    """A new key; without `workspaces` it is for the workspace it is issued in."""

    id: Id | None = None
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=7)]
    workspaces: Annotated[tuple[Scope, ...], Field(max_length=1000)] | None = None
    read_only: bool = False
    expires_at: datetime | None = None


def key_id(command: IssueKey, context: Context) -> str:
    """The given id, or one made from the command's."""
    return command.id or context.command_id


def decide(command: IssueKey, world: World, context: Context) -> None:
    """Issue it, if there is none of that id; the same key again shows no secret."""
    workspaces = tuple(sorted(set(command.workspaces or (context.workspace,))))
    _check(command, workspaces, context)
    the_id = key_id(command, context)
    present = world.key(the_id)
    if present.grant is not None:
        if present.revoked or not _same(command, workspaces, present):
            raise Conflict("id_taken", f"the id {the_id!r} is taken")
        world.answer.update(id=the_id)
        world.secrets["secret"] = None
        return
    secret, lookup = context.random.token(SECRET_BYTES), context.random.token(LOOKUP_BYTES).replace("_", "-")
    world.emit(
        key_stream(context.workspace, the_id),
        KeyIssued(
            lookup=lookup,
            secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
            roles=tuple(sorted(set(command.roles))),
            workspaces=workspaces,
            read_only=command.read_only,
            expires_at=command.expires_at,
        ),
    )
    world.answer.update(id=the_id)
    world.secrets["secret"] = f"ej_{lookup}_{secret}"


def _check(command: IssueKey, workspaces: tuple[str, ...], context: Context) -> None:
    if command.expires_at is not None:
        check_instant("expires_at", command.expires_at)
        if command.expires_at <= context.now:
            raise Invalid.at("expires_at", "in_the_past", "the key would have expired already")
    grant = context.grant
    for workspace in workspaces:
        if grant is not None and not grant.may_write(frozenset({ADMINISTRATOR}), workspace):
            raise Forbidden("forbidden", f"you are no administrator of {workspace!r}")


def _same(command: IssueKey, workspaces: tuple[str, ...], present: Key) -> bool:
    grant = present.grant
    return grant is not None and (grant.roles, grant.workspaces, grant.read_only, grant.expires_at) == (
        frozenset(command.roles),
        frozenset(workspaces),
        command.read_only,
        command.expires_at,
    )


SPEC: Final = CommandSpec(
    name="IssueKey",
    command=IssueKey,
    streams=lambda command, context: [key_stream(context.workspace, key_id(command, context))],
    decide=decide,
    creates=True,
    roles=frozenset({ADMINISTRATOR}),
    summary="Issue a key; its secret is shown once",
    example={"id": "ci", "roles": ["operator"], "workspaces": ["acme"], "read_only": False},
)
