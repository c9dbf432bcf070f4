"""Who may act: keys with their roles, found by their public part. Of a secret only its SHA-256 is here."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.access import KeyIssued, KeyRevoked
from eventjobs.events.recorded import Recorded
from eventjobs.projections.temporal import Projection, Put, Table, Write, json_text

KEYS: Final = Table(
    name="view_keys_1",
    key={"workspace": "text", "id": "text"},
    columns={
        "version": "integer",
        "lookup": "text",
        "secret_sha256": "text",
        "roles": "json",
        "workspaces": "json",
        "read_only": "boolean",
        "expires_at": "timestamptz",
        "issued_at": "timestamptz",
        "issued_by": "text",
        "revoked_at": "timestamptz",
    },
)
MEMBERS: Final = Table(name="view_key_members_1", key={"workspace": "text", "id": "text"}, columns={"member": "text"})
"""Whose a key is, of those that are somebody's."""


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about a key writes."""
    key = (recorded.workspace, recorded.stream.id)
    match recorded.event:
        case KeyIssued() as event:
            issued = {
                "version": 1,
                "lookup": event.lookup,
                "secret_sha256": event.secret_sha256,
                "roles": json_text(event.roles),
                "workspaces": json_text(event.workspaces),
                "read_only": event.read_only,
                "expires_at": event.expires_at,
                "issued_at": recorded.at,
                "issued_by": recorded.actor,
            }
            yield Put(KEYS, key, issued)
            if event.member is not None:
                yield Put(MEMBERS, key, {"member": event.member})
        case KeyRevoked():
            yield Put(KEYS, key, {"revoked_at": recorded.at}, add={"version": 1})
        case _:
            pass  # refused attempts are in the history only


PROJECTION: Final = Projection(
    name="keys", version=1, tables=(KEYS, MEMBERS), events=(KeyIssued, KeyRevoked), project=project
)
