"""
Issue a key; its secret is in this one answer and nowhere else.

The key's text is `ej_<lookup>_<secret>`; the log keeps the lookup and the secret's SHA-256. Nobody issues rights that
they do not have: an administrator of named workspaces grants roles in those only. A key for a member has no more rights
than they have, and ends with their membership. A key for calendars stands in an address that other programs keep, so it
may only read, ends within a year, and opens nothing else.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from eventjobs.commands.context import Context
from eventjobs.commands.fields import check_instant
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import ADMINISTRATOR, CALENDAR, Key
from eventjobs.domain.streams import key_stream, member_stream
from eventjobs.errors import Conflict, Forbidden, Invalid
from eventjobs.events.access import KeyIssued
from eventjobs.events.member import MemberKeyIssued

Role = Literal["reader", "operator", "flow_author", "integration_author", "data_director", "auditor", "administrator"]
KeyRole = Role | Literal["calendar"]
Scope = Annotated[str, Field(pattern=r"^(\*|[a-z0-9][a-z0-9._-]{0,39})$")]
KEYS_MAX: Final = 1_000
"""How many keys a member is issued, revoked ones included: all are revoked together."""
CALENDAR_LIFE_MAX: Final = timedelta(days=366)
LOOKUP_BYTES: Final = 9
SECRET_BYTES: Final = 32


class IssueKey(CommandFields):
    """A new key, of a `member` or of nobody in person; without `workspaces` for the workspace it is issued in."""

    id: Id | None = None
    roles: Annotated[tuple[KeyRole, ...], Field(min_length=1, max_length=7)]
    workspaces: Annotated[tuple[Scope, ...], Field(max_length=1000)] | None = None
    read_only: bool = False
    expires_at: datetime | None = None
    member: Id | None = None


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
    if command.member is not None:
        _check_member(command.member, command, workspaces, world)
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
            member=command.member,
        ),
    )
    if command.member is not None:
        world.emit(member_stream(context.workspace, command.member), MemberKeyIssued(key=the_id))
    world.answer.update(id=the_id)
    world.secrets["secret"] = f"ej_{lookup}_{secret}"


def _check(command: IssueKey, workspaces: tuple[str, ...], context: Context) -> None:
    if command.expires_at is not None:
        check_instant("expires_at", command.expires_at)
        if command.expires_at <= context.now:
            raise Invalid.at("expires_at", "in_the_past", "the key would have expired already")
    if CALENDAR in command.roles:
        _check_calendar(command, context)
    grant = context.grant
    for workspace in workspaces:
        if grant is not None and not grant.may_write(frozenset({ADMINISTRATOR}), workspace):
            raise Forbidden("forbidden", f"you are no administrator of {workspace!r}")


def _check_calendar(command: IssueKey, context: Context) -> None:
    if set(command.roles) != {CALENDAR}:
        raise Invalid.at("roles", "calendar_key", "a key for calendars has no other role")
    if not command.read_only:
        raise Invalid.at("read_only", "calendar_key", "a key for calendars may only read")
    if command.expires_at is None or command.expires_at > context.now + CALENDAR_LIFE_MAX:
        raise Invalid.at("expires_at", "calendar_key", f"a key for calendars ends within {CALENDAR_LIFE_MAX.days} days")


def _check_member(member: str, command: IssueKey, workspaces: tuple[str, ...], world: World) -> None:
    person, keys = world.member(member).added, world.member(member).keys
    if person is None:
        raise Invalid.at("member", "unknown_member", f"there is no member {member!r}")
    beyond = sorted(set(command.roles) - {CALENDAR, *person.roles})
    if beyond:
        raise Invalid.at("roles", "beyond_member", f"{member!r} has no role {', '.join(beyond)} here")
    if person.read_only and not command.read_only:
        raise Invalid.at("read_only", "beyond_member", f"{member!r} may only read")
    if workspaces != (world.workspace_id,):
        raise Invalid.at("workspaces", "beyond_member", f"{member!r} is a member of {world.workspace_id!r} alone")
    if len(keys) >= KEYS_MAX:
        raise Conflict("too_many_keys", f"{member!r} was issued {KEYS_MAX} keys; remove and add them again")


def _same(command: IssueKey, workspaces: tuple[str, ...], present: Key) -> bool:
    grant = present.grant
    return grant is not None and (
        present.member,
        grant.roles,
        grant.workspaces,
        grant.read_only,
        grant.expires_at,
    ) == (
        command.member,
        frozenset(command.roles),
        frozenset(workspaces),
        command.read_only,
        command.expires_at,
    )


SPEC: Final = CommandSpec(
    name="IssueKey",
    command=IssueKey,
    streams=lambda command, context: [
        key_stream(context.workspace, key_id(command, context)),
        *([member_stream(context.workspace, command.member)] if command.member else []),
    ],
    decide=decide,
    creates=True,
    roles=frozenset({ADMINISTRATOR}),
    summary="Issue a key; its secret is shown once",
    example={"id": "ci", "roles": ["operator"], "workspaces": ["acme"], "read_only": False},
)
