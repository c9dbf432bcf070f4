"""The envelope: where a fact stands in the log, who caused it, and its place in the chain."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar


class Event(Protocol):
    """What every fact class has besides its fields: a stored name and the version of its shape."""

    TYPE: ClassVar[str]
    SCHEMA: ClassVar[int]


E_co = TypeVar("E_co", covariant=True)


class StreamId(NamedTuple):
    """A stream: its workspace and its name `<kind>:<id>`, e.g. `schedule:nightly`."""

    workspace: str
    name: str

    @property
    def kind(self) -> str:
        """The part before the first colon."""
        return self.name.partition(":")[0]

    @property
    def id(self) -> str:
        """The part after the first colon."""
        return self.name.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """
    Who and what caused the facts of one append.

    `actor` is `key:<id>`, `instance:<id>` or `system`; `command_id` a UUIDv7; `causation` the position (as text) or
    command id that led to it; `correlation` is shared by everything that one outside request set off.
    """

    actor: str
    command_id: str
    causation: str | None = None
    correlation: str | None = None


class Recorded(Generic[E_co]):
    """
    A fact as the log keeps it.

    `data` is the exact JSON that `leaf` covers; `event` is the decoded fact, made on first use (raises `UnknownEvent`
    when this version does not know the type).
    """

    __slots__ = (
        "_decode",
        "_event",
        "actor",
        "at",
        "causation",
        "chain",
        "command_id",
        "correlation",
        "data",
        "leaf",
        "position",
        "schema",
        "stream",
        "stream_version",
        "type",
    )

    def __init__(
        self,
        *,
        position: int,
        stream: StreamId,
        stream_version: int,
        type: str,  # noqa: A002 the field's name on the wire
        schema: int,
        at: datetime,
        actor: str,
        command_id: str,
        causation: str | None,
        correlation: str | None,
        data: bytes,
        leaf: bytes,
        chain: bytes,
        decode: Callable[[str, int, bytes], Any],
        event: Any = None,
    ) -> None:
        self.position = position
        self.stream = stream
        self.stream_version = stream_version
        self.type = type
        self.schema = schema
        self.at = at
        self.actor = actor
        self.command_id = command_id
        self.causation = causation
        self.correlation = correlation
        self.data = data
        self.leaf = leaf
        self.chain = chain
        self._decode = decode
        self._event = event

    @property
    def workspace(self) -> str:
        """The workspace whose history this fact belongs to."""
        return self.stream.workspace

    @property
    def event(self) -> E_co:
        """The decoded fact."""
        if self._event is None:
            self._event = self._decode(self.type, self.schema, self.data)
        return self._event  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<{self.position} {self.stream.workspace}/{self.stream.name}@{self.stream_version} {self.type}>"
