"""
Facts as stored bytes and back.

Writing refuses what another reader could not read the same way: U+0000, lone surrogates, numbers that JSON does not
have (NaN, infinities, integers beyond 64 bits), documents too deep. Reading is strict: a field too many, too few or of
another type means that this version does not know the fact, and nobody may guess.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, Final, get_args, get_type_hints

import orjson
from pydantic import TypeAdapter, ValidationError

from eventjobs.errors import Invalid, UnknownEvent
from eventjobs.events.recorded import Event
from eventjobs.log.upcasts import UPCASTS, Upcasts, lift

_OPTIONS: Final = orjson.OPT_UTC_Z
_WITHOUT_FLOATS: Final = frozenset({str, int, bool, type(None)})
_ESCAPED_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Codec:
    """The registry of facts: what may be written, and what is understood when read."""

    def __init__(self, event_types: Sequence[type[Any]], upcasts: Upcasts = UPCASTS) -> None:
        self._classes: dict[str, type[Any]] = {cls.TYPE: cls for cls in event_types}
        if len(self._classes) != len(event_types):
            raise ValueError("two event classes share a TYPE")
        self._may_hold_floats = {cls for cls in self._classes.values() if _may_hold_float(cls)}
        self._upcasts = upcasts

    def encode(self, event: Event) -> bytes:
        """
        Return the fact's JSON, one line.

        Raises `Invalid` for what JSON cannot carry, `UnknownEvent` for a class that is not registered.
        """
        cls: Any = type(event)
        if self._classes.get(event.TYPE) is not cls:
            raise UnknownEvent(f"{cls.__qualname__} ({event.TYPE}) is not registered")
        try:
            data = orjson.dumps(event, _plain, _OPTIONS)
        except orjson.JSONEncodeError as error:
            raise Invalid.at("", "not_json", f"{event.TYPE} holds what JSON cannot carry: {error}") from error
        if b"\\u0000" in data and _ESCAPED_NUL.search(data):
            raise Invalid.at("", "nul_character", f"{event.TYPE} holds the character U+0000")
        if cls in self._may_hold_floats and b"null" in data and _has_odd_float(event):
            raise Invalid.at("", "not_a_number", f"{event.TYPE} holds a number that JSON does not have")
        # orjson's own bytes keep the room that it wrote them in, several KiB, for as long as a tail keeps the fact.
        return bytes(memoryview(data))

    def decode(self, type: str, schema: int, data: bytes) -> Any:  # noqa: A002 the field's name on the wire
        """Return the fact; raises `UnknownEvent` for a type, schema or shape that this version does not know."""
        cls: Any = self._classes.get(type)
        if cls is None:
            raise UnknownEvent(f"the event type {type} is not known to this version")
        if schema != cls.SCHEMA:
            if schema > cls.SCHEMA:
                raise UnknownEvent(f"{type} {schema} is newer than this version, which knows {cls.SCHEMA}")
            data = orjson.dumps(lift(self._upcasts, type, schema, cls.SCHEMA, orjson.loads(data)))
        try:
            return _adapter(cls).validate_json(data, strict=True, extra="forbid")
        except ValidationError as error:
            raise UnknownEvent(f"{type} {schema} has another shape than this version knows: {error}") from error


@cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    """Return what reads a class; made when it is first read, which takes a thousand times as long as a reading."""
    return TypeAdapter(cls)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__qualname__} is no JSON value")


@cache
def _float_fields(cls: Any) -> tuple[str, ...]:
    """Return the fields of a class in whose values a float can be."""
    hints = get_type_hints(cls)
    return tuple(field.name for field in fields(cls) if _may_hold_float(hints[field.name]))


def _may_hold_float(hint: Any) -> bool:
    if hint is float or hint is Any or hint is object:
        return True
    if hasattr(hint, "__dataclass_fields__"):
        return bool(_float_fields(hint))
    return any(map(_may_hold_float, get_args(hint)))


def _has_odd_float(value: Any) -> bool:
    """Tell whether a float in it was written as `null`, which is what orjson makes of NaN and infinities."""
    kind: Any = type(value)
    if kind in _WITHOUT_FLOATS:
        return False
    if kind is float:
        return not math.isfinite(value)
    if kind is dict or isinstance(value, Mapping):
        return any(map(_has_odd_float, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_has_odd_float, value))
    if hasattr(kind, "__dataclass_fields__"):
        return any(_has_odd_float(getattr(value, name)) for name in _float_fields(kind))
    return isinstance(value, float) and not math.isfinite(value)
