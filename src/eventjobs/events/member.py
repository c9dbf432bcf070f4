"""
Facts about a member: a person of a workspace, their roles there, and which keys are theirs.

These classes are a storage format.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberAdded:
    """
    A person belongs to the workspace from now on; `read_only` beats every role (R108).

    With `issuer` and `subject` it is who the identity provider `issuer` knows as `subject`: they may sign in by it.
    """

    TYPE: ClassVar[str] = "member.added"
    SCHEMA: ClassVar[int] = 2

    name: str
    email: str | None = None
    roles: tuple[str, ...]
    read_only: bool = False
    issuer: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberKeyIssued:
    """A key was issued for the person; it ends with their membership."""

    TYPE: ClassVar[str] = "member.key_issued"
    SCHEMA: ClassVar[int] = 1

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRemoved:
    """The person belongs to the workspace no more, and all their keys were revoked."""

    TYPE: ClassVar[str] = "member.removed"
    SCHEMA: ClassVar[int] = 1


MemberEvent: TypeAlias = MemberAdded | MemberKeyIssued | MemberRemoved
