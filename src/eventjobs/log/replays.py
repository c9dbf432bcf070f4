"""
Appends whose key was used before: they are answered with what is under the key, and write nothing.

The last receipts that this process wrote are remembered, so that the usual repetition, a client that tries again at
once, costs no statement.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from eventjobs.errors import LogFault, Overtaken, VersionConflict
from eventjobs.log.port import Appended, StoredReceipt
from eventjobs.log.prepared import Prepared
from eventjobs.log.storage import Storage
from eventjobs.log.tail import Tail

KEPT: Final = 10_000


class Replays:
    """Looks keys up and answers their appends."""

    def __init__(self, storage: Storage, tail: Tail, *, kept: int = KEPT) -> None:
        self._storage = storage
        self._tail = tail
        self._kept = kept
        self._recent: dict[str, StoredReceipt] = {}

    def note(self, receipts: Sequence[StoredReceipt]) -> None:
        """Remember receipts that are in the log now."""
        for receipt in receipts:
            self._recent[receipt.key] = receipt
        while len(self._recent) > self._kept:
            del self._recent[next(iter(self._recent))]

    def find_recent(self, key: str) -> StoredReceipt | None:
        """Return a receipt that this process wrote not long ago."""
        return self._recent.get(key)

    def answer_recent(self, prepared: Prepared) -> bool:
        """Answer an append of which a key is remembered; tell whether it was one."""
        for receipt in prepared.append.receipts:
            found = self.find_recent(receipt.key)
            if found is not None:
                self._answer(prepared, found)
                return True
        return False

    async def answer_refused(self, refused: Iterable[tuple[Prepared, VersionConflict | Overtaken]]) -> None:
        """Answer what came too late; one whose key is taken was written before and lost nothing."""
        conflicts = dict(refused)
        try:
            left = await self.answer_stored(list(conflicts))
        except LogFault as fault:
            for prepared in conflicts:
                prepared.refuse(fault)
            return
        for prepared in left:
            prepared.refuse(conflicts[prepared])

    async def answer_stored(self, appends: Sequence[Prepared]) -> Sequence[Prepared]:
        """Answer those of which a key is taken; return the others."""
        keyed = [(prepared, receipt.key) for prepared in appends for receipt in prepared.append.receipts]
        found = await self._storage.find_receipts([key for _, key in keyed])
        replayed = {prepared: found[key] for prepared, key in keyed if key in found}
        for prepared, receipt in replayed.items():
            self._answer(prepared, receipt)
        return [prepared for prepared in appends if prepared not in replayed]

    def _answer(self, prepared: Prepared, receipt: StoredReceipt) -> None:
        at = self._tail.head.at
        prepared.resolve(Appended(first=receipt.first, last=receipt.last, at=at, replayed=receipt))
