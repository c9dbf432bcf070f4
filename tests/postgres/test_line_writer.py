"""Lines of many attempts go to the table together; what is wrong with one attempt's is its own."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

import asyncpg
import pytest

from eventjobs.postgres.line_writer import ENOUGH, LineWriter
from eventjobs.postgres.lines import PostgresLines, StoredLine
from eventjobs.postgres.pool import TimedPool
from eventjobs.runner.ports import Line
from eventjobs.telemetry.tasks import Tasks

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def a_line(text: str = "done", level: str = "info") -> Line:
    return Line(line=1, at=NOW, level=level, text=text, fields={"status": 200})


class Watched(PostgresLines):
    """The table, and how many lines each statement had."""

    def __init__(self, pool: TimedPool) -> None:
        super().__init__(pool)
        self.statements: list[int] = []
        self.fault: Exception | None = None
        self.hold: asyncio.Event | None = None

    async def write_all(self, lines: Iterable[StoredLine]) -> None:
        lines = list(lines)
        self.statements.append(len(lines))
        if self.hold is not None:
            await self.hold.wait()
        if self.fault is not None:
            raise self.fault
        await super().write_all(lines)


@pytest.fixture
def table(pool: TimedPool) -> Watched:
    return Watched(pool)


async def kept(table: PostgresLines, run: str) -> list[tuple[int, str]]:
    return [(line["row"], line["text"]) for line in await table.read("acme", run, None, None, (0, 0, 0), 1_000)]


async def test_what_comes_while_a_statement_is_under_way_is_the_next_one(table: Watched) -> None:
    writer = LineWriter(table, Tasks())
    await asyncio.gather(*(writer.write("acme", "many", row, 1, [a_line(f"row {row}")]) for row in range(1, 301)))
    assert table.statements == [300]
    table.hold = asyncio.Event()
    first = asyncio.ensure_future(writer.write("acme", "more", 1, 1, [a_line()]))
    while len(table.statements) < 2:
        await asyncio.sleep(0)
    rest = [asyncio.ensure_future(writer.write("acme", "more", row, 1, [a_line()])) for row in (2, 3)]
    await asyncio.sleep(0)
    table.hold.set()
    await asyncio.gather(first, *rest)
    assert table.statements == [300, 1, 2]
    assert await kept(table, "many") == [(row, f"row {row}") for row in range(1, 301)]
    assert [row for row, _ in await kept(table, "more")] == [1, 2, 3]


async def test_long_lines_are_written_in_several_statements(table: Watched) -> None:
    writer = LineWriter(table, Tasks())
    await asyncio.gather(*(writer.write("acme", "long", row, 1, [a_line("x" * (ENOUGH // 2))]) for row in range(3)))
    assert table.statements == [1, 1, 1]
    assert len(await kept(table, "long")) == 3


async def test_lines_that_the_table_refuses_keep_no_others_from_it(table: Watched) -> None:
    writer = LineWriter(table, Tasks())
    texts = ["good", "no\0good", "good as well"]
    told = await asyncio.gather(
        *(writer.write("acme", "mixed", row, 1, [a_line(text)]) for row, text in enumerate(texts)),
        return_exceptions=True,
    )
    assert isinstance(told[1], asyncpg.PostgresError)
    assert (told[0], told[2]) == (None, None)
    assert await kept(table, "mixed") == [(0, "good"), (2, "good as well")]


async def test_who_waits_hears_of_a_database_that_is_away_and_may_try_again(table: Watched) -> None:
    writer = LineWriter(table, Tasks())
    table.fault = TimeoutError("no connection")
    texts = ["short", "short", "x" * ENOUGH]
    told = await asyncio.gather(
        *(writer.write("acme", "away", row, 1, [a_line(text)]) for row, text in enumerate(texts)),
        return_exceptions=True,
    )
    assert told == [table.fault] * 3
    assert table.statements == [2], "nobody waits for a second try by somebody else"
    table.fault = None
    await writer.write("acme", "away", 1, 1, [a_line()])
    assert await kept(table, "away") == [(1, "done")]


async def test_who_is_stopped_takes_nobody_along(table: Watched) -> None:
    writer, table.hold = LineWriter(table, Tasks()), asyncio.Event()
    stopped, other = (asyncio.ensure_future(writer.write("acme", "stop", row, 1, [a_line()])) for row in (1, 2))
    while not table.statements:
        await asyncio.sleep(0)
    stopped.cancel()
    table.hold.set()
    await other
    assert stopped.cancelled()
    assert await kept(table, "stop") == [(1, "done"), (2, "done")]


async def test_a_process_that_ends_leaves_nobody_waiting(table: Watched) -> None:
    tasks = Tasks()
    writer, table.hold = LineWriter(table, tasks), asyncio.Event()
    under_way = asyncio.ensure_future(writer.write("acme", "end", 1, 1, [a_line()]))
    while not table.statements:
        await asyncio.sleep(0)
    queued = asyncio.ensure_future(writer.write("acme", "end", 2, 1, [a_line()]))
    await asyncio.sleep(0)
    assert await tasks.cancel_all() == []
    for waiting in (under_way, queued):
        with pytest.raises(ConnectionError):
            await waiting
