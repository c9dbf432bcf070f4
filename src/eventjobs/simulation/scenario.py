"""What a simulation is asked: the timeline of commands and outages, and how job runs end. docs/simulate.md tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from eventjobs.api.field_errors import invalid
from eventjobs.api.moment import parse_instant
from eventjobs.commands import PUBLIC
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.errors import FieldError, Invalid
from eventjobs.simulation.stand_in import FAILED, SUCCEEDED

SPAN_MAX: Final = timedelta(days=30 * 366)
RUN_S: Final = 5.0
REASONS: Final = ("error", "stop_step", "reject_threshold", "count_mismatch")
"""What a failed outcome may name as its reason, as `failed:stop_step`."""

_OUTCOMES: Final = frozenset({SUCCEEDED, FAILED, *(f"{FAILED}:{reason}" for reason in REASONS)})
_SPECS: Final[Mapping[str, CommandSpec[Any]]] = {spec.name: spec for spec in PUBLIC}


def _instant(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("an instant is a text with its offset, e.g. 2026-12-01T14:00:00Z")  # noqa: TRY004 pydantic's
    try:
        return parse_instant("at", value)
    except Invalid as refusal:
        raise ValueError(refusal.detail) from None


def _several(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _outcome(value: object) -> str:
    if not isinstance(value, str) or value not in _OUTCOMES:
        raise ValueError(f"an outcome is one of {', '.join(sorted(_OUTCOMES))}")
    return value


Instant = Annotated[datetime, PlainValidator(_instant)]
Seconds = Annotated[float, Field(ge=0, le=SPAN_MAX.total_seconds(), allow_inf_nan=False)]
Outcome = Annotated[str, PlainValidator(_outcome)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Step(_Closed):
    """Something that happens: a command is sent, every instance is killed, or one starts."""

    at: Instant
    command: str | None = None
    data: dict[str, Any] | None = None
    down: Literal[True] | None = None
    up: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if sum(given is not None for given in (self.command, self.down, self.up)) != 1:
            raise ValueError("a step has one of command, down and up")
        if self.data is not None and self.command is None:
            raise ValueError("data belongs to a command")
        return self


class Timeline(_Closed):
    """The document, as it is written."""

    now: Instant
    until: Instant
    steps: list[Step] = []
    run_seconds: Annotated[list[Seconds], BeforeValidator(_several), Field(min_length=1)] = [RUN_S]
    outcomes: Annotated[list[Outcome], Field(min_length=1)] = [SUCCEEDED]
    slot_minutes: Annotated[list[Annotated[int, Field(ge=0, le=14)]], BeforeValidator(_several)] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """A step that was checked: `command` with its `spec`, or whether instances go `up` or down."""

    at: datetime
    spec: CommandSpec[Any] | None = None
    command: CommandFields | None = None
    up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A timeline that can be played: its steps in their order in time, all in `[now, until)`."""

    now: datetime
    until: datetime
    steps: Sequence[Play]
    run_seconds: Sequence[float]
    outcomes: Sequence[str]
    slot_minutes: Sequence[int] = ()


def read_scenario(text: bytes) -> Scenario:
    """Return the scenario that a JSON document tells; raises `Invalid` with the path of everything that is wrong."""
    try:
        timeline = Timeline.model_validate_json(text)
    except ValidationError as error:
        raise invalid(error) from None
    wrong = list(_wrong_times(timeline))
    plays: list[Play] = []
    for place, step in enumerate(timeline.steps):
        try:
            plays.append(_play(step))
        except Invalid as refusal:
            wrong += [FieldError(f"steps.{place}.{one.path}", one.code, one.detail) for one in refusal.errors]
    if wrong:
        raise Invalid.fields(wrong)
    return Scenario(
        now=timeline.now,
        until=timeline.until,
        steps=sorted(plays, key=lambda play: play.at),
        run_seconds=timeline.run_seconds,
        outcomes=timeline.outcomes,
        slot_minutes=timeline.slot_minutes,
    )


def _wrong_times(timeline: Timeline) -> Sequence[FieldError]:
    wrong: list[FieldError] = []
    if not timeline.now < timeline.until <= timeline.now + SPAN_MAX:
        wrong.append(FieldError("until", "bad_instant", "it lies after now, and 30 years after it at most"))
    for place, step in enumerate(timeline.steps):
        if not timeline.now <= step.at < timeline.until:
            wrong.append(
                FieldError(f"steps.{place}.at", "bad_instant", "a step lies at or after now, and before until")
            )
    return wrong


def _play(step: Step) -> Play:
    if step.command is None:
        return Play(at=step.at, up=step.up is not None)
    spec = _SPECS.get(step.command)
    if spec is None:
        raise Invalid.at("command", "unknown_command", f"there is no command {step.command!r}")
    try:
        command = spec.command.model_validate_json(orjson.dumps(step.data or {}))
    except ValidationError as error:
        found = invalid(error).errors
        raise Invalid.fields(
            [FieldError(f"data.{one.path}".rstrip("."), one.code, one.detail) for one in found]
        ) from None
    return Play(at=step.at, spec=spec, command=command)
