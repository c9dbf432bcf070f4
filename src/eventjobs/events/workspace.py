"""
Facts about a workspace.

These classes are a storage format. Add new ones freely; never rename a field, change a TYPE, or edit a golden file.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceCreated:
    """A tenant exists from now on, with the time zone its expiries and labels use."""

    TYPE: ClassVar[str] = "workspace.created"
    SCHEMA: ClassVar[int] = 1

    time_zone: str
    kind: str


WorkspaceEvent: TypeAlias = WorkspaceCreated
