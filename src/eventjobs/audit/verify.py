"""
Recompute the log's proof: every leaf from its event, every chain value from the one before it.

It needs nothing but the events: those of a running log, read in order, or the lines of an export. A log that was cut
off at its end is consistent in itself; that is seen by comparing positions and chain with what was noted elsewhere.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, TypeAlias

import orjson

from eventjobs.audit.seal import Sealed, read_seal
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.ids import EVERYWHERE
from eventjobs.log.chain import before_at, instant, leaf_of, link
from eventjobs.log.port import ZERO_CHAIN

BATCH: Final = 2_000

Read: TypeAlias = Callable[[int, int], Awaitable[Sequence[Recorded[Any]]]]
"""Facts after a position, up to a limit, in order, as storage holds them now."""

_DATA: Final = b',"data":'
_LEAF: Final = b',"leaf":"'


@dataclass(frozen=True, slots=True)
class Verified:
    """
    Every event is as it was written: positions 1 to `positions`, the last one with this chain value.

    In an export, `left_out` of them are there by their leaf alone, and `sealed` is what it says of itself.
    """

    positions: int
    chain: bytes
    left_out: int = 0
    sealed: Sealed | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """The first position at which the log is not what was written, and what is wrong there."""

    position: int
    what: str


async def verify_log(read: Read) -> Verified | Broken:
    """Verify a log from its first position to its end; memory does not grow with it."""
    check = Check()
    while facts := await read(check.position, BATCH):
        for fact in facts:
            if (broken := check.take(fact)) is not None:
                return broken
    return check.verified()


def verify_export(lines: Iterable[bytes], signer: bytes | None = None) -> Verified | Broken:
    """
    Verify the lines of an export (NDJSON, one event each, from position 1; then its seal, if it has one), offline.

    The data's bytes are taken from the line as they stand, so nothing that another program re-encoded verifies. With
    `signer`, the 32 bytes of a public key, the export has to be sealed by it.
    """
    check, digest = Check(), sha256()
    sealed: Sealed | None = None
    for line in lines:
        if sealed is not None and line.strip():
            return Broken(check.position, "something stands after the seal")
        try:
            sealed = sealed or read_seal(line)
            if sealed is None and line.strip() and (broken := check.take(_parse(line))) is not None:
                return broken
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return Broken(check.position + 1, f"the line is neither an event nor a seal: {error}")
        if sealed is None:
            digest.update(line)
    verdict = check.verified()
    if isinstance(verdict, Broken):
        return verdict
    what = _unsealed(check, sealed, digest.digest(), signer)
    return replace(verdict, sealed=sealed) if what is None else Broken(check.position, what)


def _unsealed(check: "Check", sealed: Sealed | None, digest: bytes, signer: bytes | None) -> str | None:
    """Return why the end of an export is not what its seal says, or its reader demands."""
    if sealed is None:
        if check.left_out:
            return "events are left out, and no seal says for whom"
        return None if signer is None else "the export has no seal, so it may go on"
    seal = sealed.seal
    if (seal.position, seal.chain) != (check.position, check.chain):
        return f"the seal is of position {seal.position} with another chain value"
    if seal.sha256 != digest:
        return "the seal is of other lines"
    if check.left_out and seal.workspace == EVERYWHERE:
        return "events are left out of what is sealed as the whole log"
    return None if signer in (None, sealed.key) else "the seal is not signed with that key"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An event of another workspace in an export: what the chain needs of it."""

    position: int
    leaf: bytes
    chain: bytes


class Check:
    """The chain so far: from a position on, whose chain value and time are taken as given, else from the beginning."""

    def __init__(self, position: int = 0, chain: bytes = ZERO_CHAIN, at: datetime | None = None) -> None:
        self.position = position
        self.chain = chain
        self.left_out = 0
        self._at = at

    def take(self, fact: Recorded[Any] | LeftOut) -> Broken | None:
        """Take the next event; return what is wrong with it."""
        position = self.position + 1
        what = self._wrong(fact, position)
        if what is not None:
            return Broken(position, what)
        self.position, self.chain = position, fact.chain
        if isinstance(fact, Recorded):
            self._at = fact.at
        else:
            self.left_out += 1
        return None

    def verified(self) -> Verified | Broken:
        """Return the end of a chain in which nothing was wrong."""
        if not self.position:
            return Broken(1, "the log has no position 1")
        return Verified(self.position, self.chain, self.left_out)

    def _wrong(self, fact: Recorded[Any] | LeftOut, position: int) -> str | None:
        if fact.position != position:
            return f"position {position} is missing; the next one is {fact.position}"
        if isinstance(fact, Recorded):
            if "" in (fact.causation, fact.correlation):
                return "an absent text is stored as an empty one"
            if leaf(fact) != fact.leaf:
                return "the leaf is not that of the event"
            if self._at is not None and fact.at < self._at:
                return "its time is before that of the position before"
        if link(self.chain, position, fact.leaf) != fact.chain:
            return "the chain value does not follow from the one before"
        return None


def leaf(fact: Recorded[Any]) -> bytes:
    """Return the leaf that the event's fields give; empty where they have no canonical form."""
    try:
        before = before_at(
            workspace=fact.stream.workspace,
            stream=fact.stream.name,
            stream_version=fact.stream_version,
            type=fact.type,
            schema=fact.schema,
            actor=fact.actor,
            command_id=fact.command_id,
            causation=fact.causation,
            correlation=fact.correlation,
            data=fact.data.decode(),
        )
    except ValueError:
        return b""
    return leaf_of(before, instant(fact.at).encode())


def _parse(line: bytes) -> Recorded[Any] | LeftOut:
    event = orjson.loads(line)
    if event.keys() == {"position", "leaf", "chain"}:
        return LeftOut(event["position"], bytes.fromhex(event["leaf"]), bytes.fromhex(event["chain"]))
    begin, end = line.index(_DATA) + len(_DATA), line.rindex(_LEAF)
    at = datetime.fromisoformat(event["at"])
    if at.utcoffset() != timedelta(0):
        raise ValueError("its time is not in UTC")
    return Recorded(
        position=event["position"],
        stream=StreamId(event["workspace"], event["stream"]),
        stream_version=event["stream_version"],
        type=event["type"],
        schema=event["schema"],
        at=at,
        actor=event["actor"],
        command_id=event["command_id"],
        causation=event["causation"],
        correlation=event["correlation"],
        data=line[begin:end],
        leaf=bytes.fromhex(event["leaf"]),
        chain=bytes.fromhex(event["chain"]),
        decode=lambda *_: None,
    )
