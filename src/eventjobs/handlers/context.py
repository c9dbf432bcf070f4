"""
What a handler gets, and what it gives back.

A handler is an async callable `run(context, config) -> Result | Suspended`. It reports through the context, reads and
writes only through the context's ports, and ends in one of four ways: it returns a `Result`; it returns `Suspended`,
which only a flow may; it raises (`JobFailed` where it knows why, anything else is an unplanned failure); or it is
cancelled. Cancellation is that of its task: a handler lets `CancelledError` pass and cleans up in `finally`.
`stop_requested` is set before that, for handlers that can end sooner by themselves.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from eventjobs.clock import Clock
from eventjobs.errors import JobFailed
from eventjobs.handlers.ports import CommandRules, FileAccess, History, Outbound, TableAccess

__all__ = ["HandlerContext", "JobFailed", "JobRef", "LogLine", "Progress", "Result", "Suspended"]

OUTPUT_BYTES_MAX: Final = 64 * 1024
"""What a result's output may weigh as JSON."""

Level: TypeAlias = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class JobRef:
    """A job by its kind (`service`, `flow`, `import` …) and id."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an attempt is: `fraction` in 0..1 (`None`: unknown), a sentence, and counts so far."""

    fraction: float | None
    text: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of one attempt's log."""

    at: datetime
    level: Level
    text: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """
    What a handler did.

    `counts` are added up over a run (`processed`, `added`, `updated`, `rejected`); `output` is JSON of at most 64 KiB
    that later stages can read; `details` are facts for people (a file name, a status), never secrets.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    output: Any = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """
    The flow goes on elsewhere: whoever has `context.callback_url` says how it ends.

    `waits_for` tells people what it waits for (`the buyer's approval`); `counts` are what was done until now.
    """

    waits_for: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerContext:
    """
    One attempt of one job run, as its handler sees it.

    `term` fences: who writes elsewhere sends it along, so that a worker that was replaced cannot do harm. `outputs`
    are the outputs of the jobs of earlier stages, by row; `due` is the moment that the run stands for, if any. A flow
    that returns `Suspended` is answered at `callback_url`, once, by whoever has that address: it is a secret. `report`
    and `write_line` are the runner's sinks.
    """

    workspace: str
    run: str
    row: int
    job: JobRef
    attempt: int
    term: int
    clock: Clock
    report: Callable[[Progress], Awaitable[None]]
    write_line: Callable[[LogLine], None]
    files: FileAccess
    tables: TableAccess
    outbound: Outbound
    commands: CommandRules
    history: History
    installation: str = ""
    input: Any = None
    outputs: Mapping[int, Any] = field(default_factory=dict)
    due: datetime | None = None
    callback_url: str | None = None
    stop_requested: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def idempotency_key(self) -> str:
        """One key for all attempts of this job run, told apart from other installations' by the log's id."""
        parts = "\n".join((self.installation, self.workspace, self.run, str(self.row)))
        return hashlib.sha256(parts.encode()).hexdigest()

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return self.clock.now()

    def monotonic(self) -> float:
        """Return seconds that only rise."""
        return self.clock.monotonic()

    async def progress(self, fraction: float | None, text: str, **counts: int) -> None:
        """Say how far this attempt is; cheap, but meant for a few times a second at most."""
        bounded = None if fraction is None else min(max(fraction, 0.0), 1.0)
        await self.report(Progress(bounded, text, counts))

    def log(self, level: Level, text: str, **fields: Any) -> None:
        """Write one line into this attempt's log."""
        self.write_line(LogLine(self.now(), level, text, fields))
