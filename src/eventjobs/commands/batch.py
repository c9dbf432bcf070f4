"""
Many commands in one request, in order, each on the state that the earlier ones left.

By themselves: commands that do not touch each other's streams are appended together, so a batch costs few commits; one
that is refused leaves the others alone. Atomic: one world, one append, all or none.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from eventjobs.commands.context import Context
from eventjobs.commands.dispatch import (
    MAX_TRIES,
    Decided,
    Dispatcher,
    Keyed,
    Outcome,
    Replay,
    append_of,
    receipt_of,
    replayed_or_refused,
)
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.commands.world import Loaded, Unloaded, World
from eventjobs.errors import Invalid, LogFault, LogUnavailable, Rejected, VersionConflict
from eventjobs.events.recorded import StreamId

COMMANDS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command of a batch."""

    spec: CommandSpec[Any]
    command: CommandFields
    context: Context
    keyed: Keyed | None = None


@dataclass(slots=True)
class _Together:
    """Decided commands that wait for their append, and the streams that they read and write."""

    places: list[int] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    read: set[StreamId] = field(default_factory=set)
    written: set[StreamId] = field(default_factory=set)

    def meets(self, world: World) -> bool:
        """Tell whether a later decision depends on these."""
        written = {stream for stream, _ in world.emitted}
        return not self.written.isdisjoint(world.touched()) or not self.read.isdisjoint(written)

    def add(self, place: int, entry: Entry, world: World) -> None:
        self.places.append(place)
        self.decided.append(Decided(world, entry.spec, entry.command, entry.context, entry.keyed))
        self.read |= world.touched()
        self.written |= {stream for stream, _ in world.emitted}


async def run_batch(
    dispatcher: Dispatcher, entries: Sequence[Entry], *, atomic: bool
) -> Sequence[Outcome | Rejected | LogFault]:
    """
    Run a batch; the answers are in the entries' order.

    An atomic one that was refused has the refusal at its place and, at all others, `not_run`.
    """
    if not atomic:
        return await run_each(dispatcher, entries)
    try:
        return await run_all(dispatcher, entries)
    except AtomicRefusal as refused:
        others = Rejected("not_run", "another command of the batch was refused")
        return [refused.refusal if place == refused.place else others for place in range(len(entries))]


async def run_each(dispatcher: Dispatcher, entries: Sequence[Entry]) -> Sequence[Outcome | Rejected | LogFault]:
    """Run each command by itself; the answers are in the entries' order, refusals and faults as values."""
    answers: list[Outcome | Rejected | LogFault] = [LogUnavailable("not reached")] * len(entries)
    together = _Together()
    await dispatcher.states.load(_to_read(entries))  # in one query; what is decided reads them from memory
    for place, entry in enumerate(entries):
        try:
            await dispatcher.authorise(entry.spec, entry.context)
            world = await dispatcher.decide(entry.spec, entry.command, entry.context, keyed=entry.keyed)
            if together.meets(world):
                await _write(dispatcher, entries, together, answers)
                together = _Together()
                world = await dispatcher.decide(entry.spec, entry.command, entry.context, keyed=entry.keyed)
        except Replay as replay:
            answers[place] = replayed_or_refused(replay.receipt, entry.keyed)
        except (Rejected, LogFault) as refusal:
            if not together.decided:
                answers[place] = refusal
                continue
            await _write(dispatcher, entries, together, answers)
            together = _Together()
            answers[place] = await _alone(dispatcher, entry)
        else:
            together.add(place, entry, world)
    await _write(dispatcher, entries, together, answers)
    return answers


def _subjects(entries: Sequence[Entry]) -> set[StreamId]:
    return {stream for entry in entries for stream in entry.spec.streams(entry.command, entry.context)}


def _to_read(entries: Sequence[Entry]) -> set[StreamId]:
    streams: set[StreamId] = set()
    for entry in entries:
        streams.update(entry.spec.streams(entry.command, entry.context)[1 if entry.spec.creates else 0 :])
    return streams


async def _write(
    dispatcher: Dispatcher,
    entries: Sequence[Entry],
    together: _Together,
    answers: list[Outcome | Rejected | LogFault],
) -> None:
    outcomes = await dispatcher.write_each(together.decided)
    for place, outcome in zip(together.places, outcomes, strict=True):
        if isinstance(outcome, VersionConflict):
            await dispatcher.states.refresh(_subjects(entries[place : place + 1]))
            answers[place] = await _alone(dispatcher, entries[place])
        else:
            answers[place] = outcome


async def _alone(dispatcher: Dispatcher, entry: Entry) -> Outcome | Rejected | LogFault:
    try:
        return await dispatcher.dispatch(entry.spec, entry.command, entry.context, keyed=entry.keyed)
    except (Rejected, LogFault) as refusal:
        return refusal


