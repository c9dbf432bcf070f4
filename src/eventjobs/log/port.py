"""
The log as a port: one order of facts, appended all or none, read forward.

Two adapters obey it, `postgres.py` and `memory.py`; one contract suite runs on both. Positions are 1, 2, 3 … without a
gap in commit order, so "everything after p" misses nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from eventjobs.errors import LogFault, Rejected
from eventjobs.events.recorded import Event, Provenance, Recorded, StreamId

ZERO_CHAIN = bytes(32)
"""The chain value before position 1."""
BEYOND: Final = 2**63 - 1
"""Above every position."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest position, its chain value and its time. `Head(0, ZERO_CHAIN, …)` is an empty log."""

    position: int
    chain: bytes
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """
    What a key stands for: written with the append, kept as long as the log.

    `key` holds the whole scope (workspace, actor and the client's key); `body_hash` is the SHA-256 of the command and
    its body; `answer` is JSON without positions and without secrets. `begin` and `count` say which of the append's
    events are the key's own (`None`: all that follow).
    """

    key: str
    body_hash: bytes
    status: int
    answer: bytes
    begin: int = 0
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReceipt:
    """A receipt with the positions that its append took; `first > last` where it decided nothing."""

    key: str
    body_hash: bytes
    status: int
    answer: bytes
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """
    Facts for one or several streams, written all or none.

    `expected` gives the version of every stream written to, and of further streams that must not have moved (0: does
    not exist). `read_at` gives, for the streams of which it is known, a position at which that version was read; it
    spares the appender a look-up of the stream. Without events it only leaves its receipts, each of which has a
    key of its own. `events` of one stream keep their order. `provenances`: who and what caused each event, where it is
    not the same for all. `before` is the instant from which on the decision no longer holds, `None`: it always does.
    """

    events: Sequence[tuple[StreamId, Event]]
    expected: Mapping[StreamId, int]
    provenance: Provenance
    receipts: Sequence[Receipt] = ()
    read_at: Mapping[StreamId, int] = field(default_factory=dict)
    provenances: Sequence[Provenance] = ()
    before: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Tell whether what was decided may still be written at `now`."""
        return self.before is None or now < self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """
    What became of an append.

    `first` and `last` are its positions (`first = last + 1` where nothing was written, `last` then the head);
    `replayed` is a receipt that was there already under one of its keys: then nothing was written now.
    """

    first: int
    last: int
    at: datetime
    recorded: Sequence[Recorded[Any]] = field(default_factory=tuple)
    replayed: StoredReceipt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which facts a reader wants; `None` means all."""

    workspace: str | None = None
    stream: str | None = None
    types: Sequence[str] | None = None
    actor: str | None = None

    def matches(self, fact: Recorded[Any]) -> bool:
        """Tell whether a reader with this filter wants the fact."""
        return (
            (self.workspace is None or fact.stream.workspace == self.workspace)
            and (self.stream is None or fact.stream.name == self.stream)
            and (self.types is None or fact.type in self.types)
            and (self.actor is None or fact.actor == self.actor)
        )


EVERYTHING = Filter()


class EventLog(Protocol):
    """
    An append-only, totally ordered log.

    Raises `VersionConflict` for a lost race and `Overtaken` for a decision that no longer holds (nothing of that append
    was written), `LogUnavailable` and `LogFull` when nothing was written, `OutcomeUnknown` when nobody can say.
    """

    async def append(self, append: Append) -> Appended:
        """
        Write the facts, or answer with the receipt that already carries a key of the append.

        A receipt under the same key is found before versions are compared, and returned whatever its body hash:
        comparing hashes is the caller's business. Cancelling the caller does not cancel the write.
        """
        ...

    async def append_each(self, appends: Sequence[Append]) -> Sequence[Appended | Rejected | LogFault]:
        """
        Write appends that do not touch each other, each all or none by itself, in as few commits as possible.

        What `append` raises for one of them is at its place.
        """
        ...

    async def read_streams(self, wanted: Sequence[tuple[StreamId, int]]) -> Mapping[StreamId, Sequence[Recorded[Any]]]:
        """Return the facts of each stream after the given version, in order, from one snapshot."""
        ...

    async def read(
        self,
        after: int,
        limit: int,
        *,
        before: int | None = None,
        matching: Filter = EVERYTHING,
    ) -> Sequence[Recorded[Any]]:
        """Return up to `limit` facts with `after < position < before`, ascending."""
        ...

    async def read_back(
        self, before: int, limit: int, *, stream: StreamId, types: Sequence[str]
    ) -> Sequence[Recorded[Any]]:
        """Return up to `limit` facts of these types in a stream with `position < before`, the last one first."""
        ...

    async def head(self) -> Head:
        """Return the newest head, from storage."""
        ...

    @property
    def known_head(self) -> Head:
        """The head as this process knows it, without asking."""
        ...

    async def wait_beyond(self, position: int, timeout_s: float) -> int:
        """Wait until the known head is above `position` or the time is over; return the known head's position."""
        ...

    async def find_receipt(self, key: str) -> StoredReceipt | None:
        """Return the receipt under `key`."""
        ...

    async def position_at(self, instant: datetime) -> int:
        """Return the last position whose time is at or before `instant` (0: none)."""
        ...

    async def at_of(self, position: int) -> datetime:
        """Return the time of a position; raises `NotFound` if it does not exist."""
        ...
