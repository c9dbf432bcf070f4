"""
Many commands in one request, in order, each on the state that the earlier ones left.

By themselves: commands that do not touch each other's streams are appended together, so a batch costs few commits; one
that is refused leaves the others alone. Atomic: one world, one append, all or none.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from eventjobs.commands.census import MORE, grown
from eventjobs.commands.contended import Turn
from eventjobs.commands.context import Context
from eventjobs.commands.dispatch import MAX_TRIES, Decided, Dispatcher, Trial, append_of, match_version
from eventjobs.commands.outcomes import Keyed, Outcome, Replay, receipt_of, replayed, replayed_or_refused
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.commands.world import Loaded, Uncounted, Unloaded, Warn, World
from eventjobs.errors import Invalid, LogFault, LogUnavailable, Overtaken, Rejected, Stale, VersionConflict
from eventjobs.events.recorded import StreamId
from eventjobs.log.port import Appended, StoredReceipt

STRETCH: Final = 50
"""After how many commands the event loop has its turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command of a batch; `if_match`, in an atomic one, is its thing's definition version before the batch."""

    spec: CommandSpec[Any]
    command: CommandFields
    context: Context
    keyed: Keyed | None = None
    if_match: int | None = None


@dataclass(slots=True)
class _Together:
    """Decided commands that wait for their append, and the streams that they read and write."""

    places: list[int] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    read: set[StreamId] = field(default_factory=set)
    written: set[StreamId] = field(default_factory=set)
    growth: Counter[tuple[str, str]] = field(default_factory=Counter)

    def meets(self, world: World) -> bool:
        """Tell whether a later decision depends on these."""
        written = {stream for stream, _ in world.emitted}
        return not self.written.isdisjoint(world.touched()) or not self.read.isdisjoint(written)

    def add(self, place: int, entry: Entry, world: World) -> None:
        self.places.append(place)
        self.decided.append(Decided(world, entry.spec, entry.command, entry.context, entry.keyed))
        self.read |= world.touched()
        self.written |= {stream for stream, _ in world.emitted}
        for kind in MORE:
            self.growth[world.workspace_id, kind] += grown(world.emitted, kind)


