"""Small facts of the log's own tests, and appends made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

from eventjobs.events.log import LogCreated
from eventjobs.events.recorded import Event, Provenance, StreamId
from eventjobs.log.codec import Codec
from eventjobs.log.port import Append, Receipt

_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    TYPE: ClassVar[str] = "note.noted"
    SCHEMA: ClassVar[int] = 1

    text: str
    more: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    TYPE: ClassVar[str] = "note.struck"
    SCHEMA: ClassVar[int] = 1


CODEC = Codec((LogCreated, Noted, Struck))
ME = Provenance(actor="key:me", command_id="0192f0c1-0000-7000-8000-000000000001")


def a_stream(workspace: str = "acme") -> StreamId:
    """A stream that nobody has written to."""
    return StreamId(workspace, f"note:{next(_numbers)}")


def a_key() -> str:
    """A key that nobody has used."""
    return f"acme/key:me/{next(_numbers)}"


def a_receipt(key: str | None = None, body_hash: bytes = bytes(32), answer: bytes = b'{"a":"\xc3\xa9"}') -> Receipt:
    return Receipt(key=key or a_key(), body_hash=body_hash, status=201, answer=answer)


def noted(text: str = "hello", **more: Any) -> Noted:
    return Noted(text=text, more=more or None)


def append_to(
    stream: StreamId,
    *events: Event,
    at: int = 0,
    guards: Mapping[StreamId, int] | None = None,
    receipt: Receipt | None = None,
    by: Provenance = ME,
    read_at: int | None = None,
) -> Append:
    """An append to one stream that is expected at version `at`."""
    return Append(
        events=[(stream, event) for event in events],
        expected={stream: at, **(guards or {})},
        provenance=by,
        receipts=() if receipt is None else (receipt,),
        read_at={} if read_at is None else dict.fromkeys((stream, *(guards or {})), read_at),
    )
