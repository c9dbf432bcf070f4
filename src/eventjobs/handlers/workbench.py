"""What one process gives to all its handlers, put together once; from it, the context of each attempt."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from eventjobs.clock import Clock
from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext, JobRef, LogLine, Progress
from eventjobs.handlers.files import FileRoom
from eventjobs.handlers.ports import CommandRules, History, Outbound, TableAccess
from eventjobs.outbound.secrets import SecretStore


class NoHistory:
    """The `History` of a place without a log: nothing was before."""

    async def moment(self, workspace: str, run: str) -> datetime:  # noqa: ARG002
        """Refuse: there is no opening to go by."""
        raise JobFailed(f"the log has no opening of the run {run}", retryable=False)

    async def is_superseded(self, workspace: str, run: str, term: int) -> bool:  # noqa: ARG002
        """Return false: there is nobody else."""
        return False

    async def last_output(self, workspace: str, kind: str, job_id: str) -> Any:  # noqa: ARG002
        """Return `None`."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """The real ports of this process. `installation` is the log's id; `files` makes a workspace's folder on demand."""

    clock: Clock
    installation: str
    files: FileRoom
    tables: TableAccess
    outbound: Outbound
    commands: CommandRules
    secrets: SecretStore
    history: History = field(default_factory=NoHistory)

    def context(
        self,
        *,
        workspace: str,
        run: str,
        row: int,
        job: JobRef,
        attempt: int,
        term: int,
        report: Callable[[Progress], Awaitable[None]],
        write_line: Callable[[LogLine], None],
        job_input: Any = None,
        outputs: Mapping[int, Any] | None = None,
        due: datetime | None = None,
        callback_url: str | None = None,
        stop_requested: asyncio.Event | None = None,
    ) -> HandlerContext:
        """Return the context of one attempt; pass it to `perform` with `self.secrets`."""
        return HandlerContext(
            workspace=workspace,
            run=run,
            row=row,
            job=job,
            attempt=attempt,
            term=term,
            clock=self.clock,
            report=report,
            write_line=write_line,
            files=self.files.of(workspace),
            tables=self.tables,
            outbound=self.outbound,
            commands=self.commands,
            history=self.history,
            installation=self.installation,
            input=job_input,
            outputs=outputs or {},
            due=due,
            callback_url=callback_url,
            stop_requested=stop_requested or asyncio.Event(),
        )
