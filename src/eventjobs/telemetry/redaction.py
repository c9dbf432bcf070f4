"""Known secret values, blanked wherever text goes out: logs, errors, mails."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

BLANK: Final = "[secret]"
SHORTEST: Final = 4
"""A shorter value is not blanked: it would be found by chance everywhere."""


class KnownSecrets:
    """A registry of secret values and of the forms in which they turn up: plain, in JSON, in a URL, in a `repr`."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Know one more value; a value shorter than `SHORTEST` is left alone."""
        if len(value) < SHORTEST:
            return
        forms = {
            value,
            json.dumps(value)[1:-1],
            json.dumps(value, ensure_ascii=False)[1:-1],
            quote(value, safe=""),
            repr(value)[1:-1],
            repr(value.encode())[2:-1],
        }
        if forms <= self._forms:
            return
        self._forms |= forms
        longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def redact(self, text: str) -> str:
        """Return the text with every known value blanked."""
        return text if self._pattern is None else self._pattern.sub(BLANK, text)

    def redact_value(self, value: Any) -> Any:
        """Return a JSON-like value with every text in it blanked, keys too; other objects as their redacted `repr`."""
        match value:
            case str():
                return self.redact(value)
            case bytes() | bytearray():
                return self.redact(value.decode("utf-8", "backslashreplace"))
            case None | bool() | int() | float():
                return value
            case Mapping():
                return {self.redact(str(key)): self.redact_value(item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.redact_value(item) for item in value]
            case _:
                return self.redact(str(value) if isinstance(value, BaseException) else repr(value))
