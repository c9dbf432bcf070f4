"""What a decision may know about the groups of a workspace together: how many there are, and how they are called."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from eventjobs.events.groups import GroupNamed, GroupsEvent, GroupUnnamed


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The groups that are in the lists, by their names as they are compared."""

    names: Mapping[str, str] = field(default_factory=dict)

    def named(self, name: str) -> str | None:
        """Return the group of a name, if there is one."""
        return self.names.get(name.casefold())


INITIAL = Groups()


def evolve(groups: Groups, event: GroupsEvent) -> Groups:
    """Move them by one fact."""
    others = {name: group for name, group in groups.names.items() if group != event.group}
    match event:
        case GroupNamed():
            return replace(groups, names={**others, event.name.casefold(): event.group})
        case GroupUnnamed():
            return replace(groups, names=others)
        case _:
            assert_never(event)
