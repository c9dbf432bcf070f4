"""
Facts about one integration definition, in the workspace that publishes it.

Each publication is a whole new version, and no workspace follows it before it is synced (R69). These classes are
a storage format.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionPublished:
    """The definition's content is this from `version` on, in the shape in which it was sent."""

    TYPE: ClassVar[str] = "definition.published"
    SCHEMA: ClassVar[int] = 1

    version: int
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionRegistered:
    """The workspace `by` has it registered, and will be among the targets of a sync of all."""

    TYPE: ClassVar[str] = "definition.registered"
    SCHEMA: ClassVar[int] = 1

    by: str


DefinitionEvent: TypeAlias = DefinitionPublished | DefinitionRegistered
