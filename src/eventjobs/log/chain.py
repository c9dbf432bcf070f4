"""
What the log's proof covers: an event's canonical bytes, its leaf, and the chain.

    canonical = twelve lines joined by U+000A (docs/log-format.md)
    leaf      = SHA-256(canonical)
    chain     = SHA-256(chain before ‖ position as 8 bytes big-endian ‖ leaf)

No field holds a line feed (JSON writes it as an escape, names may not have one), so the lines cannot be read two ways.
`at` comes last because it alone is given when the event is written; `before_at` is all that precedes it.
"""

from datetime import datetime
from hashlib import sha256
from typing import Final

FORM: Final = "eventjobs/event/1"
"""The first line: which canonical form this is."""

_LINE_FEEDS: Final = 11


def instant(at: datetime) -> str:
    """Return a UTC instant as the form wants it: `2026-12-01T20:00:00.000000Z`."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def before_at(
    *,
    workspace: str,
    stream: str,
    stream_version: int,
    type: str,  # noqa: A002 the field's name on the wire
    schema: int,
    actor: str,
    command_id: str,
    causation: str | None,
    correlation: str | None,
    data: str,
) -> bytes:
    """
    Return the canonical bytes up to `at`, that is with the last line feed; an absent text is an empty line.

    Raises `ValueError` where a field holds a line feed, U+0000 or a lone surrogate.
    """
    return encoded(
        f"{FORM}\n{workspace}\n{stream}\n{stream_version}\n{type}\n{schema}\n{actor}\n{command_id}\n"
        f"{causation or ''}\n{correlation or ''}\n{data}\n"
    )


def encoded(lines: str) -> bytes:
    """Return the lines before `at` as bytes; raises `ValueError` unless they are eleven and can be read in one way."""
    if lines.count("\n") != _LINE_FEEDS or "\0" in lines:
        raise ValueError("a text beside an event holds a line feed or U+0000")
    return lines.encode()


def leaf_of(before: bytes, at: bytes) -> bytes:
    """Return the leaf of an event from its canonical bytes before `at`, and `at`."""
    return sha256(before + at).digest()


def link(chain: bytes, position: int, leaf: bytes) -> bytes:
    """Return the chain value at `position` from the one before it."""
    return sha256(chain + position.to_bytes(8, "big") + leaf).digest()
