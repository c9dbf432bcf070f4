"""What the appender needs of a database, as a port."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.batch import Batch
from eventjobs.log.port import Head, StoredReceipt


class Written(Enum):
    """What became of a statement that was answered."""

    COMMITTED = "committed"
    BEHIND = "behind"
    """Another process wrote first: the batch's base is no longer the head."""
    RECEIPT_TAKEN = "receipt_taken"
    """A key of the batch has its receipt already."""


class LinkLost(Exception):
    """The connection was lost while a statement was under way: it may have been committed."""


class Unwritable(Exception):
    """The database refuses what one of the batch's appends holds; nothing was written."""


class Storage(Protocol):
    """
    The database behind one appender.

    Its calls raise `LogUnavailable` where nothing was done; `write` also `LogFull`, `Unwritable` and `LinkLost`.
    """

    async def write(self, batch: Batch) -> Written:
        """Write a batch, all or nothing, in one statement that holds only on the batch's base."""
        ...

    async def holds(self, head: Head) -> bool:
        """Tell whether this position is in the log with this chain value."""
        ...

    async def find_versions(self, streams: Sequence[StreamId]) -> Mapping[StreamId, int]:
        """Return the version of every stream named (0: does not exist)."""
        ...

    async def find_receipts(self, keys: Sequence[str]) -> Mapping[str, StoredReceipt]:
        """Return the receipts that exist under these keys."""
        ...

    async def read_after(self, position: int) -> Sequence[Recorded[Any]]:
        """Return some of the facts after `position`, in order; none if there are no more."""
        ...
