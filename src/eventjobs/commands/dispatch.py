"""
The one loop: load, fold, decide, append.

Losing a race is no error for the caller: the command is decided again on the newer state, a bounded number of times,
by turns with the others that lost. A command with If-Match never is. What was decided before a due moment and would be
written after it is decided again too. A key that was used before answers with its receipt.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from eventjobs.commands.census import ALONE, Census, CensusSource, Growth
from eventjobs.commands.contended import Contended, Turn
from eventjobs.commands.context import Context
from eventjobs.commands.outcomes import Keyed, Outcome, Replay, receipt_of, replayed, replayed_or_refused
from eventjobs.commands.snapshots import Snapshots
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.commands.states import States
from eventjobs.commands.world import Loaded, Uncounted, Unloaded, World
from eventjobs.domain.streams import REFUSED_ATTEMPTS
from eventjobs.errors import Forbidden, LogFault, LogUnavailable, Overtaken, Rejected, Stale, VersionConflict
from eventjobs.events.access import AttemptRefused
from eventjobs.events.recorded import StreamId
from eventjobs.ids import EVERYWHERE
from eventjobs.log.port import Append, Appended, EventLog, Receipt

HOLDS: Final = timedelta(seconds=20)
"""For how long a decision may wait to be written: who was frozen in between decides again, by the time that it is."""
NEVER: Final = datetime.max.replace(tzinfo=UTC)
MAX_TRIES: Final = 20
"""Lost races before a command gives up with `LogUnavailable` (503, nothing written)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a command would do now: the world as it would leave it, and the position it was tried on."""

    world: World
    position: int


@dataclass(frozen=True, slots=True)
class Decided:
    """A command with what was decided on it: the world as it would leave it."""

    world: World
    spec: CommandSpec[Any]
    command: CommandFields
    context: Context
    keyed: Keyed | None = None


class Dispatcher:
    """Runs commands against a log."""

    def __init__(self, log: EventLog, snapshots: Snapshots | None = None, source: CensusSource | None = None) -> None:
        self.log = log
        self.states = States(log, snapshots)
        self.census = Census(log, source)
        self.contended = Contended()

    async def dispatch(
        self,
        spec: CommandSpec[Any],
        command: CommandFields,
        context: Context,
        *,
        if_match: int | None = None,
        keyed: Keyed | None = None,
    ) -> Outcome:
        """
        Run one command.

        Raises `Rejected` when it is refused (nothing was written), `Stale` for another definition version than
        `if_match`, and the log's faults.
        """
        await self.authorise(spec, context)
        with Turn(self.contended) as turn:
            for attempt in range(MAX_TRIES):
                try:
                    world = await self.decide(spec, command, context, if_match=if_match, keyed=keyed)
                except Replay as replay:
                    return replayed(replay.receipt, keyed)
                try:
                    return await self.write(Decided(world, spec, command, context, keyed))
                except Overtaken as overtaken:
                    context = replace(context, now=overtaken.now)
                except VersionConflict as conflict:
                    await self._lost(conflict, world, context, attempt, if_match)
                    await turn.take(conflict.stream)
        raise LogUnavailable(f"{spec.name} lost {MAX_TRIES} races; nothing was written")

    async def try_out(
        self, spec: CommandSpec[Any], command: CommandFields, context: Context, *, if_match: int | None = None
    ) -> Trial:
        """Decide without appending, on fresh states; refusals are raised as they would be, and none is recorded."""
        await self.authorise(spec, context, record=False)
        world = await self.decide(spec, command, context, if_match=if_match)
        if await self.states.refresh(world.touched()):
            world = await self.decide(spec, command, context, if_match=if_match)
        return Trial(world=world, position=self.log.known_head.position)

    async def authorise(self, spec: CommandSpec[Any], context: Context, *, record: bool = True) -> None:
        """Raise `Forbidden`, and record the attempt, where the actor's roles do not allow the command."""
        grant = context.grant
        where = EVERYWHERE if spec.everywhere else context.workspace
        if grant is None or (not spec.internal and grant.may_write(spec.roles, where)):
            return
        if not record:
            raise forbidden(spec.name, sorted(spec.roles))
        await self.refuse(spec.name, sorted(spec.roles), context)

    async def refuse(self, action: str, needed: Sequence[str], context: Context) -> None:
        """Record a refused attempt in the deployment's access stream and raise `Forbidden`."""
        event = AttemptRefused(workspace=context.workspace, action=action, needed=tuple(needed))
        with Turn(self.contended) as turn:
            for _ in range(MAX_TRIES):
                loaded = (await self.states.load([REFUSED_ATTEMPTS]))[REFUSED_ATTEMPTS]
                append = Append(
                    events=[(REFUSED_ATTEMPTS, event)],
                    expected={REFUSED_ATTEMPTS: loaded.version},
                    provenance=context.provenance,
                )
                try:
                    appended = await self.log.append(append)
                except VersionConflict:
                    await self.states.refresh([REFUSED_ATTEMPTS])
                    await turn.take(REFUSED_ATTEMPTS)
                    continue
                versions = {REFUSED_ATTEMPTS: loaded.version + 1}
                self.states.applied({REFUSED_ATTEMPTS: loaded.state}, versions, appended.last)
                break
        raise forbidden(action, needed)

    async def decide(
        self,
        spec: CommandSpec[Any],
        command: CommandFields,
        context: Context,
        *,
        if_match: int | None = None,
        keyed: Keyed | None = None,
        beside: Growth = ALONE,
    ) -> World:
        """
        Decide, and where that writes nothing make sure that it was not for an old state or a used key.

        States of several streams may be of different moments, and a rule may then break as well as refuse; what it
        makes of states that have not moved is its last word. `beside` is what was decided before and not written
        yet. Raises `Rejected`, and `Replay` for a key that was used
        before.
        """
        for _ in range(MAX_TRIES):
            try:
                world = await self._attempt(spec, command, context, if_match, beside)
            except LogFault:
                raise
            except Exception as error:
                await self._replay(keyed)
                if not await self.states.refresh(getattr(error, "touched", ())):
                    raise
            else:
                if world.emitted:
                    return world
                await self._replay(keyed)
                if not await self.states.refresh(world.touched()):
                    return world
        raise LogUnavailable(f"{spec.name} found other states {MAX_TRIES} times; nothing was written")

    async def _attempt(
        self,
        spec: CommandSpec[Any],
        command: CommandFields,
        context: Context,
        if_match: int | None,
        beside: Growth,
    ) -> World:
        subjects = tuple(spec.streams(command, context))
        new = subjects[:1] if spec.creates else ()
        loaded: dict[StreamId, Loaded] = dict(await self.states.load(subjects, unless_new=new))
        if spec.creates:
            await self.census.catch_up(context.workspace)
        while True:
            world = World(context.workspace, loaded, self.states.in_memory, self.census.beside(beside))
            try:
                if if_match is not None:
                    match_version(world.state(subjects[0]), if_match)
                spec.decide(command, world, context)
            except Unloaded as missing:
                loaded.update(await self.states.load(missing.streams))
                continue
            except Uncounted as uncounted:
                await self.census.count(context.workspace, uncounted.kind)
                continue
            except Exception as error:
                error.touched = world.touched()  # type: ignore[attr-defined]
                raise
            return world

    async def write(self, decided: Decided) -> Outcome:
        """Append what was decided, with the key's receipt; raises the log's faults, `VersionConflict` among them."""
        written = (await self.write_each([decided]))[0]
        if isinstance(written, Exception):
            raise written
        return written

    async def write_each(self, decisions: Sequence[Decided]) -> Sequence[Outcome | Rejected | LogFault]:
        """
        Append decisions that do not touch each other, each by itself: they share a commit.

        What could not be written has its refusal or fault at its place, `VersionConflict` and `Overtaken` among them.
        """
        answers = [self.answer(one.world, one.spec, one.command, one.context) for one in decisions]
        writing = [place for place, one in enumerate(decisions) if one.world.emitted or one.keyed is not None]
        appends = [_append_of(decisions[place], answers[place]) for place in writing]
        written = dict(zip(writing, await self.log.append_each(appends), strict=True))
        return [
            self._outcome(one, answer, written[place]) if place in written else Outcome(answer=answer, decided=False)
            for place, (one, answer) in enumerate(zip(decisions, answers, strict=True))
        ]

    def _outcome(
        self, one: Decided, answer: dict[str, Any], appended: Appended | Rejected | LogFault
    ) -> Outcome | Rejected | LogFault:
        if isinstance(appended, Exception):
            return appended
        if appended.replayed is not None:
            return replayed_or_refused(appended.replayed, one.keyed)
        self.keep(one.world, appended)
        events = [{**event, "position": place} for place, event in enumerate(answer["events"], appended.first)]
        answer = {**answer, "position": appended.last, "events": events}
        return Outcome(answer=answer, secrets=one.world.secrets, decided=bool(events))

    def keep(self, world: World, appended: Appended) -> None:
        """Take over the states that an append left."""
        self.states.applied(world.states(), _versions(world), appended.last)

    async def _lost(
        self, conflict: VersionConflict, world: World, context: Context, attempt: int, if_match: int | None
    ) -> None:
        await self.states.refresh(world.touched())
        if if_match is not None:
            raise Stale("stale", "the definition changed while the command was decided") from conflict
        if attempt:
            await asyncio.sleep(0.002 * attempt * context.random.uniform())

    async def _replay(self, keyed: Keyed | None) -> None:
        if keyed is not None:
            receipt = await self.log.find_receipt(keyed.key)
            if receipt is not None:
                raise Replay(receipt)

    def answer(self, world: World, spec: CommandSpec[Any], command: CommandFields, context: Context) -> dict[str, Any]:
        """What the caller is told, as of the known head and without the positions that the events will have."""
        subject = spec.streams(command, context)[0]
        return {
            "command_id": context.command_id,
            "stream": subject.name,
            "version": world.state(subject).definition_version if _has_version(world, subject) else None,
            "position": self.log.known_head.position,
            "events": [
                {"position": None, "stream": stream.name, "type": event.TYPE} for stream, event in world.emitted
            ],
            "warnings": [warn.document for warn in world.warnings],
            **world.answer,
        }