class AtomicRefusal(Exception):
    """The entry at `place` was refused, so nothing of the batch was written."""

    def __init__(self, place: int, refusal: Rejected) -> None:
        super().__init__(str(refusal))
        self.place = place
        self.refusal = refusal


async def run_all(dispatcher: Dispatcher, entries: Sequence[Entry]) -> Sequence[Outcome]:
    """
    Run all commands in one append, or none of them.

    Raises `AtomicRefusal` with the first refusal. The entries' keys together are the key of the whole: the same batch
    again answers as before, and an atomic batch has a key for each entry or for none.
    """
    for place, entry in enumerate(entries):
        try:
            await dispatcher.authorise(entry.spec, entry.context)
        except Rejected as refusal:
            raise AtomicRefusal(place, refusal) from None
    keyed = _one_key(entries)
    contexts = [entry.context for entry in entries]
    for _ in range(MAX_TRIES):
        world, answers = await _decide_all(dispatcher, entries, contexts)
        try:
            return await _write_all(dispatcher, world, answers, contexts[0], keyed)
        except VersionConflict:
            await dispatcher.states.refresh(world.touched())
    raise LogUnavailable(f"the batch lost {MAX_TRIES} races; nothing was written")


async def _decide_all(
    dispatcher: Dispatcher, entries: Sequence[Entry], contexts: Sequence[Context]
) -> tuple[World, list[dict[str, Any]]]:
    wanted = _subjects(entries)
    await dispatcher.states.refresh(wanted)
    loaded: dict[StreamId, Loaded] = dict(await dispatcher.states.load(wanted))
    while True:
        world = World(contexts[0].workspace, loaded)
        try:
            return world, [
                _decide_one(dispatcher, world, place, entry, own)
                for place, (entry, own) in enumerate(zip(entries, contexts, strict=True))
            ]
        except Unloaded as missing:
            loaded.update(await dispatcher.states.load(missing.streams))


def _decide_one(dispatcher: Dispatcher, world: World, place: int, entry: Entry, context: Context) -> dict[str, Any]:
    before = len(world.emitted)
    world.answer, world.secrets, world.warnings = {}, {}, []
    try:
        entry.spec.decide(entry.command, world, context)
    except Rejected as refusal:
        raise AtomicRefusal(place, refusal) from None
    answer = dispatcher.answer(world, entry.spec, entry.command, context)
    return {**answer, "events": answer["events"][before:], "before": before, "secrets": dict(world.secrets)}


async def _write_all(
    dispatcher: Dispatcher, world: World, answers: list[dict[str, Any]], context: Context, keyed: Keyed | None
) -> Sequence[Outcome]:
    receipt = None
    if keyed is not None:
        stored = [{**answer, "secrets": sorted(answer["secrets"])} for answer in answers]
        receipt = receipt_of(keyed, {"batch": stored}, decided=bool(world.emitted))
    if not world.emitted and receipt is None:
        head = dispatcher.log.known_head.position
        return [_placed(answer, head + 1, head) for answer in answers]
    appended = await dispatcher.log.append(append_of(world, context, receipt))
    if appended.replayed is None:
        dispatcher.keep(world, appended)
        return [_placed(answer, appended.first, appended.last) for answer in answers]
    if keyed is None or appended.replayed.body_hash != keyed.body_hash:
        raise AtomicRefusal(0, Invalid("idempotency_key_reused", "these keys were used for another batch"))
    kept = orjson.loads(appended.replayed.answer)["batch"]
    again = [{**answer, "secrets": dict.fromkeys(answer["secrets"])} for answer in kept]
    return [
        replace(_placed(answer, appended.replayed.first, appended.replayed.last), replayed=True) for answer in again
    ]


def _placed(answer: dict[str, Any], first: int, last: int) -> Outcome:
    """The outcome of one entry of a batch whose facts begin at `first`."""
    before, secrets = answer.pop("before"), answer.pop("secrets")
    events = [{**event, "position": first + before + place} for place, event in enumerate(answer["events"])]
    position = first + before + len(events) - 1 if events else last
    return Outcome(answer={**answer, "events": events, "position": position}, secrets=secrets, decided=bool(events))


def _one_key(entries: Sequence[Entry]) -> Keyed | None:
    keyed = [entry.keyed for entry in entries if entry.keyed is not None]
    if not keyed:
        return None
    if len(keyed) != len(entries):
        raise Invalid.at("key", "missing", "an atomic batch has a key for every entry, or for none")
    return Keyed(
        key="batch:" + hashlib.sha256("\n".join(one.key for one in keyed).encode()).hexdigest(),
        body_hash=hashlib.sha256(b"".join(one.body_hash for one in keyed)).digest(),
    )
