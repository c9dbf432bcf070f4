"""Ports that a test decides: chance, ids, and the handlers that there are."""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from eventjobs.commands.context import HandlerFacts
from eventjobs.errors import FieldError


class CountingIds:
    """Ids in the order in which they were asked for."""

    def __init__(self, first: int = 1) -> None:
        self._numbers = count(first)

    def new(self) -> str:
        return f"00000000-0000-7000-8000-{next(self._numbers):012d}"


class FixedRandom:
    """The same chance every time; texts that were never given before."""

    def __init__(self, chance: float = 0.0) -> None:
        self.chance = chance
        self._numbers = count(1)

    def uniform(self) -> float:
        return self.chance

    def token(self, nbytes: int) -> str:
        return f"token_{next(self._numbers)}".ljust(nbytes, "x")


class FakeCatalog:
    """
    Handlers: `http`, `noop` and `python` may run twice, `pay` may not; an interruption of `csv.import` does not count.

    A configuration with the field `bad` is refused.
    """

    _FACTS: Mapping[str, HandlerFacts] = {
        "csv.import": HandlerFacts(delivery="at_least_once", interruption_counts=False),
        "http": HandlerFacts(delivery="at_least_once", interruption_counts=True),
        "noop": HandlerFacts(delivery="at_least_once", interruption_counts=True),
        "pay": HandlerFacts(delivery="at_most_once", interruption_counts=True),
        "python": HandlerFacts(delivery="at_least_once", interruption_counts=True),
    }

    def find(self, name: str) -> HandlerFacts | None:
        return self._FACTS.get(name)

    def names(self) -> Sequence[str]:
        return sorted(self._FACTS)

    def schema(self, name: str) -> Mapping[str, Any]:
        return {"title": name, "type": "object", "properties": {}}

    def problems(self, _name: str, config: Mapping[str, Any]) -> Sequence[FieldError]:
        return [FieldError("config.bad", "extra_forbidden", "no such field")] if "bad" in config else []