def forbidden(action: str, needed: Sequence[str]) -> Forbidden:
    """The refusal for an actor with none of the roles that are needed."""
    detail = f"{action} needs one of the roles {', '.join(needed)}"
    return Forbidden("forbidden", detail, extra={"needed": needed})


def append_of(world: World, context: Context, receipts: Sequence[Receipt]) -> Append:
    """A world's facts, to be written on the versions that it read."""
    return Append(
        events=world.emitted,
        expected=world.expected(),
        provenance=context.provenance,
        receipts=receipts,
        read_at=world.read_at(),
        before=min(context.now + HOLDS, world.holds_until or NEVER),
    )


def _append_of(one: Decided, answer: Mapping[str, Any]) -> Append:
    receipts = () if one.keyed is None else (receipt_of(one.keyed, answer, one.world.secrets),)
    return append_of(one.world, one.context, receipts)


def match_version(state: object, if_match: int) -> None:
    """Raise `Stale` for the state of a thing whose definition has another version."""
    present = getattr(state, "definition_version", None)
    if present is None:
        raise Stale("stale", "this has no definition version that could be matched")
    if present != if_match:
        raise Stale("stale", f"the definition is at version {present}, not {if_match}", extra={"version": present})


def _has_version(world: World, subject: StreamId) -> bool:
    return subject in world.touched() and hasattr(world.state(subject), "definition_version")


def _versions(world: World) -> dict[StreamId, int]:
    expected = world.expected()
    versions: dict[StreamId, int] = {}
    for stream, _ in world.emitted:
        versions[stream] = versions.get(stream, expected[stream]) + 1
    return versions
