"""Watching one run until it ends: a bar for each job on a terminal, plain lines elsewhere."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Final, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from eventjobs.cli.board import RUNNING, SKIPPED, Board, Line
from eventjobs.cli.client import Client
from eventjobs.cli.output import say

STEP: Final = 0.25
"""Plain lines tell progress in steps of this share."""
COLOURS: Final = {"succeeded": "green", "failed": "red", "aborted": "red"}


class Screen(Protocol):
    """Something that shows lines while they change."""

    def show(self, line: Line) -> None:
        """Show a line that changed."""
        ...


async def watch(client: Client, run: str, totals: Mapping[str, int], console: Console) -> Board:
    """Show a run until it ended, also one that ended before; return how it stands then."""
    board = Board(run, totals)
    where = f"/v1/{client.target.need_workspace()}"
    screen: AbstractContextManager[Screen] = Bars(console) if console.is_terminal else Plain()
    with screen as shown:
        await _catch_up(client, where, board, shown)
        while not board.is_over:
            await _follow(client, where, board, shown)
    return board


async def _follow(client: Client, where: str, board: Board, screen: Screen) -> None:
    """Follow the live stream until the run ended or the stream did."""
    async for frame in client.frames(f"{where}/live", last_id=str(board.position)):
        if frame.event == "progress":
            line = board.progressed(frame.data)
            if line is not None:
                screen.show(line)
        elif frame.data.get("stream") == f"run:{board.run}" and frame.data["position"] > board.position:
            await _catch_up(client, where, board, screen)
        if board.is_over:
            return


async def _catch_up(client: Client, where: str, board: Board, screen: Screen) -> None:
    events = [
        event async for event in client.lines(f"{where}/streams/run:{board.run}/events", {"after": board.position})
    ]
    for line in board.happened(events):
        screen.show(line)


class Bars:
    """A bar for each job."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(bar_width=32),
            TextColumn("{task.fields[rows]:>18}"),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def show(self, line: Line) -> None:
        """Draw the job's bar as it is now."""
        shown: dict[str, Any] = {"rows": _rows(line), "state": _coloured(line.state)}
        bar = self._bars.get(line.job)
        if bar is None:
            bar = self._bars[line.job] = self._progress.add_task(line.job, total=1.0, **shown)
        self._progress.update(bar, completed=line.share, **shown)
        if line.state != RUNNING:
            self._progress.stop_task(bar)


class Plain:
    """A text line for each change that is worth one."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[str, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def show(self, line: Line) -> None:
        """Print the line if its state changed, or it came a step further."""
        now = (line.state, int(line.share / STEP))
        if self._told.get(line.job) != now:
            self._told[line.job] = now
            rows = _rows(line)
            say(f"  {line.job}: {line.state}{f', {rows}' if rows else ''}")


def _rows(line: Line) -> str:
    if line.state == SKIPPED or (not line.rows and line.total is None):
        return ""
    total = f" of {line.total:,}" if line.total is not None and line.state == RUNNING else ""
    return f"{line.rows:,}{total} rows"


def _coloured(state: str) -> str:
    colour = COLOURS.get(state)
    return f"[{colour}]{state}[/]" if colour else state
