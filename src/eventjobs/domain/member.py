"""What a decision may know about a member: who it is, which rights they have, and which keys are theirs."""

from dataclasses import dataclass, replace
from typing import assert_never

from eventjobs.events.member import MemberAdded, MemberEvent, MemberKeyIssued, MemberRemoved


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person of a workspace; `added` is `None` before they came and after they were removed."""

    added: MemberAdded | None = None
    keys: tuple[str, ...] = ()
    definition_version: int = 0


INITIAL = Member()


def evolve(member: Member, event: MemberEvent) -> Member:
    """Move the member by one fact."""
    match event:
        case MemberAdded():
            return replace(member, added=event, definition_version=member.definition_version + 1)
        case MemberKeyIssued():
            return replace(member, keys=(*member.keys, event.key))
        case MemberRemoved():
            return Member(definition_version=member.definition_version + 1)
        case _:
            assert_never(event)
