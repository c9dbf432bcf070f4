"""Facts about the groups of a workspace together: which names are taken. These classes are a storage format."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNamed:
    """A group has this name now, and no other group may have it, however it is written (G8)."""

    TYPE: ClassVar[str] = "groups.named"
    SCHEMA: ClassVar[int] = 1

    group: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupUnnamed:
    """A group is gone, and its name is free."""

    TYPE: ClassVar[str] = "groups.unnamed"
    SCHEMA: ClassVar[int] = 1

    group: str


GroupsEvent: TypeAlias = GroupNamed | GroupUnnamed
