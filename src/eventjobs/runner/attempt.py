"""
One attempt, wrapped: whatever the handler does, what comes out is a value.

The wrapper never raises. Cancelling it is how a stop or a drain ends the handler; the value then says so.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from eventjobs.commands.advance_run import AttemptResult
from eventjobs.domain.run import State
from eventjobs.errors import JobFailed
from eventjobs.handlers.context import Result
from eventjobs.runner.lines import AttemptLines

_log: Final = structlog.get_logger("eventjobs.attempt")


@dataclass(slots=True, kw_only=True)
class Attempt:
    """
    A try that runs here.

    `perform` calls the handler. `stopped` says why it was cancelled: `stopped` by a person, `interrupted` by a drain or
    a take-over, `None` while nobody did.
    """

    row: int
    number: int
    timeout_s: float | None
    perform: Callable[[], Awaitable[Result]]
    lines: AttemptLines
    chance: float
    stop_requested: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: str | None = None
    task: asyncio.Task[AttemptResult] | None = None

    def stop(self, why: str) -> None:
        """Ask the handler to end, at once."""
        if self.stopped is None:
            self.stopped = why
            self.stop_requested.set()
            if self.task is not None:
                self.task.cancel()

    async def run(self) -> AttemptResult:
        """Perform it and say how it ended."""
        result = await self._outcome()
        try:
            await self.lines.flush()
        except Exception:  # noqa: BLE001 the attempt's end is worth more than its lines
            _log.exception("log_lines_lost", row=self.row, attempt=self.number)
        sealed = {"log_lines": self.lines.count, "log_sha256": self.lines.sha256}
        return result.model_copy(update=sealed)

    async def _outcome(self) -> AttemptResult:
        try:
            async with asyncio.timeout(self.timeout_s):
                result = await self.perform()
        except TimeoutError:
            if self.stopped is None:
                return self._failed("timeout", f"took longer than {self.timeout_s:g} s", retryable=True)
            return self.cancelled()
        except asyncio.CancelledError:
            return self.cancelled()
        except JobFailed as failure:
            return self._refused(failure)
        except BaseException as error:  # noqa: BLE001 a handler that exits or dies must not take the others along
            return self._failed("error", f"{type(error).__name__}: {error}", retryable=True)
        return AttemptResult(
            row=self.row,
            attempt=self.number,
            state=State.SUCCEEDED,
            counts=dict(result.counts),
            output=result.output,
            chance=self.chance,
        )

    def _refused(self, failure: JobFailed) -> AttemptResult:
        result = self._failed(failure.reason, failure.detail, retryable=failure.retryable)
        return result.model_copy(update={"counts": dict(failure.counts), "output": failure.output})

    def _failed(self, reason: str, detail: str, *, retryable: bool) -> AttemptResult:
        return AttemptResult(
            row=self.row,
            attempt=self.number,
            state=State.FAILED,
            reason=reason,
            detail=detail[:2000],
            retryable=retryable,
            chance=self.chance,
        )

    def cancelled(self) -> AttemptResult:
        """The value of a cancelled try."""
        if self.stopped == "stopped":
            return AttemptResult(row=self.row, attempt=self.number, state=State.ABORTED, reason="stopped")
        return self._failed("interrupted", "its instance stopped", retryable=True)


def abandoned(attempt: Attempt) -> AttemptResult:
    """The value for a handler that did not end in its grace; its thread or code may still be busy."""
    state = State.ABORTED if attempt.stopped == "stopped" else State.FAILED
    return AttemptResult(
        row=attempt.row,
        attempt=attempt.number,
        state=state,
        reason=attempt.stopped or "interrupted",
        detail="did not end in its grace",
    )
