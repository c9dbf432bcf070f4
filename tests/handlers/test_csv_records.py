from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from eventjobs.errors import JobFailed
from eventjobs.handlers.csv_records import RECORD_CHARS_MAX, FieldSplitter, Record, RecordReader
from eventjobs.postgres.tables import Dialect

PLAIN = Dialect()
BACKSLASH = Dialect(delimiter=";", quote="'", escape="\\", null="NULL")


def read(text: str, dialect: Dialect = PLAIN, size: int = 10_000) -> list[Record]:
    reader = RecordReader(dialect)
    found = [record for at in range(0, len(text), size) for record in reader.feed(text[at : at + size])]
    return [*found, *reader.finish()]


def fields(text: str, dialect: Dialect = PLAIN) -> list[str | None]:
    return FieldSplitter(dialect).fields(text)


def test_a_record_has_the_number_of_its_first_line() -> None:
    assert read('a\n"b\nc"\n\nd') == [Record(1, "a"), Record(2, '"b\nc"'), Record(4, ""), Record(5, "d")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_one(end: str) -> None:
    assert [record.text for record in read(f"a{end}b{end}")] == ["a", "b"]


def test_a_quote_that_is_never_closed_costs_its_own_line_only() -> None:
    assert read('a\n"b\nc\nd\n') == [Record(1, "a"), Record(2, '"b', is_open=True), Record(3, "c"), Record(4, "d")]


def test_a_quote_that_stays_open_for_too_long_is_given_up() -> None:
    line = "x" * 1000 + "\n"
    found = read('"' + line * (RECORD_CHARS_MAX // 1000 + 10) + '"y"\n', size=100_000)
    assert (found[0].line, found[0].is_open) == (1, True)
    assert found[-1].text == '"y"'
    assert len(found) == RECORD_CHARS_MAX // 1000 + 11


def test_a_line_without_an_end_is_refused_instead_of_held() -> None:
    reader = RecordReader(PLAIN)
    with pytest.raises(JobFailed, match="line 1 is longer"):
        list(reader.feed("x" * (RECORD_CHARS_MAX + 1)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [None]),
        (",", [None, None]),
        ("a,b", ["a", "b"]),
        ('"",', ["", None]),
        ('"a,b","c""d"', ["a,b", 'c"d']),
        ('a"b"c,d', ["abc", "d"]),
        ('"a"b,c', ["ab", "c"]),
        ('a,"b\nc"', ["a", "b\nc"]),
        ('""""', ['"']),
        ('x""', ["x"]),
        ('""x,""', ["x", ""]),
        (" a , b ", [" a ", " b "]),
    ],
)
def test_fields_are_those_of_copy(text: str, expected: list[str | None]) -> None:
    assert fields(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NULL;'NULL';", [None, "NULL", ""]),
        (r"'a\'b';'c\\d';'e\f'", ["a'b", r"c\d", r"e\f"]),
        (r"a\b;'c;d'", [r"a\b", "c;d"]),
        (r"'a''b'", ["ab"]),
    ],
)
def test_another_escape_works_within_quotes(text: str, expected: list[str | None]) -> None:
    assert fields(text, BACKSLASH) == expected


@given(st.text(alphabet='ab,"\n\r', max_size=40), st.integers(1, 7))
def test_it_does_not_matter_how_the_text_is_cut(text: str, size: int) -> None:
    assert read(text, size=size) == read(text)


@given(st.text(alphabet="a;'\\\n", max_size=30), st.integers(1, 5))
def test_nor_with_another_escape(text: str, size: int) -> None:
    assert read(text, BACKSLASH, size=size) == read(text, BACKSLASH)


BARE = st.text(alphabet="abN .\\", max_size=4)
QUOTED = st.text(alphabet="ab,\n\r\\N .;", max_size=5)


def cells(dialect: Dialect) -> st.SearchStrategy[str]:
    """Draw fields, most of them well-formed."""
    quoted = QUOTED.map(lambda text: dialect.quote + text + dialect.quote)
    doubled = QUOTED.map(lambda text: f"{dialect.quote}{text}{dialect.escape}{dialect.quote}{dialect.quote}")
    odd = st.text(alphabet=f"a{dialect.quote}{dialect.escape}", max_size=5)
    return st.one_of(BARE, BARE, quoted, quoted, doubled, odd)


@pytest.fixture
async def three(acme: "asyncpg.Connection[Any]") -> "asyncpg.Connection[Any]":
    await acme.execute("CREATE TABLE three (a text, b text, c text)")
    return acme


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_what_copy_accepts_is_read_as_copy_reads_it(three: Any, data: st.DataObject) -> None:
    dialect = data.draw(st.sampled_from([PLAIN, Dialect(escape="\\"), Dialect(quote="'", null="N")]))
    record = st.lists(cells(dialect), min_size=3, max_size=3)
    text = "\n".join(",".join(fields) for fields in data.draw(st.lists(record, min_size=1, max_size=4))) + "\n"
    assume("\\." not in text)
    accepted = await copied(three, text, dialect)
    assume(accepted is not None)
    ours = [fields(record.text, dialect) for record in read(text, dialect)]
    assert ours == accepted


async def copied(connection: Any, text: str, dialect: Dialect) -> list[list[str | None]] | None:
    """Return the rows that COPY makes of a text, or `None` if it refuses it."""

    async def source() -> Any:
        yield text.encode()

    await connection.execute("DELETE FROM three")
    try:
        await connection.copy_to_table(
            "three",
            source=source(),
            format="csv",
            delimiter=dialect.delimiter,
            quote=dialect.quote,
            escape=dialect.escape,
            null=dialect.null,
        )
    except asyncpg.PostgresError:
        return None
    return [list(row) for row in await connection.fetch("SELECT * FROM three")]
