"""
What a flow's signed callback says: how the try that it belongs to ended (R43, R93).

It is recorded once, whether the flow is suspended already, its handler still runs, or nobody waits for it any more; the
run's worker then goes on. Who may say it is decided by the signature, before this.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import orjson
from pydantic import Field, JsonValue

from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.spec import CommandFields, CommandSpec, RunId, Text
from eventjobs.commands.world import World
from eventjobs.domain.run import Row, State
from eventjobs.domain.streams import run_stream
from eventjobs.errors import Conflict, Invalid
from eventjobs.events.run import JobRunAnswered

OUTPUT_BYTES_MAX: Final = 65_536
LATE: Final = frozenset({"wait_timeout", "unknown_end"})
"""How a row may have ended of which nobody knew how it would: its late outcome is still recorded."""
_ENDINGS: Final[Mapping[str, tuple[State, str | None]]] = {
    "succeeded": (State.SUCCEEDED, None),
    "failed": (State.FAILED, "stop_step"),
    "errored": (State.FAILED, "error"),
}

Count = Annotated[int, Field(ge=0, lt=2**63)]


class CallbackFields(CommandFields):
    """
    How it ended: `succeeded`, `failed` as planned (a stop step), or `errored`, which was not planned (R93).

    `output` is at most 64 KiB of JSON for the jobs of later stages.
    """

    state: Literal["succeeded", "failed", "errored"]
    detail: Text = ""
    counts: Annotated[Mapping[Annotated[str, Field(max_length=64)], Count], Field(max_length=50)] = {}
    output: JsonValue = None


class AnswerCallback(CallbackFields):
    """What is said, and of which try."""

    run: RunId
    row: int
    attempt: int


def decide(command: AnswerCallback, world: World, context: Context) -> None:
    """Record it; the same again does nothing, another answer is refused."""
    row = world.run(command.run).rows.get(command.row)
    if row is None:
        raise no_such("run", command.run)
    if len(orjson.dumps(command.output)) > OUTPUT_BYTES_MAX:
        raise Invalid.at("output", "too_long", f"an output has at most {OUTPUT_BYTES_MAX} bytes of JSON")
    answer = _answer(command)
    if row.attempt == command.attempt and row.answer == answer:
        return
    if row.attempt != command.attempt or row.answer is not None or not _is_open(row):
        raise Conflict("callback_over", "how it ended is recorded already, or the try is over")
    world.emit(run_stream(context.workspace, command.run), answer)


def _is_open(row: Row) -> bool:
    return row.state in (State.RUNNING, State.SUSPENDED) or (row.state is State.FAILED and row.reason in LATE)


def _answer(command: AnswerCallback) -> JobRunAnswered:
    state, reason = _ENDINGS[command.state]
    return JobRunAnswered(
        row=command.row,
        attempt=command.attempt,
        state=state,
        reason=reason,
        detail=command.detail or None,
        counts=command.counts,
        output=command.output,
    )


SPEC: Final = CommandSpec(
    name="AnswerCallback",
    command=AnswerCallback,
    streams=lambda command, context: [run_stream(context.workspace, command.run)],
    decide=decide,
    internal=True,
    summary="Record what the callback of a flow says",
)
