"""
What a command would do, without doing it.

It is decided again on the same state with other chance and other new ids: what differs then was drawn, and the events
say so.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import orjson

from eventjobs.api.answers import encoded
from eventjobs.api.changes import changes
from eventjobs.api.foresight import as_owner, foreseen
from eventjobs.api.registry import Call
from eventjobs.audit.sentences import Narrator
from eventjobs.commands.batch import Entry, try_all
from eventjobs.commands.context import Context
from eventjobs.commands.dispatch import Trial
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.commands.world import World
from eventjobs.domain.calendar import Calendar
from eventjobs.domain.connect_job import ConnectJob
from eventjobs.domain.due import answer_due
from eventjobs.domain.owner import Owner
from eventjobs.domain.preview import Coming, preview
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.slots import is_drawn_later, window_of
from eventjobs.domain.streams import OWNER_FOLDS, calendar_stream
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import RunOpened
from eventjobs.events.slots import SlotType
from eventjobs.ids import Random

Change: TypeAlias = Callable[[Context], Context]

COMING: Final = 10
_TRIES: Final = 3


class _Chance:
    """Chance at one end of its range, and text that no other source gives."""

    def __init__(self, uniform: float) -> None:
        self._uniform = uniform

    def uniform(self) -> float:
        """Return always the same number."""
        return self._uniform

    def token(self, nbytes: int) -> str:
        """Return always the same text."""
        return f"{self._uniform}".ljust(nbytes, "~")


_EXTREMES: Final = (_Chance(0.0), _Chance(0.999_999_999))


async def dry_run(
    call: Call, spec: CommandSpec[Any], command: CommandFields, context: Context, if_match: int | None
) -> Mapping[str, Any]:
    """Return the preview; refusals are raised as they would be without it."""

    def try_out(change: Change) -> Awaitable[Trial]:
        return call.deps.dispatcher.try_out(spec, command, change(context), if_match=if_match)

    return await _preview(call, await _tried(try_out), context)


async def dry_run_all(call: Call, entries: Sequence[Entry]) -> Mapping[str, Any]:
    """Return the preview of an atomic batch as a whole; raises `AtomicRefusal`."""

    def try_out(change: Change) -> Awaitable[Trial]:
        changed = [replace(entry, context=change(entry.context)) for entry in entries]
        return try_all(call.deps.dispatcher, changed)

    return await _preview(call, await _tried(try_out), entries[0].context)


async def _preview(call: Call, trials: Sequence[Trial], context: Context) -> Mapping[str, Any]:
    trial, *others = trials
    world = trial.world
    schedules = sorted(stream for stream in world.touched() if stream.kind == "schedule")
    calendars = await _calendars(call, trial, schedules)
    owners = _owners(world)
    return {
        "dry_run": True,
        "position": trial.position,
        "events": list(_events(trial, others)),
        "warnings": [warn.document for warn in (*world.warnings, *await foreseen(call, trial, owners, context))],
        "runs_now": runs_now(trial, context),
        "next": {
            name: _coming(as_owner(world.state(stream)), calendars, context, drawn=_is_drawn(stream, trials))
            for name, stream in owners.items()
        },
        "before": {
            name: _coming(as_owner(world.before(stream)), calendars, context) for name, stream in owners.items()
        },
        "diff": changes(world),
    }


def runs_now(trial: Trial, context: Context) -> Sequence[Mapping[str, Any]]:
    """Return the runs that it would start at once: those that it opens, and those that the next tick would."""
    return [*_opened(trial), *_pending(trial, context)]


async def _tried(try_out: Callable[[Change], Awaitable[Trial]]) -> Sequence[Trial]:
    """Try it with its own and with two extremes of luck, on one position if others allow it."""
    trials: list[Trial] = []
    for _ in range(_TRIES):
        trials = [await try_out(lambda context: context), *[await try_out(_with(chance)) for chance in _EXTREMES]]
        if len({trial.position for trial in trials}) == 1:
            break
    return trials


def _with(chance: Random) -> Change:
    return lambda context: replace(context, random=chance, command_id=context.ids.new())


def _events(trial: Trial, others: Sequence[Trial]) -> Iterator[Mapping[str, Any]]:
    narrator = Narrator()
    for place, emitted in enumerate(trial.world.emitted):
        event, drawn = _event(*emitted), set[str]()
        for other in others:
            if place < len(other.world.emitted):
                drawn.update(_differences(event, _event(*other.world.emitted[place]), ""))
        yield {**event, "sentence": narrator.tell(event), "drawn": sorted(drawn)}


def _event(stream: StreamId, event: Any) -> dict[str, Any]:
    return {"stream": stream.name, "type": event.TYPE, "data": orjson.loads(encoded(event))}


def _differences(one: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            yield from _differences(one.get(name), other.get(name), f"{path}.{name}" if path else name)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from _differences(*pair, f"{path}.{place}")
    elif one != other:
        yield path


def _opened(trial: Trial) -> Iterator[Mapping[str, Any]]:
    for _, event in trial.world.emitted:
        if isinstance(event, RunOpened):
            yield {"owner": event.owner, "cause": event.cause, "due": event.due}


def _pending(trial: Trial, context: Context) -> Iterator[Mapping[str, Any]]:
    """The owners that the change leaves due: the next tick answers them."""
    for name, stream in _owners(trial.world).items():
        owner = as_owner(trial.world.state(stream))
        due, over = owner.next, owner.is_over(context.now)
        if not owner.active or due is None or due.due > context.now:
            continue
        answer = answer_due(owner.cadence, owner.policies.timing, owner.timing, due, context.now, over=over)
        if answer.runs is not None:
            kind, _, the_id = name.partition("/")
            yield {"owner": {"kind": kind, "id": the_id}, "cause": answer.cause, "due": answer.runs.due}


def _owners(world: World) -> Mapping[str, StreamId]:
    """Return the owners that the decision looked at, by name; a Connect job only if it has a schedule of its own."""
    streams = sorted(stream for stream in world.touched() if stream.kind in OWNER_FOLDS)
    return {
        _name(stream, world.state(stream)): stream
        for stream in streams
        if stream.kind != "job" or any(_is_scheduled(state) for state in (world.before(stream), world.state(stream)))
    }


def _name(stream: StreamId, state: Owner | ConnectJob) -> str:
    return f"{state.kind if isinstance(state, ConnectJob) else stream.kind}/{stream.id}"


def _is_scheduled(job: ConnectJob) -> bool:
    return job.own.schedule.type is not SlotType.ON_DEMAND


def _is_drawn(stream: StreamId, trials: Sequence[Trial]) -> bool:
    """Whether other luck would have given another minute."""
    there = [as_owner(trial.world.state(stream)) for trial in trials if stream in trial.world.touched()]
    return len({owner.schedule.minute for owner in there if isinstance(owner, SlotOwner)}) > 1


async def _calendars(call: Call, trial: Trial, schedules: Sequence[StreamId]) -> Mapping[str, Calendar]:
    """Return the calendars that the schedules name, before or after the change."""
    states = [state for stream in schedules for state in (trial.world.state(stream), trial.world.before(stream))]
    named = {calendar_stream(call.workspace, name) for state in states for name in state.policies.calendars}
    if not named:
        return {}
    await call.deps.dispatcher.states.refresh(named)
    return {stream.id: loaded.state for stream, loaded in (await call.deps.dispatcher.states.load(named)).items()}


def _coming(
    owner: Owner, calendars: Mapping[str, Calendar], context: Context, *, drawn: bool = False
) -> Sequence[Mapping[str, Any]]:
    if not owner.alive or not owner.active:
        return []
    coming = preview(
        owner.cadence,
        owner.policies.timing,
        owner.timing,
        owner.next,
        COMING,
        now=context.now,
        halts=() if owner.pause is None else (owner.pause,),
        calendars={name: calendars[name] for name in owner.policies.calendars},
    )
    return [
        {**_moment(one), **(_slot(one, owner, drawn=drawn) if isinstance(owner, SlotOwner) else {})} for one in coming
    ]


def _moment(one: Coming) -> Mapping[str, Any]:
    return {"due": one.due.due, "local": one.due.local, "fold": one.due.fold, "notes": one.notes}


def _slot(one: Coming, owner: SlotOwner, *, drawn: bool) -> Mapping[str, Any]:
    drawn = drawn or is_drawn_later(owner.schedule, owner.next, one.due)
    return {"window": window_of(one.due), "drawn": ["due", "local"] if drawn else []}
