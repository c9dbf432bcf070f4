"""Who belongs to a workspace, with their roles there."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.member import MemberAdded, MemberRemoved
from eventjobs.events.recorded import Recorded
from eventjobs.projections.temporal import Projection, Put, Table, Write, json_text

MEMBERS: Final = Table(
    name="view_members_1",
    key={"workspace": "text", "id": "text"},
    columns={
        "version": "integer",
        "name": "text",
        "email": "text",
        "roles": "json",
        "read_only": "boolean",
        "added_at": "timestamptz",
        "added_by": "text",
        "removed_at": "timestamptz",
    },
)
IDENTITIES: Final = Table(
    name="view_member_identities_1",
    key={"workspace": "text", "id": "text"},
    columns={"issuer": "text", "subject": "text"},
)
"""Whom an identity provider knows a member as; nulls for who only has keys."""


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about a member writes."""
    key = (recorded.workspace, recorded.stream.id)
    match recorded.event:
        case MemberAdded() as event:
            added = {
                "name": event.name,
                "email": event.email,
                "roles": json_text(event.roles),
                "read_only": event.read_only,
                "added_at": recorded.at,
                "added_by": recorded.actor,
                "removed_at": None,
            }
            yield Put(MEMBERS, key, added, add={"version": 1})
            yield Put(IDENTITIES, key, {"issuer": event.issuer, "subject": event.subject})
        case MemberRemoved():
            yield Put(MEMBERS, key, {"removed_at": recorded.at}, add={"version": 1})
        case _:
            pass  # whose a key is stands with the keys


PROJECTION: Final = Projection(
    name="members", version=1, tables=(MEMBERS, IDENTITIES), events=(MemberAdded, MemberRemoved), project=project
)
