"""What a `csv.import` job is told."""

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.secrets import is_reference
from eventjobs.outbound.sftp_login import SFTP_URL, SftpLogin, SftpPlace
from eventjobs.postgres.tables import NAME, DateOrder, Dialect, Mode, canonical_type

RESERVED: Final = "eventjobs_"
URL: Final = re.compile(r"^https?://", re.IGNORECASE)

IMPORT: Final = "import"
"""The kind of jobs that are imports of lists."""

_RECIPE: Final = {
    "mode",
    "keys",
    "columns",
    "header",
    "has_header",
    "dialect",
    "encoding",
    "date_order",
}

NO_QUOTE: Final = "\b"
"""Stands for "no quoting": a character that texts do not hold."""

Encoding: TypeAlias = Literal[
    "utf-8", "utf-8-sig", "latin-1", "iso-8859-1", "iso-8859-15", "cp1250", "cp1251", "cp1252", "cp437",
    "cp850", "mac-roman", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "shift_jis", "euc-jp", "gb18030", "big5",
    "euc-kr",
]  # fmt: skip


def _name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("must be lower-case letters, digits and _, not begin with a digit, and have at most 63 bytes")
    return name


def _column_type(declared: str) -> str:
    spelled = canonical_type(declared)
    if spelled is None:
        raise ValueError(
            f"{declared[:40]!r} is not a column type such as text, bigint, numeric(12,2), date, timestamptz"
        )
    return spelled


def _not_ours(table: str) -> str:
    if table.startswith(RESERVED):
        raise ValueError(f"names that begin with {RESERVED} are the service's own")
    return table


def _dsn_is_secret(database: str, info: ValidationInfo) -> str:
    # A context comes with a definition, which is kept for ever; a run has none, and the secret filled in.
    if not is_reference(database) and (
        info.context is not None or not database.startswith(("postgresql://", "postgres://"))
    ):
        raise ValueError("must be secret://name, with a DSN that begins with postgresql://")
    return database


Name: TypeAlias = Annotated[str, AfterValidator(_name)]
Table: TypeAlias = Annotated[Name, AfterValidator(_not_ours)]
Database: TypeAlias = Annotated[str, AfterValidator(_dsn_is_secret)]
ColumnType: TypeAlias = Annotated[str, AfterValidator(_column_type)]
Single: TypeAlias = Annotated[str, Field(pattern=r"^[\t -~]$")]


def _file_name(name: str) -> str:
    if "/" in name or "\\" in name or name in {".", ".."} or not name.isprintable():
        raise ValueError("must be the name of a file, without a folder")
    return name


Fate: TypeAlias = Literal["archive", "delete", "keep"]
FileName: TypeAlias = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_file_name)]


