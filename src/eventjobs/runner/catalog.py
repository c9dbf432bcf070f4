"""The installed handlers, as decisions see them."""

from collections.abc import Mapping, Sequence
from typing import Any

from eventjobs.commands.context import HandlerFacts
from eventjobs.errors import FieldError, Invalid
from eventjobs.handlers.registry import Registry


class Catalog:
    """A `HandlerCatalog` over the registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def find(self, name: str) -> HandlerFacts | None:
        """Return the facts of the handler `name`, or `None`."""
        try:
            handler = self._registry.get(name)
        except Invalid:
            return None
        return HandlerFacts(delivery=handler.delivery, interruption_counts=handler.interruption_counts)

    def names(self) -> Sequence[str]:
        """Return the names of all handlers, sorted."""
        return self._registry.names()

    def schema(self, name: str) -> Mapping[str, Any]:
        """Return the JSON schema of an installed handler's configuration."""
        return self._registry.schema(name)

    def problems(self, name: str, config: Mapping[str, Any]) -> Sequence[FieldError]:
        """Return what is wrong with a configuration, with paths under `config`."""
        return self._registry.problems(name, config)
