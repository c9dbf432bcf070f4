"""
One attempt, from the stored configuration to a checked result: the only way in which a handler is called.

Secrets go in last and are blanked in everything that comes out. Whatever a handler raises leaves as `JobFailed`;
cancellation passes through.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import orjson
from pydantic import ValidationError

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import OUTPUT_BYTES_MAX, HandlerContext, LogLine, Progress, Result
from eventjobs.handlers.registry import Handler, field_errors
from eventjobs.handlers.secrets import Blanker, SecretStore

_DETAIL_CHARS_MAX: Final = 2_000


async def perform(
    handler: Handler[Any],
    config: Mapping[str, Any],
    context: HandlerContext,
    secrets: SecretStore,
) -> Result:
    """
    Run a handler once.

    Raises `JobFailed`, also for a configuration that is no longer valid or an output over 64 KiB, and lets
    `CancelledError` pass.
    """
    resolved, values = secrets.resolve(context.workspace, config)
    blanker = Blanker(values)
    try:
        result = await handler.run(_blanked(context, blanker), _validated(handler, resolved))
        return _checked(result, blanker)
    except JobFailed as failure:
        raise JobFailed(
            blanker.text(failure.detail)[:_DETAIL_CHARS_MAX],
            reason=failure.reason,
            counts=failure.counts,
            output=_bounded(failure.output, blanker),
            retryable=failure.retryable,
        ) from None
    except Exception as error:  # noqa: BLE001 - a handler is anybody's code; its failure is a value of the run
        described = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise JobFailed(blanker.text(described)[:_DETAIL_CHARS_MAX]) from None


def _validated(handler: Handler[Any], config: Mapping[str, Any]) -> Any:
    try:
        return handler.config.model_validate(config)
    except ValidationError as error:
        found = "; ".join(f"{problem.path}: {problem.detail}" for problem in field_errors(error))
        raise JobFailed(f"the configuration is not valid: {found}", retryable=False) from None


def _blanked(context: HandlerContext, blanker: Blanker) -> HandlerContext:
    async def report(progress: Progress) -> None:
        await context.report(replace(progress, text=blanker.text(progress.text)))

    def write_line(line: LogLine) -> None:
        context.write_line(replace(line, text=blanker.text(line.text), fields=blanker.deep(line.fields)))

    return replace(context, report=report, write_line=write_line)


def _checked(result: object, blanker: Blanker) -> Result:
    if not isinstance(result, Result):
        raise JobFailed(f"the handler returned {type(result).__name__} instead of a Result", retryable=False)
    output = blanker.deep(result.output)
    try:
        size = len(orjson.dumps(output))
    except TypeError as error:
        raise JobFailed(f"the output is not JSON: {error}", counts=result.counts, retryable=False) from None
    if size > OUTPUT_BYTES_MAX:
        detail = f"the output has {size} bytes of JSON, more than {OUTPUT_BYTES_MAX}"
        raise JobFailed(detail, counts=result.counts, retryable=False)
    return replace(result, output=output, details=blanker.deep(result.details))


def _bounded(output: Any, blanker: Blanker) -> Any:
    """Keep a failed attempt's output where it is small JSON; its failure is more important than its output."""
    try:
        blanked = blanker.deep(output)
        return blanked if len(orjson.dumps(blanked)) <= OUTPUT_BYTES_MAX else None
    except TypeError:
        return None
