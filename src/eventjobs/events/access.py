"""
Facts about keys and about attempts that were refused.

A key's secret is never here, only its SHA-256. These classes are a storage format.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyIssued:
    """
    A key may act from now on.

    `lookup` is the public part of the key by which it is found, `secret_sha256` the hex digest of its secret part;
    `workspaces` names workspaces or holds `*`. `member` is the person of this workspace who has it.
    """

    TYPE: ClassVar[str] = "access.key_issued"
    SCHEMA: ClassVar[int] = 2

    lookup: str
    secret_sha256: str
    roles: tuple[str, ...]
    workspaces: tuple[str, ...]
    read_only: bool
    expires_at: datetime | None = None
    member: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevoked:
    """The key may do nothing any more."""

    TYPE: ClassVar[str] = "access.key_revoked"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRefused:
    """Someone known asked for what their roles do not allow; nothing else was written (403)."""

    TYPE: ClassVar[str] = "access.attempt_refused"
    SCHEMA: ClassVar[int] = 1

    workspace: str
    action: str
    needed: tuple[str, ...]


AccessEvent: TypeAlias = KeyIssued | KeyRevoked | AttemptRefused
