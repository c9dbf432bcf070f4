"""
Chance and new ids as ports, and the patterns that ids obey.

Ids that people give match `ID_PATTERN`; a workspace id is shorter (`WORKSPACE_ID_PATTERN`), because its name goes into
Postgres schema and role names of at most 63 bytes.
"""

import re
import secrets
from typing import Final, Protocol

import uuid_utils

ID_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,63}$"
WORKSPACE_ID_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,39}$"
RESERVED_WORKSPACES: Final = frozenset({"log", "workspaces", "me"})
EVERYWHERE: Final = "*"
"""The workspace of what belongs to the whole deployment: the log's birth, refused attempts, keys for all workspaces."""

_ID: Final = re.compile(ID_PATTERN)


def is_id(text: str) -> bool:
    """Tell whether `text` is an id as people may give it."""
    return _ID.fullmatch(text) is not None


class Ids(Protocol):
    """Where new ids come from."""

    def new(self) -> str:
        """Return a fresh UUIDv7 (RFC 9562) as lower-case text."""
        ...


class Random(Protocol):
    """Where chance comes from."""

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        ...

    def token(self, nbytes: int) -> str:
        """Return URL-safe text made of `nbytes` unguessable bytes."""
        ...


class SystemIds:
    """UUIDv7 from the operating system's entropy."""

    def new(self) -> str:
        """Return a fresh UUIDv7."""
        return str(uuid_utils.uuid7())


def new_log_id() -> str:
    """
    Return a fresh UUIDv4 (RFC 9562) for a new log.

    Names of roles carry its first digits, so they must be chance and not the time, as in a UUIDv7.
    """
    return str(uuid_utils.uuid4())


class SystemRandom:
    """The operating system's entropy."""

    def __init__(self) -> None:
        self._source = secrets.SystemRandom()

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        return self._source.random()

    def token(self, nbytes: int) -> str:
        """Return URL-safe text made of `nbytes` unguessable bytes."""
        return secrets.token_urlsafe(nbytes)
