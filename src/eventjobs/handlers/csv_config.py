"""What a `csv.import` job is told."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from eventjobs.handlers.addresses import OutboundRules
from eventjobs.handlers.secrets import is_reference
from eventjobs.postgres.tables import NAME, DateOrder, Dialect, Mode, canonical_type

RESERVED: Final = "eventjobs_"
URL: Final = re.compile(r"^https?://", re.IGNORECASE)

_NO_QUOTE: Final = "\b"
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


Name: TypeAlias = Annotated[str, AfterValidator(_name)]
ColumnType: TypeAlias = Annotated[str, AfterValidator(_column_type)]
Single: TypeAlias = Annotated[str, Field(pattern=r"^[\t -~]$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DialectConfig(_Strict):
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
        quote = self.quote or _NO_QUOTE
        return Dialect(delimiter=self.delimiter, quote=quote, escape=self.escape or quote, null=self.null)


class RejectLimit(_Strict):
    """How many rejected records a load may have and still succeed, as a number or in percent of all."""

    count: int | None = Field(default=None, ge=0)
    percent: float | None = Field(default=None, ge=0, le=100)

    def exceeded(self, rejected: int, processed: int) -> bool:
        """Tell whether there are too many."""
        if self.count is not None and rejected > self.count:
            return True
        return self.percent is not None and rejected * 100 > self.percent * processed


class CsvImportConfig(_Strict):
    """Which file goes into which table, and how."""

    source: str = Field(min_length=1, max_length=2048, description="a file of the workspace, or an http(s) URL")
    table: Name
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
    rejects_file: str | None = Field(default=None, max_length=500)
    count_file: str | None = Field(default=None, max_length=500, description="a file that holds the number of records")
    database: str | None = Field(default=None, description="a DSN, as secret://name; unset: the service's own database")
    db_schema: Name | None = Field(default=None, alias="schema", description="with database; public if unset")
    timeout: Annotated[timedelta, Field(gt=timedelta(), le=timedelta(days=1))] = Field(
        default=timedelta(hours=1), description="for the download of a URL"
    )

    @field_validator("source")
    @classmethod
    def _reachable(cls, source: str, info: ValidationInfo) -> str:
        rules = (info.context or {}).get("outbound")
        if is_reference(source):
            return source
        if URL.match(source):
            objection = rules.objection(source) if isinstance(rules, OutboundRules) else None
            if objection is not None:
                raise ValueError(f"the URL {objection}")
        elif "://" in source:
            raise ValueError("only http and https URLs and files of the workspace can be imported")
        return source

    @field_validator("table")
    @classmethod
    def _not_ours(cls, table: str) -> str:
        if table.startswith(RESERVED):
            raise ValueError(f"names that begin with {RESERVED} are the service's own")
        return table

    @field_validator("database")
    @classmethod
    def _dsn_is_secret(cls, database: str | None, info: ValidationInfo) -> str | None:
        if database is None or is_reference(database):
            return database
        # A context comes with a definition, which is kept for ever; a run has none, and the secret filled in.
        if info.context is not None or not database.startswith(("postgresql://", "postgres://")):
            raise ValueError("must be secret://name, with a DSN that begins with postgresql://")
        return database

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
