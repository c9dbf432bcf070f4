"""
The handlers by name, found through the entry-point group `eventjobs.handlers` and imported when first needed.

Another distribution adds one with a line in its own `pyproject.toml`; a name that two of them claim is refused.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from eventjobs.errors import FieldError, Invalid
from eventjobs.handlers.context import HandlerContext, Result, Suspended

GROUP: Final = "eventjobs.handlers"

Delivery: TypeAlias = Literal["at_least_once", "at_most_once"]
ConfigT = TypeVar("ConfigT", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler(Generic[ConfigT]):
    """
    One kind of work.

    `delivery` is the default where the job says nothing. `interruption_counts` is False where a crash in the middle
    leaves nothing behind, so that it need not use up an attempt.
    """

    name: str
    summary: str
    config: type[ConfigT]
    run: Callable[[HandlerContext, ConfigT], Awaitable[Result | Suspended]]
    delivery: Delivery = "at_most_once"
    interruption_counts: bool = True


@dataclass(slots=True)
class Registry:
    """
    Names to handlers. Build it with `Registry.load()`, or from a mapping in tests.

    `rules` is passed to the configurations' validators (`{"outbound": …}`), so that what the deployment does not allow
    is refused when a job is defined.
    """

    handlers: Mapping[str, Handler[Any] | Callable[[], Handler[Any]]]
    rules: Mapping[str, Any] = field(default_factory=dict)
    _imported: dict[str, Handler[Any]] = field(default_factory=dict)
    _schemas: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, rules: Mapping[str, Any] | None = None) -> "Registry":
        """Find what is installed; nothing is imported yet."""
        found: dict[str, Any] = {}
        for point in entry_points(group=GROUP):
            if point.name in found and found[point.name].value != point.value:
                raise Invalid("handler_name_taken", f"two installed packages offer the handler {point.name}")
            found[point.name] = point
        return cls({name: point.load for name, point in found.items()}, rules or {})

    def names(self) -> Sequence[str]:
        """Return the names of all handlers, sorted."""
        return sorted(self.handlers)

    def get(self, name: str) -> Handler[Any]:
        """Return a handler; raises `Invalid` (`unknown_handler`) if there is none of that name."""
        found = self.handlers.get(name)
        if found is None:
            known = ", ".join(self.names())
            raise Invalid.at("handler", "unknown_handler", f"no handler is called {name}; there are {known}")
        if isinstance(found, Handler):
            return found
        if name not in self._imported:
            self._imported[name] = found()
        return self._imported[name]

    def schema(self, name: str) -> Mapping[str, Any]:
        """Return the JSON schema of a handler's configuration, from which forms are made."""
        if name not in self._schemas:
            # It takes milliseconds, and a workspace may have thousands of types with one handler.
            self._schemas[name] = self.get(name).config.model_json_schema()
        return self._schemas[name]

    def problems(self, name: str, config: Mapping[str, Any]) -> Sequence[FieldError]:
        """Return what is wrong with a configuration, with paths under `config`; empty if nothing is."""
        try:
            handler = self.get(name)
        except Invalid as unknown:
            return unknown.errors
        try:
            handler.config.model_validate(config, context=dict(self.rules))
        except ValidationError as error:
            return field_errors(error)
        return ()


def field_errors(error: ValidationError) -> Sequence[FieldError]:
    """Say in our words what pydantic found; never repeats the value, which may be a secret."""
    return [
        FieldError(
            ".".join(("config", *map(str, found["loc"]))), found["type"], found["msg"].removeprefix("Value error, ")
        )
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    ]
