"""What a decision may know about an integration definition: its newest version, and who has it registered."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from eventjobs.events.definition import DefinitionEvent, DefinitionPublished, DefinitionRegistered


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """
    A definition as its stream tells it; `version` 0 is one that was never published.

    `content` is the newest version's, `registered_by` are the workspaces that have it, in their order.
    """

    version: int = 0
    content: Mapping[str, Any] = field(default_factory=dict)
    registered_by: tuple[str, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether it was published."""
        return self.version > 0

    @property
    def definition_version(self) -> int:
        """What If-Match compares: publications alone change a definition."""
        return self.version


INITIAL = Definition()


def evolve(definition: Definition, event: DefinitionEvent) -> Definition:
    """Move the definition by one fact."""
    match event:
        case DefinitionPublished():
            return replace(definition, version=event.version, content=event.content)
        case DefinitionRegistered():
            return replace(definition, registered_by=(*definition.registered_by, event.by))
        case _:
            assert_never(event)
