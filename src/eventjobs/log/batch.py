"""
Appends that go into the log together: numbered, stamped, sealed.

A batch continues one head and is worth nothing on another one; after a lost race its appends are checked again and
a new batch is made of them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from eventjobs.events.recorded import Recorded
from eventjobs.log.chain import instant
from eventjobs.log.codec import Codec
from eventjobs.log.port import Appended, Head, Receipt, StoredReceipt
from eventjobs.log.prepared import SEPARATOR, Prepared

LEAD: Final = timedelta(seconds=2)
"""By how much the clocks of two instances differ at most, unless one was set."""


def decided_for(head: Head, now: datetime) -> datetime:
    """
    Return the instant for which decisions must hold that are written on `head` now.

    It is that of their stamp, but where the clock was set back: then the log's time stands still until the clock has
    caught up, and decisions go by the clock, or whatever waits would have to wait until then.
    """
    return head.at if now < head.at <= now + LEAD else now


class Batch:
    """
    What one statement writes: `appends` in order after `base`, all stamped `at`.

    `head` is the log's head once the batch is in.
    `seals` holds leaf and chain of each event, 64 bytes together; `firsts` the first position of each append.
    """

    __slots__ = ("_stored", "appends", "at", "base", "firsts", "head", "seals")

    def __init__(self, base: Head, now: datetime, appends: Sequence[Prepared]) -> None:
        self.base = base
        self.appends = appends
        self._stored: Sequence[StoredReceipt] | None = None
        self.at = at = max(base.at, now)
        self.firsts: list[int] = []
        self.seals: list[bytes] = []
        stamp = instant(at).encode()
        position, chain, seals = base.position, base.chain, self.seals
        for prepared in appends:
            self.firsts.append(position + 1)
            for before in prepared.befores:
                position += 1
                leaf = sha256(before + stamp).digest()  # chain.leaf_of and chain.link, without two calls an event
                chain = sha256(chain + position.to_bytes(8, "big") + leaf).digest()
                seals.append(leaf)
                seals.append(chain)
        self.head = Head(position, chain, at) if position > base.position else base

    @property
    def count(self) -> int:
        """How many events are in it."""
        return self.head.position - self.base.position

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to write: no event and no receipt."""
        return not self.count and not any(prepared.append.receipts for prepared in self.appends)

    def columns(self) -> Sequence[str]:
        """Return the events' texts by column, one line an event, in the order of `Prepared.columns`."""
        rows = [prepared.columns for prepared in self.appends if prepared.facts]
        return [SEPARATOR.join(column) for column in zip(*rows, strict=True)] if rows else [""] * 10

    def rows(self) -> Sequence[tuple[Any, ...]]:
        """Return the events one by one, as the table `copied_events` takes them."""
        rows: list[tuple[Any, ...]] = []
        seals, position = iter(self.seals), self.base.position
        for prepared in self.appends:
            for (workspace, stream), version, kind, schema, data, by in prepared.facts:
                who = (by.actor, by.command_id, by.causation or None, by.correlation or None)
                position += 1
                leaf, chain = next(seals), next(seals)
                rows.append((position, workspace, stream, version, kind, schema, *who, data.decode(), leaf, chain))
        return rows

    def stored(self) -> Sequence[StoredReceipt]:
        """Return the receipts with the positions of their appends."""
        if self._stored is None:
            self._stored = [
                _stored(receipt, first, len(prepared.facts))
                for prepared, first in zip(self.appends, self.firsts, strict=True)
                for receipt in prepared.append.receipts
            ]
        return self._stored

    def publish(self, codec: Codec) -> Sequence[Recorded[Any]]:
        """Answer every caller and return all facts."""
        everything: list[Recorded[Any]] = []
        at, seals, decode = self.at, iter(self.seals), codec.decode
        for prepared, first in zip(self.appends, self.firsts, strict=True):
            position = first
            recorded: list[Recorded[Any]] = []
            for stream, version, kind, schema, data, by in prepared.facts:
                recorded.append(
                    Recorded(
                        position=position,
                        stream=stream,
                        stream_version=version,
                        type=kind,
                        schema=schema,
                        at=at,
                        actor=by.actor,
                        command_id=by.command_id,
                        causation=by.causation or None,
                        correlation=by.correlation or None,
                        data=data,
                        leaf=next(seals),
                        chain=next(seals),
                        decode=decode,
                    )
                )
                position += 1
            everything.extend(recorded)
            prepared.resolve(Appended(first=first, last=position - 1, at=at, recorded=recorded))
        return everything


def _stored(receipt: Receipt, first: int, facts: int) -> StoredReceipt:
    """The receipt of an append of so many facts, the first of which got the position `first`."""
    own = first + receipt.begin
    count = facts - receipt.begin if receipt.count is None else receipt.count
    return StoredReceipt(
        key=receipt.key,
        body_hash=receipt.body_hash,
        status=receipt.status,
        answer=receipt.answer,
        first=own,
        last=own + count - 1,
    )
