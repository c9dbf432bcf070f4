"""
One attempt, wrapped: whatever the handler does, what comes out is a value.

The wrapper never raises. Cancelling it is how a stop or a drain ends the handler; the value then says so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from eventjobs.commands.ending import AttemptResult
from eventjobs.domain.run import State
from eventjobs.errors import JobFailed
from eventjobs.handlers.context import Result, Suspended
from eventjobs.handlers.perform import storable
from eventjobs.runner.lines import AttemptLines

DETAIL_CHARS_MAX: Final = 2_000

_WHY: Final = {
    "interrupted": "its instance stopped",
    "cut_off": "its instance could not reach the database for longer than its lease lasts",
}

_log: Final = structlog.get_logger("eventjobs.attempt")


@dataclass(slots=True, kw_only=True)
class Attempt:
    """
    A try that runs here.

    `perform` calls the handler. `stopped` says why it was cancelled: `stopped` by a person, `interrupted` by a drain or
    a take-over, `cut_off` because the instance's lease ran out, `None` while nobody did.
    """

    row: int
    number: int
    timeout_s: float | None
    perform: Callable[[], Awaitable[Result | Suspended]]
    lines: AttemptLines
    chance: float
    stop_requested: asyncio.Event
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
        self.lines.end()
        try:
            await self.lines.flush()
        except Exception as error:  # noqa: BLE001 the attempt's end is worth more than its lines; they are tried again
            _log.warning("log_lines_wait", row=self.row, attempt=self.number, error=type(error).__name__)
        return self._sealed(result)

    async def _outcome(self) -> AttemptResult:
        if self.stopped is not None:
            return self.cancelled()
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
        except Exception as error:  # noqa: BLE001 a handler is anybody's code; its failure is a value
            return self._failed("error", f"{type(error).__name__}: {error}", retryable=True)
        except BaseException as error:  # noqa: BLE001 one that exits must not take the others along; its text is not blanked
            return self._failed("error", f"the handler raised {type(error).__name__}", retryable=True)
        return self._suspended(result) if isinstance(result, Suspended) else self._succeeded(result)

    def _succeeded(self, result: Result) -> AttemptResult:
        return AttemptResult(
            row=self.row,
            attempt=self.number,
            state=State.SUCCEEDED,
            counts=whole(result.counts),
            output=result.output,
            chance=self.chance,
        )

    def _suspended(self, result: Suspended) -> AttemptResult:
        return AttemptResult(
            row=self.row,
            attempt=self.number,
            state=State.SUSPENDED,
            detail=str(storable(result.waits_for))[:DETAIL_CHARS_MAX],
            counts=whole(result.counts),
            chance=self.chance,
        )

    def _refused(self, failure: JobFailed) -> AttemptResult:
        result = self._failed(str(failure.reason), failure.detail, retryable=bool(failure.retryable))
        return result.model_copy(update={"counts": whole(failure.counts), "output": failure.output})

    def _failed(self, reason: str, detail: str, *, retryable: bool) -> AttemptResult:
        return AttemptResult(
            row=self.row,
            attempt=self.number,
            state=State.FAILED,
            reason=reason,
            detail=str(storable(detail))[:DETAIL_CHARS_MAX],
            retryable=retryable,
            chance=self.chance,
        )

    def cancelled(self) -> AttemptResult:
        """The value of a cancelled try."""
        if self.stopped == "stopped":
            return AttemptResult(row=self.row, attempt=self.number, state=State.ABORTED, reason="stopped")
        return self._failed("interrupted", _WHY[self.stopped or "interrupted"], retryable=True)

    def abandoned(self) -> AttemptResult:
        """
        The value for a handler that did not end in its grace; its thread or code may still be busy.

        For that reason one that ran into its timeout is not tried again.
        """
        self.lines.end()
        result = self.cancelled() if self.stopped else self._failed("timeout", "", retryable=False)
        return self._sealed(result.model_copy(update={"detail": "did not end in its grace"}))

    def _sealed(self, result: AttemptResult) -> AttemptResult:
        return result.model_copy(update={"log_lines": self.lines.count, "log_sha256": self.lines.sha256})


def whole(counts: Mapping[Any, Any]) -> dict[str, int]:
    """Return the counts that are whole numbers of at most 64 bits, as facts can hold them; the others are dropped."""
    return {
        str(storable(str(name))): int(count)
        for name, count in counts.items()
        if isinstance(count, int) and abs(count) < 2**63
    }


def unrecordable(result: AttemptResult, why: str) -> AttemptResult:
    """The value for a result that no fact can hold."""
    return AttemptResult(
        row=result.row,
        attempt=result.attempt,
        state=State.FAILED,
        reason="error",
        detail=f"its result cannot be recorded: {why}"[:DETAIL_CHARS_MAX],
        retryable=False,
        log_lines=result.log_lines,
        log_sha256=result.log_sha256,
    )