async def run_each(dispatcher: Dispatcher, entries: Sequence[Entry]) -> Sequence[Outcome | Rejected | LogFault]:
    """Run each command by itself; the answers are in the entries' order, refusals and faults as values."""
    answers: list[Outcome | Rejected | LogFault] = [LogUnavailable("not reached")] * len(entries)
    together = _Together()
    await dispatcher.states.load(_to_read(entries))  # in one query; what is decided reads them from memory
    for place, entry in enumerate(entries):
        if place % STRETCH == STRETCH - 1:
            await asyncio.sleep(0)  # what falls due meanwhile comes first
        try:
            await dispatcher.authorise(entry.spec, entry.context)
            world = await dispatcher.decide(
                entry.spec, entry.command, entry.context, keyed=entry.keyed, beside=together.growth
            )
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
        if isinstance(outcome, (VersionConflict, Overtaken)):
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

    Raises `AtomicRefusal` with the first refusal. Each key gets a receipt of its own, and an atomic batch has a key for
    every entry or for none: the same batch again, or one of its commands alone, answers as before. One with an
    `if_match` that loses a race is `Stale` and is not decided again.
    """
    for place, entry in enumerate(entries):
        try:
            await dispatcher.authorise(entry.spec, entry.context)
        except Rejected as refusal:
            raise AtomicRefusal(place, refusal) from None
    _check_keys(entries)
    with Turn(dispatcher.contended) as turn:
        for _ in range(MAX_TRIES):
            try:
                world, parts = await _decide_all(dispatcher, entries)
            except AtomicRefusal:
                if any(await _receipts(dispatcher, entries)):
                    return await _replay_all(dispatcher, entries)
                raise
            try:
                appended = await _append_all(dispatcher, world, entries, parts)
            except VersionConflict as conflict:
                await dispatcher.states.refresh(world.touched())
                _refuse_matched(entries)
                await turn.take(conflict.stream)
                continue
            except Overtaken as overtaken:
                entries = [replace(entry, context=replace(entry.context, now=overtaken.now)) for entry in entries]
                continue
            if appended.replayed is not None:
                return await _replay_all(dispatcher, entries)
            dispatcher.keep(world, appended)
            return [part.outcome(appended) for part in parts]
    raise LogUnavailable(f"the batch lost {MAX_TRIES} races; nothing was written")


async def try_all(dispatcher: Dispatcher, entries: Sequence[Entry]) -> Trial:
    """Decide all commands without appending; raises `AtomicRefusal` with the first refusal, which is not recorded."""
    for place, entry in enumerate(entries):
        try:
            await dispatcher.authorise(entry.spec, entry.context, record=False)
        except Rejected as refusal:
            raise AtomicRefusal(place, refusal) from None
    world, parts = await _decide_all(dispatcher, entries)
    world.warnings = [Warn.read(warning) for part in parts for warning in part.answer["warnings"]]
    return Trial(world=world, position=dispatcher.log.known_head.position)


def _refuse_matched(entries: Sequence[Entry]) -> None:
    """Raise `AtomicRefusal` where a race was lost by what was decided for one definition version."""
    for place, entry in enumerate(entries):
        if entry.if_match is not None:
            raise AtomicRefusal(place, Stale("stale", "the definition changed while the batch was decided"))


def _check_keys(entries: Sequence[Entry]) -> None:
    keys = [entry.keyed.key for entry in entries if entry.keyed is not None]
    if keys and len(keys) < len(entries):
        raise Invalid.at("key", "missing", "an atomic batch has a key for every entry, or for none")
    seen: set[str] = set()
    for place, key in enumerate(keys):
        if key in seen:
            raise AtomicRefusal(place, Invalid("idempotency_key_reused", "an entry before this one has its key"))
        seen.add(key)


@dataclass(frozen=True, slots=True)
class _Part:
    """What one entry of an atomic batch decided; `begin` is the place of its first fact in the append."""

    answer: Mapping[str, Any]
    secrets: Mapping[str, Any]
    begin: int

    def outcome(self, appended: Appended) -> Outcome:
        first = appended.first + self.begin
        events = [{**event, "position": place} for place, event in enumerate(self.answer["events"], first)]
        position = events[-1]["position"] if events else appended.last
        answer = {**self.answer, "events": events, "position": position}
        return Outcome(answer=answer, secrets=self.secrets, decided=bool(events))


async def _decide_all(dispatcher: Dispatcher, entries: Sequence[Entry]) -> tuple[World, Sequence[_Part]]:
    wanted = _subjects(entries)
    await dispatcher.states.refresh(wanted)
    loaded: dict[StreamId, Loaded] = dict(await dispatcher.states.load(wanted))
    while True:
        world = World(entries[0].context.workspace, loaded, dispatcher.states.in_memory, dispatcher.census.known)
        try:
            return world, [_decide_one(dispatcher, world, place, entry) for place, entry in enumerate(entries)]
        except Unloaded as missing:
            loaded.update(await dispatcher.states.load(missing.streams))
        except Uncounted as uncounted:
            await dispatcher.census.count(entries[0].context.workspace, uncounted.kind)


def _decide_one(dispatcher: Dispatcher, world: World, place: int, entry: Entry) -> _Part:
    begin = len(world.emitted)
    world.answer, world.secrets, world.warnings = {}, {}, []
    try:
        if entry.if_match is not None:
            match_version(world.before(entry.spec.streams(entry.command, entry.context)[0]), entry.if_match)
        entry.spec.decide(entry.command, world, entry.context)
    except Rejected as refusal:
        raise AtomicRefusal(place, refusal) from None
    answer = dispatcher.answer(world, entry.spec, entry.command, entry.context)
    return _Part({**answer, "events": answer["events"][begin:]}, dict(world.secrets), begin)


async def _append_all(
    dispatcher: Dispatcher, world: World, entries: Sequence[Entry], parts: Sequence[_Part]
) -> Appended:
    receipts = [
        receipt_of(entry.keyed, part.answer, part.secrets, begin=part.begin)
        for entry, part in zip(entries, parts, strict=True)
        if entry.keyed is not None
    ]
    if not world.emitted and not receipts:
        head = dispatcher.log.known_head
        return Appended(first=head.position + 1, last=head.position, at=head.at)
    ends = [*(part.begin for part in parts[1:]), len(world.emitted)]
    provenances = [
        entry.context.provenance
        for entry, part, end in zip(entries, parts, ends, strict=True)
        for _ in range(part.begin, end)
    ]
    append = append_of(world, entries[0].context, receipts)
    return await dispatcher.log.append(replace(append, provenances=provenances))


async def _receipts(dispatcher: Dispatcher, entries: Sequence[Entry]) -> Sequence[StoredReceipt | None]:
    find = dispatcher.log.find_receipt
    return [None if entry.keyed is None else await find(entry.keyed.key) for entry in entries]


async def _replay_all(dispatcher: Dispatcher, entries: Sequence[Entry]) -> Sequence[Outcome]:
    """Answer from the receipts; raises `AtomicRefusal` where some keys were used and not all, or for another body."""
    outcomes: list[Outcome] = []
    for place, (entry, receipt) in enumerate(zip(entries, await _receipts(dispatcher, entries), strict=True)):
        try:
            if receipt is None:
                raise Invalid("idempotency_key_reused", "other keys of this batch were used, and this one was not")
            outcomes.append(replayed(receipt, entry.keyed))
        except Rejected as refusal:
            raise AtomicRefusal(place, refusal) from None
    return outcomes
