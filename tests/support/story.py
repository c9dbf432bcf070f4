"""
Stories about commands: `given(…).when(command).then(facts…)`.

A story holds one deployment's streams in memory. A command is decided on a `World` as the dispatcher would do it:
streams are loaded when they are asked for, and every fact goes through the codec before it counts. Accepted facts stay,
so that a story can go on.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from eventjobs.commands import SPECS
from eventjobs.commands.context import Context, Limits
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.commands.world import Loaded, Unloaded, World
from eventjobs.domain.access import Grant
from eventjobs.domain.connect_job import ConnectJob
from eventjobs.domain.flow import Flow
from eventjobs.domain.group import Group
from eventjobs.domain.run import Run
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.service import Service
from eventjobs.domain.streams import (
    FOLDS,
    connect_stream,
    flow_stream,
    group_stream,
    run_stream,
    schedule_stream,
    service_stream,
)
from eventjobs.errors import Rejected
from eventjobs.events import EVENT_TYPES
from eventjobs.events.recorded import StreamId
from eventjobs.log.codec import Codec
from tests.support.ports import CountingIds, FakeCatalog, FixedRandom

WORKSPACE = "acme"
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
SPEC_OF: dict[type[CommandFields], CommandSpec[Any]] = {spec.command: spec for spec in SPECS}
BY_NAME: dict[str, CommandSpec[Any]] = {spec.name: spec for spec in SPECS}
CODEC = Codec(EVENT_TYPES)


def command(name: str, /, **fields: Any) -> CommandFields:
    """Read a command as it comes over the wire; raises pydantic's `ValidationError`."""
    return BY_NAME[name].command.model_validate_json(orjson.dumps(fields))


