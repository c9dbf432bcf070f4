"""
Add a person to a workspace, with their roles there.

A person acts with keys that were issued to them, which have no more rights than they have, or signs in by the identity
provider that knows them. Both end with their membership. Other roles are given by removing and adding the person again;
they take effect with a new key or a new log-in (R108).
"""

from typing import Annotated, Final

from pydantic import Field

from eventjobs.commands.context import Context
from eventjobs.commands.issue_key import Role
from eventjobs.commands.spec import PLAIN, CommandFields, CommandSpec, Id, Name
from eventjobs.commands.world import World
from eventjobs.domain.access import ADMINISTRATOR
from eventjobs.domain.recipient import is_address
from eventjobs.domain.streams import member_stream
from eventjobs.errors import Conflict, Invalid
from eventjobs.events.member import MemberAdded


class AddMember(CommandFields):
    """A person; `read_only` beats their roles. Whom `issuer` knows as `subject` may sign in as them."""

    id: Id
    name: Name
    email: Annotated[str, Field(max_length=320)] | None = None
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=7)]
    read_only: bool = False
    issuer: Annotated[str, Field(min_length=1, max_length=500), PLAIN] | None = None
    subject: Annotated[str, Field(min_length=1, max_length=255), PLAIN] | None = None


def decide(command: AddMember, world: World, context: Context) -> None:
    """Add the person; again decides nothing, and other content is refused while they are there."""
    if command.email is not None and not is_address(command.email):
        raise Invalid.at("email", "recipient_invalid", "one plain address is needed, e.g. ops@example.org")
    for missing, given in (("issuer", command.subject), ("subject", command.issuer)):
        if given is not None and getattr(command, missing) is None:
            raise Invalid.at(missing, "missing", "who signs in is known by issuer and subject together")
    wanted = MemberAdded(
        name=command.name,
        email=command.email,
        roles=tuple(sorted(set(command.roles))),
        read_only=command.read_only,
        issuer=command.issuer,
        subject=command.subject,
    )
    present = world.member(command.id).added
    if present == wanted:
        return
    if present is not None:
        raise Conflict("id_taken", f"there is a member {command.id!r} with other content; remove them first")
    world.emit(member_stream(context.workspace, command.id), wanted)


SPEC: Final = CommandSpec(
    name="AddMember",
    command=AddMember,
    streams=lambda command, context: [member_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({ADMINISTRATOR}),
    summary="Add a person to the workspace, with their roles",
    example={"id": "ada", "name": "Ada Lovelace", "email": "ada@example.org", "roles": ["operator"]},
)
