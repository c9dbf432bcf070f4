"""
What a command would do, without doing it.

It is decided again on the same state with other chance and other new ids: what differs then was drawn, and the events
say so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson

from eventjobs.api.answers import encoded
from eventjobs.api.registry import Call
from eventjobs.commands.context import Context
from eventjobs.commands.dispatch import Trial
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.domain.due import answer_due
from eventjobs.domain.preview import Coming, preview
from eventjobs.domain.schedule import Schedule
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import RunOpened
from eventjobs.ids import Random

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
    trial, *others = await _tried(call, spec, command, context, if_match)
    world = trial.world
    schedules = sorted(stream for stream in world.touched() if stream.kind == "schedule")
    return {
        "dry_run": True,
        "position": trial.position,
        "events": list(_events(trial, others)),
        "warnings": [{"code": warn.code, "detail": warn.detail, "path": warn.path} for warn in world.warnings],
        "runs_now": [*_opened(trial), *_pending(trial, schedules, context)],
        "next": {_owner(stream): _coming(world.state(stream), context) for stream in schedules},
        "before": {_owner(stream): _coming(world.before(stream), context) for stream in schedules},
    }


async def _tried(
    call: Call, spec: CommandSpec[Any], command: CommandFields, context: Context, if_match: int | None
) -> Sequence[Trial]:
    """Try it with its own and with two extremes of luck, on one position if others allow it."""
    trials: list[Trial] = []
    for _ in range(_TRIES):
        trials = [
            await call.deps.dispatcher.try_out(spec, command, one, if_match=if_match)
            for one in (context, *(_with(context, chance) for chance in _EXTREMES))
        ]
        if len({trial.position for trial in trials}) == 1:
            break
    return trials


def _with(context: Context, chance: Random) -> Context:
    return replace(context, random=chance, command_id=context.ids.new())


def _events(trial: Trial, others: Sequence[Trial]) -> Iterator[Mapping[str, Any]]:
    for place, emitted in enumerate(trial.world.emitted):
        event, drawn = _event(*emitted), set[str]()
        for other in others:
            if place < len(other.world.emitted):
                drawn.update(_differences(event, _event(*other.world.emitted[place]), ""))
        yield {**event, "drawn": sorted(drawn)}


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


def _pending(trial: Trial, schedules: Sequence[StreamId], context: Context) -> Iterator[Mapping[str, Any]]:
    """The schedules that the change leaves due: the next tick answers them."""
    for stream in schedules:
        schedule: Schedule = trial.world.state(stream)
        due = schedule.next
        if not schedule.active or due is None or due.due > context.now:
            continue
        answer = answer_due(schedule.cadence, schedule.policies.timing, schedule.timing, due, context.now)
        if answer.runs is not None:
            yield {"owner": {"kind": stream.kind, "id": stream.id}, "cause": answer.cause, "due": answer.runs.due}


def _coming(schedule: Schedule, context: Context) -> Sequence[Mapping[str, Any]]:
    if not schedule.alive or not schedule.active:
        return []
    coming = preview(
        schedule.cadence,
        schedule.policies.timing,
        schedule.timing,
        schedule.next,
        COMING,
        now=context.now,
        halts=() if schedule.pause is None else (schedule.pause,),
    )
    return [_moment(one) for one in coming]


def _moment(one: Coming) -> Mapping[str, Any]:
    return {"due": one.due.due, "local": one.due.local, "fold": one.due.fold, "notes": one.notes}


def _owner(stream: StreamId) -> str:
    return f"{stream.kind}/{stream.id}"
