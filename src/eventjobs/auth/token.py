"""
The text of a key: `ej_<lookup>_<secret>`, or any text that an operator chose for the first key.

`lookup` is public and finds the key; only the SHA-256 of `secret` is kept. A chosen text has no public part: it is
found by the first 16 hex digits of its SHA-256, and all of it is the secret.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "ej_"
LOOKUP_BYTES: Final = 9
SECRET_BYTES: Final = 32
TOKEN_CHARS_MAX: Final = 512

_MADE: Final = re.compile(r"ej_[A-Za-z0-9-]{12}_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Token:
    """A key as it was presented: how to find it, and the SHA-256 of what proves it."""

    lookup: str
    digest: bytes


def parse_token(text: str) -> Token:
    """Return the parts of a key's text; every text has them."""
    if text.startswith(PREFIX):
        lookup, found, secret = text[len(PREFIX) :].partition("_")
        if found and lookup and secret:
            return Token(lookup, _digest(secret))
    digest = _digest(text)
    return Token(f"sha256:{digest.hex()[:16]}", digest)


def _digest(text: str) -> bytes:
    # What came over the wire as no UTF-8 stands in `text` as surrogates.
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()


def looks_like_token(text: str) -> bool:
    """Tell whether a text holds what looks like a key that was made here."""
    return _MADE.search(text) is not None
