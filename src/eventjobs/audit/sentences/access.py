"""Sentences about keys, who has them, and what was refused to them."""

from collections.abc import Mapping
from typing import Final

from eventjobs.audit.sentences.words import Data, Teller, at, listed


def _key_issued(key: str, data: Data) -> str:
    only = ", read only" if data["read_only"] else ""
    until = f", until {at(data['expires_at'])}" if data.get("expires_at") else ""
    places = ["every workspace" if place == "*" else place for place in data["workspaces"]]
    to = f" to {data['member']}" if data.get("member") else ""
    return f"Key {key} was issued{to}: {listed(data['roles'])} in {listed(places)}{only}{until}."


def _member_added(member: str, data: Data) -> str:
    only = ", read only" if data["read_only"] else ""
    by = f", who signs in as {data['subject']} by {data['issuer']}" if data.get("subject") else ""
    return f"{data['name']} was added as the member {member}: {listed(data['roles'])}{only}{by}."


def _refused(_: str, data: Data) -> str:
    return f"{data['action']} in workspace {data['workspace']} was refused: it needs {listed(data['needed'], 'or')}."


TELLERS: Final[Mapping[str, Teller]] = {
    "access.attempt_refused": _refused,
    "access.key_issued": _key_issued,
    "access.key_revoked": lambda key, _: f"Key {key} was revoked.",
    "member.added": _member_added,
    "member.key_issued": lambda member, data: f"The member {member} was issued key {data['key']}.",
    "member.removed": lambda member, _: f"The member {member} was removed, and all their keys were revoked.",
}
