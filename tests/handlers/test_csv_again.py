"""A file that was loaded is known again."""

import gzip
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import JobRef, Progress
from eventjobs.handlers.workbench import Workbench
from tests.handlers.conftest import Attempt
from tests.handlers.test_csv_import import PEOPLE, TYPES, counts, rows

Connection = asyncpg.Connection
OTHER = "id,name,joined\n9,Zoe,2026-02-02\n"
IMPORT = {"job": JobRef("import", "contacts")}
KEPT = {"success": "keep", "bad_source": "keep"}


@pytest.fixture
def load_import(load: Any) -> Any:
    async def run(*, of: dict[str, Any] | None = None, **config: Any) -> Any:
        config = {"columns": TYPES, "ready": {"stable_for": "PT0.001S"}, "after": KEPT, **config}
        return await load(of={**IMPORT, **(of or {})}, **config)

    return run


@pytest.mark.parametrize("mode", ["replace", "append", "merge"])
async def test_an_import_loads_a_file_once_and_says_that_it_has_not_changed(
    load_import: Any, acme: Connection, put: Any, mode: str
) -> None:
    put("people.csv", PEOPLE)
    keys = ["id"] if mode == "merge" else []
    first = await load_import(mode=mode, keys=keys, of={"run": f"first-{mode}"})
    second = await load_import(mode=mode, keys=keys)
    third = await load_import(mode=mode, keys=keys)
    assert first.counts == counts(3, 3)
    assert "unchanged_since" not in first.output
    assert (second.counts, second.output["unchanged_since"]) == (counts(0, 0), f"first-{mode}")
    assert (third.counts, third.output["sha256"]) == (counts(0, 0), first.output["sha256"])
    assert third.output["unchanged_since"] == f"first-{mode}"
    assert len(await rows(acme)) == 3


async def test_it_is_the_text_that_is_known_however_it_is_packed(load_import: Any, acme: Connection, put: Any) -> None:
    put("people.csv", PEOPLE)
    await load_import(mode="append")
    put("people.csv", gzip.compress(PEOPLE.encode()))
    assert (await load_import(mode="append")).counts == counts(0, 0)
    assert len(await rows(acme)) == 3


async def test_a_former_file_may_replace_what_came_after_it_but_is_not_appended_again(
    load_import: Any, acme: Connection, put: Any
) -> None:
    for mode, expected in (("replace", 3), ("append", 4)):
        await acme.execute("DROP TABLE IF EXISTS people")
        for content in (PEOPLE, OTHER, PEOPLE):
            put("people.csv", content)
            await load_import(mode=mode)
        assert len(await rows(acme)) == expected


async def test_a_table_that_another_job_has_loaded_is_loaded_again(
    load_import: Any, acme: Connection, put: Any
) -> None:
    put("people.csv", PEOPLE)
    await load_import()
    put("other.csv", OTHER)
    await load_import(of={"job": JobRef("import", "others")}, source="other.csv")
    assert (await load_import()).counts == counts(3, 3)
    assert len(await rows(acme)) == 3


async def test_a_run_that_loads_nothing_does_not_hide_who_loaded_the_table_meanwhile(
    load_import: Any, acme: Connection, put: Any, loading: Workbench, attempt: Callable[..., Attempt]
) -> None:
    put("people.csv", PEOPLE)
    put("other.csv", OTHER)
    await load_import()
    unchanged = attempt(loading, run="unchanged", **IMPORT)

    async def load_another(progress: Progress) -> None:
        if progress.fraction == 1.0:
            await load_import(of={"job": JobRef("import", "others")}, source="other.csv")

    unchanged.on_progress = load_another
    config = {"source": "people.csv", "table": "people", "mode": "replace", "columns": TYPES, "after": KEPT}
    assert (await unchanged.perform("csv.import", config)).counts == counts(0, 0)
    assert len(await rows(acme)) == 1
    assert (await load_import()).counts == counts(3, 3)


@pytest.mark.parametrize("mode", ["replace", "append"])
@pytest.mark.parametrize("end", ["DROP TABLE people", "DELETE FROM people"])
async def test_a_table_that_somebody_emptied_is_loaded_again(
    load_import: Any, acme: Connection, put: Any, mode: str, end: str
) -> None:
    put("people.csv", PEOPLE)
    await load_import(mode=mode)
    await acme.execute(end)
    assert (await load_import(mode=mode)).counts == counts(3, 3)


async def test_a_table_that_was_there_before_takes_a_file_once_too(
    load_import: Any, acme: Connection, put: Any
) -> None:
    await acme.execute("CREATE TABLE people (id integer, name text, joined date)")
    put("people.csv", PEOPLE)
    for expected in (3, 0):
        assert (await load_import(mode="append")).counts == counts(expected, expected)


async def test_a_file_is_read_again_where_the_job_reads_it_otherwise_now(
    load_import: Any, acme: Connection, put: Any
) -> None:
    put("people.csv", PEOPLE.replace("2026-01-02", "01/02/2026"))
    for date_order, expected in (("mdy", "2026-01-02"), ("dmy", "2026-02-01")):
        await load_import(date_order=date_order)
        assert str((await rows(acme))[1][2]) == expected


async def test_reload_loads_again_and_a_service_does_so_unless_told(
    load_import: Any, load: Any, acme: Connection, put: Any
) -> None:
    put("people.csv", PEOPLE)
    await load_import(mode="append")
    assert (await load_import(mode="append", reload=True)).counts == counts(3, 3)
    assert (await load(mode="append")).counts == counts(3, 3)
    assert (await load(mode="append", reload=False)).counts == counts(0, 0)
    assert len(await rows(acme)) == 9


async def test_a_retry_of_a_run_that_loaded_nothing_says_the_same(load_import: Any, acme: Connection, put: Any) -> None:
    put("people.csv", PEOPLE)
    await load_import()
    await load_import(of={"run": "again"})
    retried = await load_import(of={"run": "again", "attempt": 2})
    assert (retried.counts, retried.output["replayed"]) == (counts(0, 0), True)
    assert len(await rows(acme)) == 3


async def test_what_was_not_committed_was_not_loaded(load_import: Any, acme: Connection, put: Any) -> None:
    put("people.csv", PEOPLE)
    put("people.count", "4")
    with pytest.raises(JobFailed, match="says 4"):
        await load_import(count_file="people.count")
    assert (await load_import()).counts == counts(3, 3)
    assert len(await rows(acme)) == 3
