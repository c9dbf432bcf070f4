"""Where attempts are made: a row of a run, its handler, and everything the handler may touch."""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from eventjobs.auth.callbacks import KEPT, Callback, CallbackUrls
from eventjobs.domain.run import Row
from eventjobs.handlers.context import HandlerContext, JobRef, Progress, Result, Suspended
from eventjobs.handlers.perform import perform
from eventjobs.handlers.registry import Registry
from eventjobs.handlers.workbench import Workbench
from eventjobs.ids import Random
from eventjobs.runner.attempt import Attempt, whole
from eventjobs.runner.lines import AttemptLines
from eventjobs.runner.ports import LineStore

_log: Final = structlog.get_logger("eventjobs.workshop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Progress of one attempt."""

    attempt: int
    fraction: float | None
    text: str
    counts: Mapping[str, int]

    def frame(self, run: str, row: int) -> dict[str, Any]:
        """What watchers see."""
        return {
            "run": run,
            "row": row,
            "attempt": self.attempt,
            "fraction": self.fraction,
            "text": self.text,
            "counts": dict(self.counts),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Makes attempts from the installed handlers and the process's ports."""

    registry: Registry
    workbench: Workbench
    lines: LineStore
    random: Random
    callbacks: CallbackUrls | None = None

    def attempt(
        self,
        workspace: str,
        run: str,
        term: int,
        row: Row,
        outputs: Mapping[int, Any],
        on_progress: Callable[[Shown], None],
        due: datetime | None = None,
    ) -> Attempt:
        """Return the newest try of a row, ready to run."""
        lines = AttemptLines(self.lines, workspace, run, row.row, row.attempt)
        stop_requested = asyncio.Event()

        async def report(progress: Progress) -> None:
            on_progress(_shown(row.attempt, progress))
            try:
                await lines.flush()
            except Exception as error:  # noqa: BLE001 lines that cannot be written now must not end the job
                _log.warning("log_lines_wait", run=run, row=row.row, error=type(error).__name__)

        context = self.workbench.context(
            workspace=workspace,
            run=run,
            row=row.row,
            job=JobRef(row.job.job.kind, row.job.job.id),
            attempt=row.attempt,
            term=term,
            report=report,
            write_line=lines.add,
            job_input={} if row.job.input is None else row.job.input,
            outputs=outputs,
            due=due,
            callback_url=self._callback(workspace, run, row),
            stop_requested=stop_requested,
        )
        return Attempt(
            row=row.row,
            number=row.attempt,
            timeout_s=row.job.policy.timeout_s,
            perform=lambda: self._perform(row, context),
            lines=lines,
            chance=self.random.uniform(),
            stop_requested=stop_requested,
        )

    def _callback(self, workspace: str, run: str, row: Row) -> str | None:
        """Return where the newest try of a flow is answered, and no other job."""
        if self.callbacks is None or row.job.job.kind != "flow":
            return None
        wait = timedelta(seconds=row.job.policy.wait_timeout_s + (row.job.policy.timeout_s or 0))
        until = self.workbench.clock.now() + wait + KEPT
        return self.callbacks.url(Callback(workspace=workspace, run=run, row=row.row, attempt=row.attempt, until=until))

    async def _perform(self, row: Row, context: HandlerContext) -> Result | Suspended:
        handler = self.registry.get(row.job.handler)
        return await perform(handler, row.job.config, context, self.workbench.secrets)


def _shown(attempt: int, progress: Progress) -> Shown:
    """Return what a handler reports as facts can hold it."""
    known = progress.fraction is not None and math.isfinite(progress.fraction)
    fraction = float(progress.fraction) if known and progress.fraction is not None else None
    return Shown(attempt=attempt, fraction=fraction, text=str(progress.text), counts=whole(progress.counts))
