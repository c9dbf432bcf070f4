"""
SQL by name: one statement a file, migrations in order.

An installed wheel reads its packaged copy (`eventjobs/sql`), a source checkout the folder `sql/` at its root.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

IDENTIFIER_BYTES_MAX: Final = 63

_MIGRATION_NAME: Final = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_SECTION: Final = re.compile(r"^--\s*migrate:(up|down)([^\n]*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """
    One step of the schema.

    `sql` is its `migrate:up` part, still with placeholders; `checksum` the SHA-256 of that part; `in_transaction` is
    false for `-- migrate:up transaction:false`.
    """

    number: int
    name: str
    sql: str
    checksum: bytes
    in_transaction: bool = True


@cache
def statement(name: str) -> str:
    """Return the statement of `queries/<name>.sql`; raises `LookupError` if there is no such file."""
    try:
        return (sql_root() / "queries" / f"{name}.sql").read_text("utf-8").strip()
    except OSError as error:
        raise LookupError(f"no statement {name!r}") from error


@cache
def migrations() -> Sequence[Migration]:
    """Return every migration by number; raises `ValueError` for a misnamed file or a number that is there twice."""
    folder = sql_root() / "migrations"
    steps = [read_migration(file.name, file.read_text("utf-8")) for file in folder.iterdir() if _is_sql(file.name)]
    steps.sort(key=lambda step: step.number)
    numbers = [step.number for step in steps]
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"two migrations share a number: {[step.name for step in steps]}")
    return tuple(steps)


def read_migration(file_name: str, text: str) -> Migration:
    """Read a file in dbmate's format; raises `ValueError` where it is not."""
    named = _MIGRATION_NAME.match(file_name)
    if named is None:
        raise ValueError(f"{file_name}: a migration is named NNNN_what_it_does.sql")
    sections = list(_SECTION.finditer(text))
    ups = [section for section in sections if section[1] == "up"]
    if len(ups) != 1:
        raise ValueError(f"{file_name}: expected exactly one '-- migrate:up'")
    up = ups[0]
    ends = [section.start() for section in sections if section.start() > up.start()]
    sql = text[up.end() : min(ends, default=len(text))].strip()
    return Migration(
        number=int(named[1]),
        name=file_name.removesuffix(".sql"),
        sql=sql,
        checksum=hashlib.sha256(sql.encode()).digest(),
        in_transaction="transaction:false" not in up[2],
    )


def quote_identifier(name: str) -> str:
    """Quote a name for use in SQL; raises `ValueError` for one that Postgres would refuse or cut."""
    if not name or "\0" in name or len(name.encode()) > IDENTIFIER_BYTES_MAX:
        raise ValueError(f"no usable name: {name!r}")
    return '"' + name.replace('"', '""') + '"'


def sql_root() -> Traversable:
    """Return the packaged copy; in a source checkout the folder at the root of the repository."""
    packaged = resources.files("eventjobs") / "sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "sql"


def _is_sql(name: str) -> bool:
    return name.endswith(".sql")
