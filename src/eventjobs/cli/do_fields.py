"""
A command's fields from the command line: `--cadence.every 2`, `--active`, `--config '{"url": "…"}'`.

What a field may hold is read from the command's JSON schema, so a new command needs nothing here. A name leads into
nested fields by dots, and by numbers into lists; a list of plain values is also given by repeating the option.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from eventjobs.errors import UsageWrong

Schema = Mapping[str, Any]

ANYTHING: Final[Schema] = {}
_SCALARS: Final = {"integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list}
_WORDS: Final = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": 'a JSON object such as {"a": 1}',
    "array": 'a JSON list such as ["a"]',
}


def parse_fields(tokens: Sequence[str], schema: Schema) -> dict[str, Any]:
    """Return the fields that the options name; raises `UsageWrong` for what is no field or no value of it."""
    document: dict[str, Any] = {}
    reader = _Reader(schema)
    for name, text in _options(tokens):
        path, value = reader.read(name, text)
        _put(document, path, value, name)
    return document


def field_lines(schema: Schema) -> Sequence[tuple[str, str, bool]]:
    """Return each field with its dotted name, what it may hold, and whether it is needed, for a help text."""
    return list(_Reader(schema).lines(schema, "", needed=True))


def _options(tokens: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    left = list(tokens)
    while left:
        token = left.pop(0)
        name, sign, text = token.removeprefix("--").partition("=")
        if not token.startswith("--") or not name:
            raise UsageWrong(f"{token!r} belongs to no field; fields are written --name value")
        if sign:
            yield name, text
        elif left and not left[0].startswith("--"):
            yield name, left.pop(0)
        else:
            yield name, None


class _Reader:
    """Finds the schema of a dotted name and reads a text as a value of it."""

    def __init__(self, root: Schema) -> None:
        self._definitions: Mapping[str, Schema] = root.get("$defs", {})
        self._root = root

    def read(self, name: str, text: str | None) -> tuple[list[str], Any]:
        """Return the path and the value of one option."""
        path, schema = self._find(name)
        kinds = self._kinds(schema)
        if text is None:
            if "boolean" not in kinds and schema != ANYTHING:
                raise UsageWrong(f"--{name} needs a value: {self.describe(schema)}")
            return path, not (name.startswith("no-") and path[0] != name)
        return path, self._value(schema, kinds, text, name)

    def describe(self, schema: Schema) -> str:
        """Return in words what a field may hold."""
        choices = [choice for variant in self._variants(schema) for choice in variant.get("enum", ())]
        if choices:
            return " | ".join(map(str, choices))
        kinds = self._kinds(schema)
        if kinds == {"array"}:
            return f"list of {self.describe(self._items(schema)) or 'values'}"
        formats = [str(variant["format"]) for variant in self._variants(schema) if "format" in variant]
        known = {"duration": "duration such as PT15M", "date-time": "instant such as 2026-12-01T20:00:00Z"}
        return " or ".join(known.get(name, name) for name in formats) or " or ".join(sorted(kinds)) or "any JSON"

    def lines(self, schema: Schema, prefix: str, *, needed: bool) -> Iterator[tuple[str, str, bool]]:
        """Walk through all fields, nested ones with their whole name."""
        for name, part in self._properties(schema).items():
            must = needed and name in schema.get("required", ())
            nested = next((variant for variant in self._variants(part) if variant.get("properties")), None)
            items = self._items(part) if self._kinds(part) == {"array"} else ANYTHING
            rows = next((variant for variant in self._variants(items) if variant.get("properties")), None)
            if nested is not None:
                yield from self.lines(nested, f"{prefix}{name}.", needed=must)
            elif rows is not None:
                yield from self.lines(rows, f"{prefix}{name}.0.", needed=must)
            else:
                yield f"{prefix}{name}", self.describe(part), must

    def _find(self, name: str) -> tuple[list[str], Schema]:
        path: list[str] = []
        schema = self._root
        for word in name.split("."):
            key, schema = self._step(schema, word, name)
            path.append(key)
        return path, schema

    def _step(self, schema: Schema, word: str, name: str) -> tuple[str, Schema]:
        properties = self._properties(schema)
        for key in (word, word.replace("-", "_"), word.removeprefix("no-").replace("-", "_")):
            if key in properties:
                return key, properties[key]
        for variant in self._variants(schema):
            if variant.get("type") == "array" and word.isdigit():
                return word, self._items(variant)
            if variant.get("additionalProperties", False) is not False or not variant:
                more = variant.get("additionalProperties")
                return word, more if isinstance(more, Mapping) else ANYTHING
        close = difflib.get_close_matches(word.replace("-", "_"), properties, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(properties) or 'none'}"
        raise UsageWrong(f"there is no field {name}: {hint}")

    def _value(self, schema: Schema, kinds: set[str], text: str, name: str) -> Any:
        if schema == ANYTHING or not kinds:
            return _json_or_text(text)
        if "string" in kinds:
            return int(text) if "integer" in kinds and text.isdecimal() and self._has_fixed_words(schema) else text
        if kinds == {"array"} and not text.startswith("["):
            items = self._items(schema)
            return _Part(self._value(items, self._kinds(items), text, name))
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            value = text
        if (isinstance(value, bool) and "boolean" not in kinds) or not isinstance(value, tuple(_types(kinds))):
            raise UsageWrong(f"--{name} is {' or '.join(_WORDS[kind] for kind in sorted(kinds))}, not {text!r}")
        return value

    def _has_fixed_words(self, schema: Schema) -> bool:
        """Tell whether no other text is taken than the schema names, as `last` beside the days of a month."""
        words = (variant for variant in self._variants(schema) if variant.get("type") == "string")
        return all("const" in word or "enum" in word for word in words)

    def _properties(self, schema: Schema) -> Mapping[str, Schema]:
        return {key: part for variant in self._variants(schema) for key, part in variant.get("properties", {}).items()}

    def _items(self, schema: Schema) -> Schema:
        return next((variant["items"] for variant in self._variants(schema) if "items" in variant), ANYTHING)

    def _kinds(self, schema: Schema) -> set[str]:
        found = {str(variant["type"]) for variant in self._variants(schema) if "type" in variant}
        if any("enum" in variant or "const" in variant for variant in self._variants(schema)) and not found:
            found.add("string")
        return found

    def _variants(self, schema: Schema) -> Sequence[Schema]:
        """Return the forms that a schema allows, references followed, `null` left out."""
        if "$ref" in schema:
            return self._variants(self._definitions[schema["$ref"].rpartition("/")[2]])
        parts = schema.get("anyOf") or schema.get("oneOf")
        if parts:
            return [variant for part in parts for variant in self._variants(part)]
        return [] if schema.get("type") == "null" else [schema]


class _Part:
    """One element of a list that is given by repeating its option."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _types(kinds: set[str]) -> Iterator[type]:
    for kind in kinds:
        known: Any = _SCALARS[kind]
        yield from known if isinstance(known, tuple) else (known,)


def _json_or_text(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _put(document: dict[str, Any], path: Sequence[str], value: Any, name: str) -> None:
    place: Any = document
    for word, after in zip(path, [*path[1:], None], strict=True):
        last = after is None
        empty: Any = [] if after is not None and after.isdigit() else {}
        if isinstance(place, list):
            place = _in_list(place, int(word), value if last else empty, name, last=last)
        elif last and isinstance(value, _Part):
            place.setdefault(word, []).append(value.value)
        elif last:
            place[word] = value
        else:
            place = place.setdefault(word, empty)


def _in_list(place: list[Any], index: int, value: Any, name: str, *, last: bool) -> Any:
    if index > len(place):
        raise UsageWrong(f"--{name}: the list has {len(place)} elements so far; the next one is number {len(place)}")
    if index == len(place):
        place.append(value)
    elif last:
        place[index] = value
    return place[index]
