"""
An append as its caller prepares it: encoded, checked, ready to be numbered.

All that can be done before the position and the time are known happens here, on the caller's side and while an earlier
batch is being committed; what is wrong with an append is raised here, where it harms no other one.
"""

import asyncio
from collections.abc import Sequence
from itertools import repeat
from typing import TypeAlias

from eventjobs.errors import Invalid
from eventjobs.events.recorded import Provenance, StreamId
from eventjobs.log.chain import FORM, encoded
from eventjobs.log.codec import Codec
from eventjobs.log.port import Append, Appended, Receipt

Fact: TypeAlias = tuple[StreamId, int, str, int, bytes, Provenance]
"""Stream, stream version, type, schema, data, who and what caused it."""

SEPARATOR = "\n"


class Prepared:
    """
    One append waiting for its outcome.

    `written` maps each stream it writes to the version it leaves there, `befores` are the canonical bytes before `at`,
    and `columns` the texts that go into the table, one line an event: workspace, stream, version, type, schema, actor,
    command id, causation, correlation, data. `size` counts the bytes that are hashed.
    """

    __slots__ = ("append", "befores", "columns", "done", "facts", "size", "written")

    def __init__(
        self,
        append: Append,
        facts: Sequence[Fact],
        befores: Sequence[bytes],
        columns: Sequence[str],
        written: dict[StreamId, int],
        done: "asyncio.Future[Appended]",
    ) -> None:
        self.append = append
        self.facts = facts
        self.befores = befores
        self.columns = columns
        self.written = written
        self.done = done
        self.size = sum(map(len, befores))

    def resolve(self, appended: Appended) -> None:
        """Answer the caller, if it still waits."""
        if not self.done.done():
            self.done.set_result(appended)

    def refuse(self, error: BaseException) -> None:
        """Raise at the caller, if it still waits."""
        if not self.done.done():
            self.done.set_exception(error)


def prepare(codec: Codec, append: Append) -> Prepared:
    """Encode an append; raises `Invalid` for values that the log does not carry."""
    versions: dict[StreamId, int] = {}
    facts: list[Fact] = []
    befores: list[bytes] = []
    texts: list[str] = []
    if append.provenances and len(append.provenances) != len(append.events):
        raise ValueError("an append has one provenance for each event, or one for all")
    by, expected, encode = append.provenance, append.expected, codec.encode
    who = _lines(by)
    try:
        for (stream, event), own in zip(append.events, append.provenances or repeat(by)):  # noqa: B905 or one for all
            if own is not by:
                by, who = own, _lines(own)
            known = versions.get(stream)
            versions[stream] = version = (expected[stream] if known is None else known) + 1
            kind, schema, data = event.TYPE, event.SCHEMA, encode(event)
            text = data.decode()
            lines = f"{FORM}\n{stream[0]}\n{stream[1]}\n{version}\n{kind}\n{schema}\n{who}\n{text}\n"
            befores.append(encoded(lines))
            facts.append((stream, version, kind, schema, data, by))
            texts.append(text)
    except ValueError as error:
        raise Invalid.at("", "odd_character", str(error)) from error
    for receipt in append.receipts:
        _check_receipt(receipt)
    if len({receipt.key for receipt in append.receipts}) < len(append.receipts):
        raise Invalid.at("key", "idempotency_key_reused", "one key stands for two commands of an append")
    done: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
    return Prepared(append, facts, befores, _columns(facts, texts), versions, done)


def _lines(by: Provenance) -> str:
    return f"{by.actor}\n{by.command_id}\n{by.causation or ''}\n{by.correlation or ''}"


def _columns(facts: Sequence[Fact], texts: Sequence[str]) -> Sequence[str]:
    if len(facts) == 1:
        (workspace, name), version, kind, schema, _, by = facts[0]
        who = (by.actor, by.command_id, by.causation or "", by.correlation or "")
        return (workspace, name, str(version), kind, str(schema), *who, texts[0])
    return (
        SEPARATOR.join([fact[0][0] for fact in facts]),
        SEPARATOR.join([fact[0][1] for fact in facts]),
        SEPARATOR.join([str(fact[1]) for fact in facts]),
        SEPARATOR.join([fact[2] for fact in facts]),
        SEPARATOR.join([str(fact[3]) for fact in facts]),
        SEPARATOR.join([fact[5].actor for fact in facts]),
        SEPARATOR.join([fact[5].command_id for fact in facts]),
        SEPARATOR.join([fact[5].causation or "" for fact in facts]),
        SEPARATOR.join([fact[5].correlation or "" for fact in facts]),
        SEPARATOR.join(texts),
    )


def _check_receipt(receipt: Receipt) -> None:
    if not receipt.key.isprintable():
        raise Invalid.at("key", "odd_character", "a receipt's key holds a character that does not print")
    if b"\n" in receipt.answer or b"\0" in receipt.answer:
        raise ValueError("a receipt's answer is JSON in one line")
    if len(receipt.body_hash) != 32:  # noqa: PLR2004 SHA-256
        raise ValueError("a receipt's body hash is a SHA-256")
