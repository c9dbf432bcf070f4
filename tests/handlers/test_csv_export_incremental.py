"""An incremental export writes what is new since the last run that succeeded (G84)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from eventjobs.errors import JobFailed
from eventjobs.handlers.csv_export import HANDLER
from eventjobs.handlers.perform import perform
from eventjobs.handlers.workbench import NoHistory, Workbench
from tests.handlers.conftest import Attempt

Connection = asyncpg.Connection
_runs = count(1)


@dataclass
class Remembered(NoHistory):
    """What the job's last successful run said."""

    output: Any = None

    async def last_output(self, workspace: str, kind: str, job_id: str) -> Any:
        assert (workspace, kind, job_id) == ("acme", "service", "load")
        return self.output


@pytest.fixture
def history() -> Remembered:
    return Remembered()


@pytest.fixture
def export(
    loading: Workbench, history: Remembered, attempt: Callable[..., Attempt], tmp_path: Path
) -> Callable[..., Awaitable[tuple[list[str], dict[str, Any]]]]:
    """Export as the next run; returns the lines after the header and the output, which is remembered if `succeeds`."""
    bench = replace(loading, history=history)

    async def run(*, succeeds: bool = True, column: str = "at", **config: Any) -> tuple[list[str], dict[str, Any]]:
        made = attempt(bench, run=f"run-{next(_runs)}")
        given = {"table": "people", "columns": ["id"], "target": "{run}.csv", "incremental": {"column": column}}
        result = await perform(HANDLER, {**given, **config}, made.context, bench.secrets)
        if succeeds:
            history.output = result.output
        return (tmp_path / "files/acme" / result.output["target"]).read_text().splitlines()[1:], result.output

    return run


@pytest.fixture
async def people(acme: Connection) -> Connection:
    await acme.execute("CREATE TABLE people (id integer, at timestamptz)")
    await acme.execute("INSERT INTO people VALUES (1, '2026-01-01Z'), (2, '2026-01-02 00:00:00.123456Z')")
    return acme


async def test_G84_the_first_run_exports_everything_and_the_next_what_is_new(export: Any, people: Connection) -> None:
    rows, output = await export()
    first = "2026-01-02 00:00:00.123456+00"
    assert rows == ["1", "2"]
    assert {name: output["incremental"][name] for name in ("column", "from", "to")} == {
        "column": "at",
        "from": None,
        "to": first,
    }
    assert (await export())[0] == []
    await people.execute(
        "INSERT INTO people VALUES (3, '2026-01-03Z'); UPDATE people SET at = '2026-01-04Z' WHERE id = 1"
    )
    rows, output = await export()
    assert sorted(rows) == ["1", "3"]
    assert (output["incremental"]["from"], output["incremental"]["to"]) == (first, "2026-01-04 00:00:00+00")


async def test_G84_a_run_that_did_not_succeed_does_not_advance_it(export: Any, people: Connection) -> None:
    await export()
    await people.execute("INSERT INTO people VALUES (3, '2026-01-03Z')")
    assert (await export(succeeds=False))[0] == ["3"]
    await people.execute("INSERT INTO people VALUES (4, '2026-01-04Z')")
    assert (await export())[0] == ["3", "4"]
    assert (await export())[0] == []


