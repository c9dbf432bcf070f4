"""
Who of those whom an identity provider knows is a member, where, and with which roles.

All are in memory and followed from the log, as keys are: who was removed is refused on the next request.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from eventjobs.auth.following import Following
from eventjobs.domain.access import Grant, actor_of_member
from eventjobs.events.member import MemberAdded, MemberRemoved
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.port import EventLog, Filter

MEMBER_FACTS: Final = Filter(types=(MemberAdded.TYPE, MemberRemoved.TYPE))


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the identity provider `issuer` calls `subject`; nobody else is ever called so there."""

    issuer: str
    subject: str

    @property
    def lookup(self) -> str:
        """The short name by which what they use up is counted."""
        digest = hashlib.sha256(f"{self.issuer}\n{self.subject}".encode()).hexdigest()
        return f"oidc:{digest[:32]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What a person may do in one workspace; `since` is the position of the fact that says so."""

    stream: StreamId
    name: str
    roles: frozenset[str]
    read_only: bool
    since: int

    @property
    def member(self) -> str:
        """The member's id in the workspace."""
        return self.stream.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member of some workspaces; `memberships` by workspace, one at least."""

    identity: Identity
    memberships: Mapping[str, Membership]
    grant: Grant

    @property
    def lookup(self) -> str:
        """The short name by which what they use up is counted."""
        return self.identity.lookup

    def actor_in(self, workspace: str) -> str:
        """Their name in events of `workspace`; where they are no member, what they are elsewhere."""
        one = self.memberships.get(workspace) or self.memberships[min(self.memberships)]
        return actor_of_member(one.stream.workspace, one.member)


class PeopleSource(Protocol):
    """Where the register starts from, so that it need not read the whole log."""

    async def load(self) -> tuple[int, Iterable[tuple[Identity, Membership]]]:
        """Return the position up to which everybody is known, and everybody, each with what they may do somewhere."""
        ...


class People:
    """The register of persons who may sign in."""

    def __init__(self, log: EventLog, source: PeopleSource | None = None) -> None:
        self._source = source
        self._following = Following(log, MEMBER_FACTS, self._apply)
        self._memberships: dict[Identity, dict[StreamId, Membership]] = {}
        self._identities: dict[StreamId, Identity] = {}

    @property
    def position(self) -> int:
        """The position up to which everybody is known."""
        return self._following.position

    async def load(self) -> None:
        """Take the source's people, then read the log to its head."""
        position = self._following.position
        if self._source is not None:
            position, everybody = await self._source.load()
            for identity, membership in everybody:
                self._keep(identity, membership)
        await self._following.begin(position)

    async def find(self, identity: Identity) -> Person | None:
        """Return the person as they are now, `None` where they are a member of nothing."""
        await self._following.catch_up()
        return _person(identity, self._of(identity))

    async def find_again(self, identity: Identity, position: int) -> Person | None:
        """Return the person with those memberships alone that they had at `position` and have now."""
        await self._following.catch_up()
        return _person(identity, [one for one in self._of(identity) if one.since <= position])

    def _apply(self, fact: Recorded[Any]) -> None:
        match fact.event:
            case MemberAdded(issuer=str(issuer), subject=str(subject)) as added:
                self._keep(Identity(issuer, subject), added_membership(fact.stream, added, fact.position))
            case MemberRemoved() if fact.stream in self._identities:
                del self._memberships[self._identities.pop(fact.stream)][fact.stream]
            case _:
                pass  # who signs in nowhere

    def _of(self, identity: Identity) -> Iterable[Membership]:
        return self._memberships.get(identity, {}).values()

    def _keep(self, identity: Identity, membership: Membership) -> None:
        self._memberships.setdefault(identity, {})[membership.stream] = membership
        self._identities[membership.stream] = identity


def added_membership(stream: StreamId, added: MemberAdded, position: int) -> Membership:
    """Return what a fact lets a person do."""
    return Membership(
        stream=stream, name=added.name, roles=frozenset(added.roles), read_only=added.read_only, since=position
    )


def _person(identity: Identity, memberships: Iterable[Membership]) -> Person | None:
    """Whoever was added to a workspace twice acts there as they were added first."""
    latest_first = sorted(memberships, key=lambda one: -one.since)
    by_workspace = {one.stream.workspace: one for one in latest_first}
    if not by_workspace:
        return None
    grants = {
        workspace: Grant(roles=one.roles, workspaces=frozenset({workspace}), read_only=one.read_only)
        for workspace, one in by_workspace.items()
    }
    grant = Grant(roles=frozenset(), workspaces=frozenset(grants), memberships=grants)
    return Person(identity=identity, memberships=by_workspace, grant=grant)
