"""What a caller is told, and what the log keeps of it under a key, so that the same key is answered the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from eventjobs.errors import Invalid, Rejected
from eventjobs.log.port import Receipt, StoredReceipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A client's key in its whole scope, and the SHA-256 of the command it was sent with."""

    key: str
    body_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What became of a command.

    `answer` holds `command_id, stream, version, position, events, warnings` and what the command adds (`run`);
    `secrets` is shown once and never stored; `decided` tells whether anything was written.
    """

    answer: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(default_factory=dict)
    decided: bool = True
    replayed: bool = False


class Replay(Exception):
    """The key was used before: `receipt` is what it stands for."""

    def __init__(self, receipt: StoredReceipt) -> None:
        super().__init__(receipt.key)
        self.receipt = receipt


def receipt_of(keyed: Keyed, answer: Mapping[str, Any], secrets: Iterable[str], *, begin: int = 0) -> Receipt:
    """What the log keeps under a key; the answer's events stand in the append from `begin` on."""
    events = len(answer["events"])
    return Receipt(
        key=keyed.key,
        body_hash=keyed.body_hash,
        status=201 if events else 200,
        answer=orjson.dumps({**answer, "secrets": sorted(secrets)}),
        begin=begin,
        count=events,
    )


def replayed(receipt: StoredReceipt, keyed: Keyed | None) -> Outcome:
    """Answer from a receipt; raises `Invalid` where the key was used for something else."""
    if keyed is None or receipt.body_hash != keyed.body_hash:
        raise Invalid("idempotency_key_reused", "this key was used for another command")
    answer = orjson.loads(receipt.answer)
    hidden = dict.fromkeys(answer.pop("secrets", ()))
    events = [{**event, "position": receipt.first + place} for place, event in enumerate(answer["events"])]
    return Outcome(
        answer={**answer, "position": receipt.last, "events": events},
        secrets=hidden,
        decided=receipt.status == 201,  # noqa: PLR2004 the status that was answered
        replayed=True,
    )


def replayed_or_refused(receipt: StoredReceipt, keyed: Keyed | None) -> Outcome | Rejected:
    """Answer from a receipt, with the refusal as a value."""
    try:
        return replayed(receipt, keyed)
    except Rejected as refusal:
        return refusal