async def test_the_bound_is_of_the_snapshot_that_the_rows_are_of(
    export: Any, people: Connection, history: Remembered, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eventjobs.postgres.exports import PostgresExport

    newest = PostgresExport.newest

    async def and_then(*given: Any) -> Any:
        found = await newest(*given)
        await people.execute("INSERT INTO people VALUES (3, '2026-01-01 12:00Z'), (4, '2026-01-05Z')")
        return found

    monkeypatch.setattr(PostgresExport, "newest", and_then)
    rows, output = await export()
    assert rows == ["1", "2"]
    assert output["incremental"]["to"].startswith("2026-01-02")
    assert history.output == output


async def test_rows_that_were_taken_away_take_nothing_back(export: Any, people: Connection) -> None:
    to = (await export())[1]["incremental"]["to"]
    await people.execute("DELETE FROM people")
    rows, output = await export()
    assert (rows, output["incremental"]["to"]) == ([], to)


async def test_another_source_begins_anew(export: Any, people: Connection) -> None:
    await people.execute("ALTER TABLE people ADD other timestamptz NOT NULL DEFAULT '1970-01-01Z'")
    await export()
    assert (await export(column="other"))[0] == ["1", "2"]
    same = "SELECT id, at FROM people"
    assert (await export(table=None, columns=(), query=same))[0][0].startswith("1,")
    assert (await export(table=None, columns=(), query=same))[0] == []
    assert (await export(table=None, columns=(), query=same + " WHERE id > 1"))[0][0].startswith("2,")
    assert (await export(column="id"))[0] == ["1", "2"]


@pytest.mark.usefixtures("people")
async def test_a_run_that_exported_everything_lets_the_next_begin_anew(export: Any) -> None:
    await export()
    await export(incremental=None)
    assert (await export())[0] == ["1", "2"]


@pytest.mark.parametrize(
    ("kind", "values", "later"),
    [
        ("bigint", ("1", "9007199254740993"), "9007199254740994"),
        ("numeric", ("0.1", "10000000000000000000.0001"), "10000000000000000000.00011"),
        ("timestamp", ("'2026-01-01'", "'2026-01-01 00:00:00.000001'"), "'2026-01-01 00:00:00.000002'"),
    ],
)
async def test_values_are_compared_exactly(
    export: Any, acme: Connection, kind: str, values: tuple[str, str], later: str
) -> None:
    await acme.execute(f"CREATE TABLE people (id integer, at {kind})")
    await acme.execute(f"INSERT INTO people VALUES (1, {values[0]}), (2, {values[1]})")
    assert (await export())[0] == ["1", "2"]
    assert (await export())[0] == []
    await acme.execute(f"INSERT INTO people VALUES (3, {later})")
    assert (await export())[0] == ["3"]


async def test_an_overlap_looks_back_for_rows_that_came_late(export: Any, people: Connection) -> None:
    await export()
    await people.execute("INSERT INTO people VALUES (3, '2026-01-01 23:30Z'), (4, '2026-01-01 12:00Z')")
    assert (await export(succeeds=False))[0] == []
    assert sorted((await export(incremental={"column": "at", "overlap": "PT1H"}))[0]) == ["2", "3"]


async def test_a_time_that_is_yet_to_come_waits_for_it(export: Any, people: Connection) -> None:
    await people.execute("INSERT INTO people VALUES (3, now() + interval '1 day'), (4, 'infinity')")
    rows, output = await export()
    assert rows == ["1", "2"]
    assert output["incremental"]["to"].startswith("2026-01-02")


@pytest.mark.usefixtures("acme")
async def test_of_an_empty_table_nothing_is_exported_and_nothing_skipped(export: Any, acme: Connection) -> None:
    await acme.execute("CREATE TABLE people (id integer, at timestamptz)")
    rows, output = await export()
    assert (rows, output["incremental"]["to"]) == ([], None)
    await acme.execute("INSERT INTO people VALUES (1, '1970-01-01Z')")
    assert (await export())[0] == ["1"]


@pytest.mark.parametrize(
    ("change", "column", "says"),
    [
        ("INSERT INTO people VALUES (3, NULL)", "at", "rows without a value in at"),
        ("ALTER TABLE people ALTER at TYPE date", "at", "the column at is a date"),
        ("ALTER TABLE people ALTER id TYPE numeric; UPDATE people SET id = 'NaN' WHERE id = 1", "id", "is NaN"),
        ("SELECT 1", "nothing", '"nothing" does not exist'),
    ],
)
async def test_what_could_leave_rows_out_for_ever_is_refused(
    export: Any, people: Connection, change: str, column: str, says: str
) -> None:
    await people.execute(change)
    with pytest.raises(JobFailed, match=says) as failed:
        await export(column=column)
    assert not failed.value.retryable


@pytest.mark.usefixtures("people")
async def test_an_overlap_says_nothing_of_a_first_run(export: Any) -> None:
    assert (await export(incremental={"column": "at", "overlap": "PT1H"}))[0] == ["1", "2"]


@pytest.mark.usefixtures("people")
async def test_an_overlap_is_for_times(export: Any) -> None:
    with pytest.raises(JobFailed, match="an overlap is for times"):
        await export(incremental={"column": "id", "overlap": "PT1H"})
