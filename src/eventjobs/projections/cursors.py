"""Where a list goes on: the last key of the part before, opaque to clients and checked when it comes back."""

import base64
import binascii
from datetime import datetime
from typing import Any, Final

import orjson

from eventjobs.errors import Invalid

_BIGINT_MAX: Final = 2**63 - 1


def write_cursor(*key: Any) -> str:
    """Return the cursor that goes on after `key`."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def read_cursor(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """Return the key of a cursor, its parts of `kinds` (`datetime` or what JSON has); raises `Invalid` for others."""
    if cursor is None:
        return None
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return tuple(_part(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, TypeError, binascii.Error) as error:
        raise Invalid.at("cursor", "bad_cursor", "this is no cursor that was given out here") from error


def _part(part: Any, kind: type) -> Any:
    if kind is datetime:
        at = datetime.fromisoformat(part)
        if at.tzinfo is None:
            raise ValueError("without an offset")
        return at
    if type(part) is not kind:
        raise TypeError(f"not {kind.__name__}")
    if (isinstance(part, str) and "\0" in part) or (isinstance(part, int) and abs(part) > _BIGINT_MAX):
        raise ValueError("nothing that a key can be")
    return part
