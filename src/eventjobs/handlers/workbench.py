"""What one process gives to all its handlers, put together once; from it, the context of each attempt."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eventjobs.clock import Clock
from eventjobs.handlers.context import HandlerContext, JobRef, LogLine, Progress
from eventjobs.handlers.files import FileRoom
from eventjobs.handlers.ports import CommandRules, Outbound, TableAccess
from eventjobs.handlers.secrets import SecretStore


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
            installation=self.installation,
            input=job_input,
            outputs=outputs or {},
            stop_requested=stop_requested or asyncio.Event(),
        )