class Strict(BaseModel):
    """A configuration without fields that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DialectConfig(Strict):
    """How records are written; `quote: null` means that nothing is quoted."""

    delimiter: Single = ","
    quote: Single | None = '"'
    escape: Single | None = Field(default=None, description="unset: the quote, doubled")
    null: str = Field(default="", max_length=20, pattern=r"^[^\r\n\x00\x08]*$", description="an unquoted missing value")

    @model_validator(mode="after")
    def _tell_apart(self) -> Self:
        if self.quote == self.delimiter:
            raise ValueError("delimiter and quote must differ")
        if self.delimiter in self.null or (self.quote and self.quote in self.null):
            raise ValueError("the text of a missing value may not hold delimiter or quote")
        return self

    def plain(self) -> Dialect:
        """Return the dialect with nothing left open."""
        quote = self.quote or NO_QUOTE
        return Dialect(delimiter=self.delimiter, quote=quote, escape=self.escape or quote, null=self.null)


class RejectLimit(Strict):
    """How many rejected records a load may have and still succeed, as a number or in percent of all."""

    count: int | None = Field(default=None, ge=0)
    percent: float | None = Field(default=None, ge=0, le=100)

    def exceeded(self, rejected: int, processed: int) -> bool:
        """Tell whether there are too many."""
        if self.count is not None and rejected > self.count:
            return True
        # As it was written: 0.57 as a binary number is a little less, and 57 of 10,000 would be too many.
        return self.percent is not None and rejected * 100 > Fraction(str(self.percent)) * processed


class Ready(Strict):
    """
    When a file may be read: once a marker lies beside it, or once it was left alone for a while.

    `wait` is how long that is waited for.
    """

    marker: FileName | None = Field(default=None, description="a file beside the source, such as contacts.done")
    stable_for: Annotated[timedelta, Field(gt=timedelta(), le=timedelta(hours=1))] | None = Field(
        default=None, description="how long size and time of the last change have to stay as they are"
    )
    wait: Annotated[timedelta, Field(ge=timedelta(), le=timedelta(days=1))] = timedelta(minutes=10)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.marker is None) == (self.stable_for is None):
            raise ValueError("needs either a marker or stable_for")
        return self


class After(Strict):
    """
    What becomes of a file, its marker and its count file, once it is known how the load ended (G82).

    After any other failure, a stop or a crash they stay, so that the job can be run again.
    """

    success: Fate = Field(default="archive", description="after it was loaded, or was not changed since it was")
    bad_source: Fate = Field(
        default="archive",
        description="if it is empty, cannot be read, has too many rejects, or disagrees with its count file",
    )
    archive: FileName = Field(default="archive", description="a folder beside the file, in which each run has its own")


class CsvImportConfig(Strict):
    """Which file goes into which table, and how."""

    source: str = Field(
        min_length=1,
        max_length=2048,
        description="a file of the workspace, an http(s) URL, or sftp://user@host/path with sftp",
    )
    sftp: SftpLogin | None = Field(default=None, description="how to log in where the source is an sftp:// URL")
    table: Table
    mode: Mode = "replace"
    keys: tuple[Name, ...] = Field(default=(), max_length=32, description="columns that identify a row")
    columns: Mapping[Name, ColumnType] | None = Field(default=None, min_length=1, description="column types")
    header: Mapping[str, Name | None] = Field(
        default_factory=dict, description="column by header; null leaves a field out"
    )
    has_header: bool = True
    dialect: DialectConfig = DialectConfig()
    encoding: Encoding = "utf-8"
    date_order: DateOrder = Field(default="ymd", description="how 01/02/2026 is read; 2026-02-01 is always understood")
    reject_limit: Annotated[int, Field(ge=0)] | str | RejectLimit | None = Field(
        default=None, description='rejected records allowed: 10, "5%", {"count": …, "percent": …}; unset: any number'
    )
    ready: Ready | None = Field(
        default=None, description="when a file may be read; unset: for imports once it was left alone for 2 seconds"
    )
    reload: bool | None = Field(
        default=None,
        description="load what this job has loaded into the table before; unset: neither for imports nor with after",
    )
    after: After | None = Field(
        default=None,
        description="what becomes of the file; unset: for imports it is archived, unless reload is true; else it stays",
    )
    unpacked_max: int = Field(
        default=10 * 1024**3, ge=1, le=1024**4, description="bytes that a gzip source may have when it is unpacked"
    )
    rejects_file: str | None = Field(default=None, max_length=500)
    count_file: str | None = Field(default=None, max_length=500, description="a file that holds the number of records")
    database: Database | None = Field(
        default=None, description="a DSN, as secret://name; unset: the service's own database"
    )
    db_schema: Name | None = Field(default=None, alias="schema", description="with database; public if unset")
    timeout: Annotated[timedelta, Field(gt=timedelta(), le=timedelta(days=1))] = Field(
        default=timedelta(hours=1), description="for the download of a URL, or all that is done on an SFTP server"
    )

    @field_validator("source")
    @classmethod
    def _reachable(cls, source: str, info: ValidationInfo) -> str:
        rules = (info.context or {}).get("outbound")
        if is_reference(source):
            return source
        if SFTP_URL.match(source):
            SftpPlace.parse(source, rules if isinstance(rules, OutboundRules) else None)
        elif URL.match(source):
            objection = rules.objection(source) if isinstance(rules, OutboundRules) else None
            if objection is not None:
                raise ValueError(f"the URL {objection}")
        elif "://" in source:
            raise ValueError("only http, https and sftp URLs and files of the workspace can be imported")
        return source

    @field_validator("reject_limit", mode="after")
    @classmethod
    def _one_form(cls, limit: int | str | RejectLimit | None) -> RejectLimit | None:
        if isinstance(limit, int):
            return RejectLimit(count=limit)
        if isinstance(limit, str):
            number = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)\s*%", limit)
            if number is None or float(number[1]) > 100:  # noqa: PLR2004 - percent
                raise ValueError('must be a number, or a share such as "5%"')
            return RejectLimit(percent=float(number[1]))
        return limit

    @model_validator(mode="after")
    def _can_log_in(self) -> Self:
        is_sftp = SFTP_URL.match(self.source) is not None
        if is_sftp and self.sftp is None:
            raise ValueError("an sftp:// source needs sftp, with the server's host_key and a password or private_key")
        if self.sftp and not is_sftp and not is_reference(self.source):
            raise ValueError("sftp is only for a source that begins with sftp://")
        return self

    @model_validator(mode="after")
    def _has_file(self) -> Self:
        if self.ready and URL.match(self.source):
            raise ValueError("ready is only for files: an answer to a URL is complete")
        if self.after and URL.match(self.source):
            raise ValueError("after is only for files: what a URL leads to cannot be moved or deleted")
        return self

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.mode == "merge" and not self.keys:
            raise ValueError("merge needs keys")
        if len(set(self.keys)) != len(self.keys):
            raise ValueError("a key is named twice")
        if not self.has_header and not self.columns:
            raise ValueError("without a header the columns must be named")
        if self.db_schema and not self.database:
            raise ValueError("a schema can be chosen only together with a database")
        return self

    def of(self, kind: str) -> Self:
        """Return the configuration for a kind of job, of which imports are careful with their files by themselves."""
        is_import, is_file = kind == IMPORT, not URL.match(self.source)
        reload = not is_import and self.after is None if self.reload is None else self.reload
        ready = LEFT_ALONE if self.ready is None and is_import and is_file else self.ready
        # Who has a file loaded again and again wants to find it where it is.
        after = After() if self.after is None and is_import and is_file and not reload else self.after
        return self.model_copy(update={"reload": reload, "ready": ready, "after": after})

    @property
    def recipe(self) -> str:
        """What tells apart the ways to read one source, in hex."""
        return hashlib.sha256(self.model_dump_json(include=_RECIPE).encode()).hexdigest()


LEFT_ALONE: Final = Ready(stable_for=timedelta(seconds=2))
"""How an import finds out that nobody writes to its file."""
