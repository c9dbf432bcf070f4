from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from eventjobs.errors import JobFailed
from eventjobs.handlers.workbench import Workbench

Connection = asyncpg.Connection
PEOPLE = "id,name,joined\n1,Ada,2026-01-01\n2,Béa,2026-01-02\n3,Cy,2026-01-03\n"
TYPES = {"id": "integer", "name": "text", "joined": "date"}


def counts(processed: int, added: int, updated: int = 0, rejected: int = 0) -> dict[str, int]:
    return {"processed": processed, "added": added, "updated": updated, "rejected": rejected}


async def rows(acme: Connection, table: str = "people") -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await acme.fetch(f"SELECT * FROM {table} ORDER BY 1")]


async def test_a_table_is_made_with_the_declared_types(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", PEOPLE)
    result = await load(columns=TYPES)
    assert result.counts == counts(3, 3)
    assert [row[:2] for row in await rows(acme)] == [(1, "Ada"), (2, "Béa"), (3, "Cy")]
    assert str((await rows(acme))[0][2]) == "2026-01-01"


async def test_without_declared_types_the_columns_are_texts_named_after_the_header(
    load: Any, acme: Connection, put: Any
) -> None:
    put("people.csv", "E-Mail Address,Größe (cm),2nd\na@example.org,180,x\n")
    await load()
    (row,) = await acme.fetch("SELECT * FROM people")
    assert dict(row) == {"e_mail_address": "a@example.org", "grosse_cm": "180", "_2nd": "x"}


async def test_replace_takes_the_place_of_all_rows(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", PEOPLE)
    await load(columns=TYPES)
    put("people.csv", "id,name,joined\n9,Zoe,2026-02-02\n")
    assert (await load(columns=TYPES)).counts == counts(1, 1)
    assert [row[0] for row in await rows(acme)] == [9]


async def test_append_adds_to_what_is_there(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", PEOPLE)
    await load(columns=TYPES)
    assert (await load(mode="append")).counts == counts(3, 3)
    assert [row[0] for row in await rows(acme)] == [1, 1, 2, 2, 3, 3]


async def test_merge_updates_rows_with_a_known_key_and_adds_the_others(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", PEOPLE)
    await load(columns=TYPES, mode="merge", keys=["id"])
    put("people.csv", "id,name,joined\n3,Cyd,2026-01-03\n4,Di,2026-01-04\n")
    assert (await load(columns=TYPES, mode="merge", keys=["id"])).counts == counts(2, 1, 1)
    assert [row[:2] for row in await rows(acme)] == [(1, "Ada"), (2, "Béa"), (3, "Cyd"), (4, "Di")]


@pytest.mark.usefixtures("acme")
async def test_merge_into_a_table_without_an_index_makes_one(load: Any, put: Any) -> None:
    put("people.csv", PEOPLE)
    await load(columns=TYPES)
    assert (await load(mode="merge", keys=["id"])).counts == counts(3, 0, 3)


@pytest.mark.usefixtures("acme")
async def test_a_table_of_keys_alone_can_be_merged(load: Any, put: Any) -> None:
    put("people.csv", "id\n1\n2\n")
    await load(columns={"id": "bigint"}, mode="merge", keys=["id"])
    assert (await load(columns={"id": "bigint"}, mode="merge", keys=["id"])).counts == counts(2, 0, 2)


async def test_bad_records_are_rejected_with_line_and_reason_and_the_others_loaded(
    load: Any, acme: Connection, put: Any, tmp_path: Path
) -> None:
    put(
        "people.csv",
        b"id,name,joined\n"
        b"1,Ada,2026-01-01\n"
        b"two,Bea,2026-01-02\n"
        b'3,"Cy\nthe 2nd",2026-02-30\n'
        b"4,Di\n"
        b"5,Ed,2026-01-05,x\n"
        b"\n"
        b"6,F\xff,2026-01-06\n"
        b'7,"G,2026-01-07\n'
        b"8,H\0,2026-01-08\n"
        b"9,Ida,2026-01-09\n",
    )
    result = await load(columns=TYPES, of={"run": "bad", "row": 7})
    assert result.counts == counts(9, 2, rejected=7)
    assert [row[0] for row in await rows(acme)] == [1, 9]
    assert result.output["rejects_file"] == "rejects/bad-7.csv"
    assert result.output["rejected_lines"] == [3, 4, 6, 7, 9, 10, 11]
    assert (tmp_path / "files/acme/rejects/bad-7.csv").read_text() == (
        "line,reason,record\n"
        '3,"id: invalid input syntax for type integer: ""two""","two,Bea,2026-01-02"\n'
        '4,"joined: date/time field value out of range: ""2026-02-30""","3,""Cy\nthe 2nd"",2026-02-30"\n'
        '6,has 2 fields instead of 3,"4,Di"\n'
        '7,has 4 fields instead of 3,"5,Ed,2026-01-05,x"\n'
        '9,holds bytes that are not of the encoding,"6,F�,2026-01-06"\n'
        '10,a quote is never closed,"7,""G,2026-01-07"\n'
        '11,holds a NUL character,"8,H�,2026-01-08"\n'
    )


@pytest.mark.usefixtures("acme")
async def test_several_wrong_fields_of_a_record_are_all_named(load: Any, put: Any, tmp_path: Path) -> None:
    put("people.csv", "id,name,joined\nx,Ada,y\n")
    await load(columns=TYPES, of={"run": "two"})
    reason = (tmp_path / "files/acme/rejects/two-1.csv").read_text()
    assert "id: invalid input" in reason
    assert "; joined: invalid input" in reason


@pytest.mark.parametrize(("limit", "fails"), [(1, False), (0, True), ("50%", False), ("20%", True), (None, False)])
async def test_over_the_reject_limit_nothing_is_loaded(
    load: Any, acme: Connection, put: Any, limit: int | str | None, fails: bool
) -> None:
    put("people.csv", PEOPLE)
    await load(columns=TYPES)
    put("people.csv", "id,name,joined\n7,Gus,2026-01-01\nx,Hal,2026-01-01\n")
    if not fails:
        assert (await load(columns=TYPES, reject_limit=limit)).counts == counts(2, 1, rejected=1)
        return
    with pytest.raises(JobFailed) as failed:
        await load(columns=TYPES, reject_limit=limit)
    assert (failed.value.reason, failed.value.retryable) == ("reject_threshold", False)
    assert failed.value.counts == counts(2, 0, rejected=1)
    assert [row[0] for row in await rows(acme)] == [1, 2, 3]


async def test_of_records_with_the_same_key_the_last_one_is_merged(
    load: Any, acme: Connection, put: Any, tmp_path: Path
) -> None:
    put("people.csv", "id,name,joined\n1,Old,2026-01-01\n2,Bea,2026-01-02\n01,New,2026-01-03\n")
    result = await load(columns=TYPES, mode="merge", keys=["id"], of={"run": "same"})
    assert result.counts == counts(3, 2, rejected=1)
    assert [row[:2] for row in await rows(acme)] == [(1, "New"), (2, "Bea")]
    assert '2,"a later record has the same key, on line 4"' in (tmp_path / "files/acme/rejects/same-1.csv").read_text()


@pytest.mark.usefixtures("acme")
async def test_a_record_without_its_key_is_rejected(load: Any, put: Any, tmp_path: Path) -> None:
    put("people.csv", "id,name,joined\n1,Ada,2026-01-01\n,Nobody,2026-01-02\n")
    assert (await load(columns=TYPES, mode="merge", keys=["id"], of={"run": "key"})).counts["rejected"] == 1
    assert "3,id: is empty" in (tmp_path / "files/acme/rejects/key-1.csv").read_text()


async def test_a_second_attempt_of_the_job_run_loads_nothing(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", PEOPLE)
    first = await load(columns=TYPES, mode="append", of={"run": "once"})
    put("people.csv", PEOPLE * 2)
    again = await load(columns=TYPES, mode="append", of={"run": "once", "attempt": 2})
    assert again.counts == first.counts == counts(3, 3)
    assert (first.output["replayed"], again.output["replayed"]) == (False, True)
    assert len(await rows(acme)) == 3


async def test_a_lower_term_is_refused_once_a_higher_one_has_loaded(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", PEOPLE)
    await load(columns=TYPES, of={"run": "fenced", "row": 1, "term": 2})
    with pytest.raises(JobFailed, match="newer worker") as failed:
        await load(columns=TYPES, mode="append", of={"run": "fenced", "row": 2, "term": 1})
    assert (failed.value.reason, failed.value.retryable) == ("superseded", False)
    assert len(await rows(acme)) == 3


async def test_the_load_is_recorded_with_the_source_s_digest(load: Any, acme: Connection, put: Any) -> None:
    import hashlib

    put("people.csv", PEOPLE)
    await load(columns=TYPES, of={"run": "told", "row": 4, "attempt": 2, "term": 3})
    row = await acme.fetchrow("SELECT run, row, job, attempt, term, sha256 FROM eventjobs_loads WHERE run = 'told'")
    assert tuple(row) == ("told", 4, "service/load", 2, 3, hashlib.sha256(PEOPLE.encode()).hexdigest())


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("utf-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-8", "utf-16"),
        ("latin-1", "latin-1"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
    ],
)
async def test_texts_arrive_whatever_the_encoding(
    load: Any, acme: Connection, put: Any, encoding: str, codec: str
) -> None:
    put("people.csv", PEOPLE.encode(codec))
    assert (await load(columns=TYPES, encoding=encoding)).counts == counts(3, 3)
    assert (await rows(acme))[1][1] == "Béa"


async def test_bytes_unknown_to_a_single_byte_encoding_are_rejected(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", b"id,name,joined\n1,\xe9,2026-01-01\n2,\x81,2026-01-01\n")
    assert (await load(columns=TYPES, encoding="cp1252")).counts == counts(2, 1, rejected=1)
    assert await rows(acme) == [(1, "é", (await rows(acme))[0][2])]


async def test_a_dialect_of_one_s_own_is_read(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", "1;'a''b;c';NULL\r\n2;'NULL';\r\n")
    await load(
        has_header=False,
        columns={"id": "int", "a": "text", "b": "text"},
        dialect={"delimiter": ";", "quote": "'", "null": "NULL"},
    )
    assert await rows(acme) == [(1, "a'b;c", None), (2, "NULL", "")]


async def test_a_header_map_names_columns_and_leaves_fields_out(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", "Nr.,Name,Secret\n1,Ada,x\n")
    await load(header={"Nr.": "number", "Secret": None}, columns={"number": "bigint"})
    (row,) = await acme.fetch("SELECT * FROM people")
    assert dict(row) == {"number": 1, "name": "Ada"}


async def test_replace_with_other_declared_types_makes_the_table_anew(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", PEOPLE)
    await load()
    await load(columns=TYPES)
    assert (await rows(acme))[0][0] == 1


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("content", "config", "message"),
    [
        ("", {}, "the source is empty"),
        ("a,b,a\n1,2,3\n", {}, "two fields of the header"),
        ("a,,b\n1,2,3\n", {}, "field 2 is empty"),
        ("a,b\n1,2\n", {"columns": {"c": "text"}}, "no column c; it has a, b"),
        ("a,b\n1,2\n", {"header": {"x": "y"}}, "header map names 'x'"),
        ('"a,b\n1,2\n', {}, "the header cannot be read"),
        ("a,b\n1,2\n", {"mode": "merge", "keys": ["c"]}, "no column c"),
    ],
)
async def test_a_source_that_cannot_be_understood_fails_and_says_why(
    load: Any, put: Any, content: str, config: dict[str, Any], message: str
) -> None:
    put("people.csv", content)
    with pytest.raises(JobFailed, match=message) as failed:
        await load(**config)
    assert not failed.value.retryable


@pytest.mark.usefixtures("acme")
async def test_a_missing_source_may_be_there_at_the_next_attempt(load: Any) -> None:
    with pytest.raises(JobFailed, match=r"people\.csv is not there") as failed:
        await load()
    assert failed.value.retryable


async def test_a_table_with_other_columns_is_left_alone(load: Any, acme: Connection, put: Any) -> None:
    await acme.execute("CREATE TABLE people (id integer, name text)")
    put("people.csv", PEOPLE)
    with pytest.raises(JobFailed, match="has no column joined; it has id, name"):
        await load()
    with pytest.raises(JobFailed, match="has no column joined"):
        await load(mode="append", columns=TYPES)


async def test_rows_that_break_the_table_s_own_rules_fail_the_load_as_a_whole(
    load: Any, acme: Connection, put: Any
) -> None:
    await acme.execute("CREATE TABLE people (id integer UNIQUE, name text CHECK (name <> 'Cy'), joined date)")
    put("people.csv", PEOPLE)
    with pytest.raises(JobFailed, match='violates check constraint "people_name_check"') as failed:
        await load(mode="append")
    assert not failed.value.retryable
    assert await rows(acme) == []


async def test_readers_see_the_old_rows_until_the_new_ones_are_all_there(
    loading: Workbench, attempt: Any, acme: Connection, put: Any
) -> None:
    await acme.execute("CREATE TABLE people (id integer, name text, joined date)")
    await acme.execute("INSERT INTO people VALUES (0, 'old', NULL)")
    put("people.csv", "id,name,joined\n" + "1,new,2026-01-01\n" * 60_000)
    made = attempt(loading, run="seen")
    made.context = replace(made.context, clock=_EverLater(made.context.clock))
    seen = []

    async def look(_: object) -> None:
        seen.append(await rows(acme))

    made.on_progress = look
    await made.perform("csv.import", {"source": "people.csv", "table": "people"})
    assert seen
    assert all(found == [(0, "old", None)] for found in seen)
    assert len(await rows(acme)) == 60_000


class _EverLater:
    """A clock on which every look is a second after the one before, so that each step is reported."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._at = 0.0

    def now(self) -> Any:
        return self._clock.now()

    def monotonic(self) -> float:
        self._at += 1.0
        return self._at


async def test_a_count_file_that_disagrees_fails_the_load(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", PEOPLE)
    put("people.count", "3\n")
    await load(columns=TYPES, count_file="people.count")
    put("people.count", "records: 4")
    with pytest.raises(JobFailed, match=r"has 3 records and people\.count says 4") as failed:
        await load(columns=TYPES, mode="append", count_file="people.count")
    assert failed.value.reason == "count_mismatch"
    assert len(await rows(acme)) == 3


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("text", ["", "three", "3,000", "3 of 4", "people-2026.csv 3", "3".encode("utf-16-le") * 2])
async def test_a_count_file_that_holds_not_one_number_counts_nothing(load: Any, put: Any, text: str | bytes) -> None:
    put("people.csv", PEOPLE)
    put("people.count", text)
    with pytest.raises(JobFailed, match=r"people\.count holds (no|more than one) number") as failed:
        await load(columns=TYPES, count_file="people.count")
    assert (failed.value.reason, failed.value.retryable) == ("count_mismatch", False)


@pytest.mark.usefixtures("acme")
async def test_what_older_servers_take_for_the_end_of_data_is_data(load: Any, put: Any) -> None:
    put("people.csv", "id\n1\n\\.\n2\n")
    assert (await load()).counts == counts(3, 3)


@pytest.mark.usefixtures("acme")
async def test_a_blank_line_is_a_missing_value_only_in_a_table_of_one_column(load: Any, put: Any) -> None:
    put("people.csv", "id\n1\n\n2\n")
    assert (await load(columns={"id": "int"})).counts == counts(3, 3)
    put("people.csv", PEOPLE + "\n\n")
    assert (await load(columns=TYPES)).counts == counts(3, 3)


async def test_the_bytes_of_a_text_never_become_sql(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", 'id,name; DROP TABLE x\n1,"\'); DROP TABLE people; --"\n')
    await load()
    assert dict((await acme.fetch("SELECT * FROM people"))[0]) == {
        "id": "1",
        "name_drop_table_x": "'); DROP TABLE people; --",
    }
