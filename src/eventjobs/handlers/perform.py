"""
One attempt, from the stored configuration to a checked result: the only way in which a handler is called.

Secrets go in last and are blanked in everything that comes out. Whatever a handler raises leaves as `JobFailed`;
cancellation passes through.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import orjson
from pydantic import ValidationError

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import OUTPUT_BYTES_MAX, HandlerContext, LogLine, Progress, Result, Suspended
from eventjobs.handlers.registry import Handler, field_errors
from eventjobs.outbound.secrets import Blanker, SecretStore

_DETAIL_CHARS_MAX: Final = 2_000
_REFUSED: Final = re.compile("[\0\ud800-\udfff]")


async def perform(
    handler: Handler[Any],
    config: Mapping[str, Any],
    context: HandlerContext,
    secrets: SecretStore,
) -> Result | Suspended:
    """
    Run a handler once.

    Raises `JobFailed`, also for a configuration that is no longer valid, an output over 64 KiB, or a job other than a
    flow that suspends, and lets `CancelledError` pass.
    """
    resolved, values = secrets.resolve(context.workspace, config)
    blanker = Blanker(values | _callback(context))
    try:
        result = await handler.run(_blanked(context, blanker), _validated(handler, resolved))
        if isinstance(result, Suspended):
            return _suspended(result, context, blanker)
        return _checked(result, blanker)
    except JobFailed as failure:
        raise JobFailed(
            _sentence(failure.detail, blanker),
            reason=failure.reason,
            counts=failure.counts,
            output=_bounded(failure.output, blanker),
            retryable=failure.retryable,
        ) from None
    except Exception as error:  # noqa: BLE001 - a handler is anybody's code; its failure is a value of the run
        described = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise JobFailed(_sentence(described, blanker)) from None


def _callback(context: HandlerContext) -> frozenset[str]:
    """Return the address that a flow is answered at, and what it is without the service's own: the right itself."""
    url = context.callback_url
    return frozenset() if url is None else frozenset({url, url.rpartition("/")[2]})


def _sentence(text: str, blanker: Blanker) -> str:
    return str(storable(blanker.text(text)))[:_DETAIL_CHARS_MAX]


def _validated(handler: Handler[Any], config: Mapping[str, Any]) -> Any:
    try:
        return handler.config.model_validate(config)
    except ValidationError as error:
        found = "; ".join(f"{problem.path}: {problem.detail}" for problem in field_errors(error))
        raise JobFailed(f"the configuration is not valid: {found}", retryable=False) from None


def _blanked(context: HandlerContext, blanker: Blanker) -> HandlerContext:
    async def report(progress: Progress) -> None:
        await context.report(replace(progress, text=_sentence(progress.text, blanker)))

    def write_line(line: LogLine) -> None:
        fields = storable(blanker.deep(line.fields))
        context.write_line(replace(line, text=storable(blanker.text(line.text)), fields=fields))

    return replace(context, report=report, write_line=write_line)


def _suspended(result: Suspended, context: HandlerContext, blanker: Blanker) -> Suspended:
    if context.callback_url is None:
        raise JobFailed("only a flow can suspend", counts=result.counts, retryable=False)
    return replace(result, waits_for=_sentence(result.waits_for, blanker))


def _checked(result: object, blanker: Blanker) -> Result:
    if not isinstance(result, Result):
        raise JobFailed(f"the handler returned {type(result).__name__} instead of a Result", retryable=False)
    output = storable(blanker.deep(result.output))
    try:
        size = len(orjson.dumps(output))
    except TypeError as error:
        raise JobFailed(f"the output is not JSON: {error}", counts=result.counts, retryable=False) from None
    if size > OUTPUT_BYTES_MAX:
        detail = f"the output has {size} bytes of JSON, more than {OUTPUT_BYTES_MAX}"
        raise JobFailed(detail, counts=result.counts, retryable=False)
    return replace(result, output=output, details=storable(blanker.deep(result.details)))


def storable(value: Any) -> Any:
    """Return the same JSON value without what the log refuses in texts: U+0000 and lone surrogates."""
    match value:
        case str():
            return (
                value.replace("\0", "\ufffd").encode("utf-8", "replace").decode() if _REFUSED.search(value) else value
            )
        case Mapping():
            return {storable(key): storable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [storable(inner) for inner in value]
        case _:
            return value


def _bounded(output: Any, blanker: Blanker) -> Any:
    """Keep a failed attempt's output where it is small JSON; its failure is more important than its output."""
    try:
        blanked = storable(blanker.deep(output))
        return blanked if len(orjson.dumps(blanked)) <= OUTPUT_BYTES_MAX else None
    except TypeError:
        return None
