"""What a decision may know about a key, and what roles allow (R105-R111)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, assert_never

from eventjobs.events.access import AccessEvent, AttemptRefused, KeyIssued, KeyRevoked
from eventjobs.ids import EVERYWHERE

READER: Final = "reader"
OPERATOR: Final = "operator"
FLOW_AUTHOR: Final = "flow_author"
INTEGRATION_AUTHOR: Final = "integration_author"
DATA_DIRECTOR: Final = "data_director"
AUDITOR: Final = "auditor"
ADMINISTRATOR: Final = "administrator"
CALENDAR: Final = "calendar"
"""No person's role: what has it opens the calendar of coming occurrences, in its address, and nothing else."""
ROLES: Final = (READER, OPERATOR, FLOW_AUTHOR, INTEGRATION_AUTHOR, DATA_DIRECTOR, AUDITOR, ADMINISTRATOR)
ANY_ROLE: Final = frozenset(ROLES)
HISTORIANS: Final = frozenset({AUDITOR, ADMINISTRATOR})
"""Who sees the history and the keys."""
OPERATORS: Final = frozenset({OPERATOR, ADMINISTRATOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """
    The rights of one caller: roles in workspaces; `read_only` beats every role (R108).

    A key has the same roles in all of its workspaces. A person who signed in has those of `memberships`, by workspace,
    and no others.
    """

    roles: frozenset[str]
    workspaces: frozenset[str]
    read_only: bool = False
    expires_at: datetime | None = None
    memberships: Mapping[str, "Grant"] = field(default_factory=dict)

    def within(self, workspace: str) -> "Grant":
        """Return the rights that count in `workspace`: those of its member, or else of the deployment's."""
        return self.memberships.get(workspace, self.memberships.get(EVERYWHERE, self))

    @property
    def is_for_calendars(self) -> bool:
        """Whether it opens calendars in their address, and is no key to anything else."""
        return CALENDAR in self.roles

    def covers(self, workspace: str) -> bool:
        """Tell whether the caller has anything to do with `workspace` (`*`: the whole deployment)."""
        return EVERYWHERE in self.workspaces or workspace in self.workspaces

    def may_write(self, roles: frozenset[str], workspace: str) -> bool:
        """Tell whether one of `roles` lets it change `workspace`."""
        return not self.within(workspace).read_only and self.may_read(roles, workspace)

    def may_read(self, roles: frozenset[str], workspace: str) -> bool:
        """Tell whether one of `roles` lets it see what they show in `workspace`."""
        return self.covers(workspace) and not self.within(workspace).roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key; `grant` is `None` until it was issued, `member` is who has it."""

    grant: Grant | None = None
    member: str | None = None
    lookup: str = ""
    secret_sha256: str = ""
    revoked: bool = False
    definition_version: int = 0


INITIAL = Key()


def actor_of(workspace: str, key_id: str) -> str:
    """Return a key's name in events: `key:<id>` for one of the deployment, else `key:<workspace>/<id>`."""
    return f"key:{key_id}" if workspace == EVERYWHERE else f"key:{workspace}/{key_id}"


def key_of(actor: str, workspace: str) -> str | None:
    """Return the id of the workspace's key that acts by this name, `None` for whoever else does."""
    return _after(actor_of(workspace, ""), actor)


def actor_of_member(workspace: str, member_id: str) -> str:
    """Return the name in events of a member who signed in."""
    return f"member:{workspace}/{member_id}"


def member_of(actor: str, workspace: str) -> str | None:
    """Return the id of the workspace's member who acts by this name, `None` for whoever else does."""
    return _after(actor_of_member(workspace, ""), actor)


def _after(prefix: str, text: str) -> str | None:
    return text.removeprefix(prefix) if text.startswith(prefix) else None


def evolve(key: Key, event: AccessEvent) -> Key:
    """Move the key by one fact."""
    match event:
        case KeyIssued():
            grant = Grant(
                roles=frozenset(event.roles),
                workspaces=frozenset(event.workspaces),
                read_only=event.read_only,
                expires_at=event.expires_at,
            )
            return replace(
                key,
                grant=grant,
                member=event.member,
                lookup=event.lookup,
                secret_sha256=event.secret_sha256,
                definition_version=1,
            )
        case KeyRevoked():
            return replace(key, revoked=True, definition_version=key.definition_version + 1)
        case AttemptRefused():
            return key
        case _:
            assert_never(event)