def at(text: str) -> datetime:
    """Read a UTC instant such as `2026-12-01 20:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def passed(**span: float) -> Callable[["Story"], None]:
    """Let time pass between two things that are given."""

    def move(story: "Story") -> None:
        story.now += timedelta(**span)

    return move


class Fact:
    """A fact of which only some fields matter."""

    def __init__(self, kind: type[Any], /, **fields: Any) -> None:
        self._kind = kind
        self._fields = fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self._kind) and all(getattr(other, n) == v for n, v in self._fields.items())

    def __hash__(self) -> int:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{self._kind.__name__}({', '.join(f'{name}={value!r}' for name, value in self._fields.items())}, …)"


class Outcome:
    """What became of a command."""

    def __init__(self, story: "Story", world: World | None, refusal: Rejected | None) -> None:
        self.story = story
        self.refusal = refusal
        self.emitted = [] if world is None else list(world.emitted)
        self.named = {} if world is None else world.expected()
        self.holds_until = None if world is None else world.holds_until
        self.answer = {} if world is None else world.answer
        self.secrets = {} if world is None else world.secrets
        self.told = [] if world is None else list(world.warnings)
        self.warnings = [warn.code for warn in self.told]

    @property
    def facts(self) -> list[Any]:
        """The decided facts, without their streams."""
        return [event for _, event in self.emitted]

    def then(self, *expected: Any) -> "Story":
        """Expect exactly these facts in this order: events, `Fact(…)`, or `(stream name, event)`."""
        assert self.refusal is None, f"refused: {self.refusal.code}: {self.refusal.detail}"
        assert expected, "say then_nothing()"
        got = [
            (stream.name, event) if isinstance(wanted, tuple) else event
            for (stream, event), wanted in zip(self.emitted, expected, strict=False)
        ]
        assert got == list(expected)
        assert len(self.emitted) == len(expected), f"and also {self.facts[len(expected) :]}"
        return self.story

    def then_nothing(self) -> "Story":
        """Expect that it was accepted and nothing was to do."""
        assert self.refusal is None, f"refused: {self.refusal.code}: {self.refusal.detail}"
        assert self.facts == []
        return self.story

    def then_refused(self, code: str, path: str | None = None, **extra: Any) -> "Story":
        """Expect a refusal with this code, for the field `path`, with this way out."""
        assert self.refusal is not None, f"accepted: {self.facts}"
        assert self.refusal.code == code
        if path is not None:
            assert path in [error.path for error in self.refusal.errors]
        for name, value in extra.items():
            assert self.refusal.extra[name] == value
        return self.story


class Story:
    """One deployment's streams, and the clock of its only instance."""

    def __init__(self, now: datetime = NOON, *, chance: float = 0.0, limits: Limits | None = None) -> None:
        self.now = now
        self.streams: dict[StreamId, list[Any]] = {}
        self.context = Context(
            workspace=WORKSPACE,
            now=now,
            actor="key:tester",
            command_id="",
            ids=CountingIds(),
            random=FixedRandom(chance),
            instance="one",
            catalog=FakeCatalog(),
            limits=limits or Limits(),
        )

    def given(self, *things: Any) -> "Story":
        """Take as happened: `(stream, event)` pairs, commands (which must be accepted), and `passed(…)`."""
        for thing in things:
            match thing:
                case (StreamId() as stream, event):
                    self.streams.setdefault(stream, []).append(_through_codec(event))
                case CommandFields():
                    outcome = self.when(thing)
                    assert outcome.refusal is None, f"{thing!r}: {outcome.refusal}"
                case _:
                    thing(self)
        return self

    def at(self, text: str) -> "Story":
        """Move the clock."""
        self.now = at(text)
        return self

    def after(self, **span: float) -> "Story":
        """Let time pass."""
        return self.given(passed(**span))

    def when(self, command: CommandFields, **surroundings: Any) -> Outcome:
        """Decide a command; `surroundings` are other fields of its context (`grant`, `instance`, `command_id`)."""
        spec = SPEC_OF[type(command)]
        context = replace(self.context, **{"now": self.now, "command_id": self.context.ids.new(), **surroundings})
        try:
            world = decide(spec, command, context, self.load, self.count)
        except Rejected as refusal:
            return Outcome(self, None, refusal)
        for stream, expected in world.expected().items():
            assert expected == len(self.streams.get(stream, ())), f"{stream} was decided on version {expected}"
        for stream, event in world.emitted:
            self.streams.setdefault(stream, []).append(_through_codec(event))
        return Outcome(self, world, None)

    def beginnings(self, command: CommandFields) -> int:
        """Return how often a decision begins until it has read all that it needs; nothing of it is kept."""
        spec, begun = SPEC_OF[type(command)], 0

        def counted(*surroundings: Any) -> None:
            nonlocal begun
            begun += 1
            spec.decide(*surroundings)

        decide(replace(spec, decide=counted), command, replace(self.context, now=self.now), self.load, self.count)
        return begun

    def load(self, stream: StreamId) -> Loaded:
        """Fold a stream from its facts."""
        fold = FOLDS[stream.kind]
        state = fold.initial
        for event in self.streams.get(stream, ()):
            state = fold.evolve(state, event)
        return Loaded(len(self.streams.get(stream, ())), state, 0)

    def count(self, workspace: str, kind: str) -> int:
        """Count the things of a kind that are there."""
        things = [stream for stream in self.streams if (stream.workspace, stream.kind) == (workspace, kind)]
        return sum(self.load(stream).state.alive for stream in things)

    def schedule(self, schedule_id: str = "nightly") -> Schedule:
        return self.load(schedule_stream(WORKSPACE, schedule_id)).state  # type: ignore[no-any-return]

    def service(self, service_id: str = "load") -> Service:
        return self.load(service_stream(WORKSPACE, service_id)).state  # type: ignore[no-any-return]

    def flow(self, flow_id: str = "approve") -> Flow:
        return self.load(flow_stream(WORKSPACE, flow_id)).state  # type: ignore[no-any-return]

    def group(self, group_id: str = "lists") -> Group:
        return self.load(group_stream(WORKSPACE, group_id)).state  # type: ignore[no-any-return]

    def job(self, job_id: str = "contacts") -> ConnectJob:
        return self.load(connect_stream(WORKSPACE, job_id)).state  # type: ignore[no-any-return]

    def run(self, run_id: str) -> Run:
        return self.load(run_stream(WORKSPACE, run_id)).state  # type: ignore[no-any-return]


def decide(
    spec: CommandSpec[Any],
    command: CommandFields,
    context: Context,
    load: Callable[[StreamId], Loaded],
    count: Callable[[str, str], int],
) -> World:
    """Decide as the dispatcher does: streams are loaded when they are asked for."""
    loaded = {stream: load(stream) for stream in spec.streams(command, context)}
    while True:
        world = World(context.workspace, loaded, counted=count)
        try:
            spec.decide(command, world, context)
        except Unloaded as missing:
            loaded.update({stream: load(stream) for stream in missing.streams})
            continue
        return world


def _through_codec(event: Any) -> Any:
    read = CODEC.decode(event.TYPE, event.SCHEMA, CODEC.encode(event))
    assert read == event or _loosely(read) == _loosely(event), f"{read} is not {event}"
    return read


def _loosely(event: Any) -> Any:
    """JSON knows no tuples inside free values."""
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def operator(workspace: str = WORKSPACE, *roles: str, **grant: Any) -> Grant:
    """Return the rights of a key for one workspace."""
    return Grant(roles=frozenset(roles or ("operator",)), workspaces=frozenset({workspace}), **grant)
