"""The table of log lines: kept once, read on from any line, let go when old."""

from datetime import UTC, datetime, timedelta

from eventjobs.postgres.lines import PostgresLines
from eventjobs.postgres.pool import TimedPool
from eventjobs.runner.ports import Line

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def a_line(number: int, at: datetime = NOW) -> Line:
    return Line(line=number, at=at, level="info", text=f"line {number}", fields={"n": number})


async def test_lines_that_are_written_again_are_kept_once(pool: TimedPool) -> None:
    lines = PostgresLines(pool)
    await lines.write("acme", "once", 1, 1, [a_line(1), a_line(2)])
    await lines.write("acme", "once", 1, 1, [a_line(2), a_line(3)])
    kept = await lines.read("acme", "once", None, None, (0, 0, 0), 10)
    assert [line["line"] for line in kept] == [1, 2, 3]
    assert kept[0]["fields"] == {"n": 1}


async def test_reading_goes_on_after_a_line_and_keeps_to_a_row_and_attempt(pool: TimedPool) -> None:
    lines = PostgresLines(pool)
    for row, attempt in ((1, 1), (1, 2), (2, 1)):
        await lines.write("acme", "many", row, attempt, [a_line(1), a_line(2)])
    rest = await lines.read("acme", "many", None, None, (1, 1, 1), 10)
    assert [(line["row"], line["attempt"], line["line"]) for line in rest] == [
        (1, 1, 2),
        (1, 2, 1),
        (1, 2, 2),
        (2, 1, 1),
        (2, 1, 2),
    ]
    assert len(await lines.read("acme", "many", 1, 2, (0, 0, 0), 10)) == 2
    assert await lines.read("other", "many", None, None, (0, 0, 0), 10) == []


async def test_the_last_lines_are_those_of_all_rows_by_their_time(pool: TimedPool) -> None:
    lines = PostgresLines(pool)
    for row in (1, 2):
        written = [a_line(number, NOW + timedelta(seconds=2 * number + row)) for number in (1, 2, 3)]
        await lines.write("acme", "last", row, 1, written)
    last = await lines.read_last("acme", "last", None, None, None, 3)
    assert [(line["row"], line["line"]) for line in last] == [(2, 2), (1, 3), (2, 3)]
    then = await lines.read_last("acme", "last", None, None, NOW + timedelta(seconds=6), 2)
    assert [(line["row"], line["line"]) for line in then] == [(1, 2), (2, 2)]
    assert [line["line"] for line in await lines.read_last("acme", "last", 1, 1, None, 1)] == [3]


async def test_old_lines_go_and_younger_ones_stay(pool: TimedPool) -> None:
    lines = PostgresLines(pool)
    await lines.write("acme", "old", 1, 1, [a_line(1, NOW - timedelta(days=91)), a_line(2)])
    while await lines.prune(NOW - timedelta(days=90)):
        pass
    assert [line["line"] for line in await lines.read("acme", "old", None, None, (0, 0, 0), 10)] == [2]
