"""
Facts about a workspace.

These classes are a storage format. Add new ones freely; never rename a field, change a TYPE, or edit a golden file.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceCreated:
    """A tenant exists from now on, with the time zone its expiries and labels use."""

    TYPE: ClassVar[str] = "workspace.created"
    SCHEMA: ClassVar[int] = 1

    time_zone: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceStartsHeld:
    """
    No run starts in the workspace from `since` on, until `until` or until somebody releases it.

    In the stream `workspace:*` of the workspace `*` it is the whole deployment. `by` is who holds, which whoever is
    refused is told.
    """

    TYPE: ClassVar[str] = "workspace.starts_held"
    SCHEMA: ClassVar[int] = 1

    since: datetime
    until: datetime | None = None
    note: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceStartsReleased:
    """The hold is over from `since` on; nothing runs for it."""

    TYPE: ClassVar[str] = "workspace.starts_released"
    SCHEMA: ClassVar[int] = 1

    since: datetime
    note: str = ""


WorkspaceEvent: TypeAlias = WorkspaceCreated | WorkspaceStartsHeld | WorkspaceStartsReleased
