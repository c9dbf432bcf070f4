"""
Reads JSON as strictly as others may rely on: what two parsers could read differently is refused.

Too much depth, duplicate names, numbers that do not survive a double or a 64-bit integer, and text that no database
keeps are refused. What remains is valid for the models, which parse the same bytes.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NoReturn

import orjson

from eventjobs.api.problems import HttpRefusal

DEPTH_MAX: Final = 32
VALUES_MAX: Final = 100_000
INTEGER_MAX: Final = 2**53 - 1
DIGITS_MAX: Final = 30
EXPONENT_MAX: Final = 30

_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_ESCAPED_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_INTEGER_CHARS_MAX: Final = 17
_BOM: Final = b"\xef\xbb\xbf"


def read_json(body: bytes) -> Any:
    """Return the document; raises `HttpRefusal` (400, for numbers and too many values 422)."""
    _check_size(body)
    if body.startswith(_BOM):
        raise _bad_text("the text begins with a byte order mark")
    try:
        document = _DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        raise _bad_text("the text is not UTF-8") from error
    except json.JSONDecodeError as error:
        if "control character" in error.msg:
            raise _bad_text("a string holds a control character") from error
        raise HttpRefusal(400, "not_json", f"not JSON at character {error.pos}: {error.msg}") from error
    except RecursionError as error:
        raise _too_deep() from error
    if b"\\u" in body:
        _check_text(document)
    if body.count(b"[") + body.count(b"{") > DEPTH_MAX:
        _check_depth(document)
    return document


def _check_size(body: bytes) -> None:
    if body.count(b",") > VALUES_MAX and _STRING.sub(b"", body).count(b",") > VALUES_MAX:
        raise HttpRefusal(422, "too_many_values", f"a body has at most {VALUES_MAX} values")


def _check_depth(document: Any) -> None:
    """Count level by level; the parser itself gives up long before its stack ends."""
    level = [document] if isinstance(document, (dict, list)) else []
    for _ in range(DEPTH_MAX):
        if not level:
            return
        level = [inner for outer in level for inner in _children(outer) if isinstance(inner, (dict, list))]
    if level:
        raise _too_deep()


def _children(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _check_text(document: Any) -> None:
    try:
        text = orjson.dumps(document)
    except TypeError as error:
        raise _bad_text("a string holds half of a surrogate pair") from error
    if b"\\u0000" in text and _ESCAPED_NUL.search(text):
        raise _bad_text("a string holds the character U+0000")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise HttpRefusal(400, "duplicate_key", f"an object has the name {twice[:100]!r} twice")
    return found


def _integer(text: str) -> int:
    if len(text) > _INTEGER_CHARS_MAX or abs(int(text)) > INTEGER_MAX:
        raise _out_of_range("integers lie within ±(2^53 - 1)")
    return int(text)


def _float(text: str) -> float:
    mantissa, _, exponent = text.lower().partition("e")
    digits = sum(char.isdigit() for char in mantissa)
    if digits > DIGITS_MAX or len(exponent) > len("+000") or abs(int(exponent or 0)) > EXPONENT_MAX:
        raise _out_of_range(f"numbers have at most {DIGITS_MAX} digits and an exponent within ±{EXPONENT_MAX}")
    number = float(text)
    if number == 0 and text.startswith("-"):
        raise _out_of_range("zero has no sign")
    return number


def _constant(text: str) -> NoReturn:
    raise _out_of_range(f"{text} is no number")


def _out_of_range(detail: str) -> HttpRefusal:
    return HttpRefusal(422, "number_out_of_range", detail)


def _bad_text(detail: str) -> HttpRefusal:
    return HttpRefusal(400, "bad_text", detail)


def _too_deep() -> HttpRefusal:
    return HttpRefusal(400, "too_deep", f"objects and arrays are nested at most {DEPTH_MAX} deep")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
