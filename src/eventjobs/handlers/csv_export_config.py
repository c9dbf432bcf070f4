"""What a `csv.export` job is told."""

import re
from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from eventjobs.handlers.csv_config import URL, Database, DialectConfig, Encoding, Name, Strict, Table
from eventjobs.handlers.http import Headers
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.secrets import is_reference
from eventjobs.outbound.sftp_login import SFTP_URL, SftpLogin, SftpPlace

PLACES: Final = re.compile(r"\{(date|time|run)\}")
"""What stands in a target for something of the run."""


class Incremental(Strict):
    """Only rows whose `column` rose above what the last successful run exported, looking back over `overlap`."""

    column: Name
    overlap: Annotated[timedelta, Field(ge=timedelta(), le=timedelta(days=31))] = timedelta()


class CsvExportConfig(Strict):
    """Which rows go into which file, and how."""

    table: Table | None = Field(default=None, description="a table or view; or a query instead")
    columns: tuple[Name, ...] = Field(default=(), max_length=1_000, description="of the table; unset: all")
    query: str | None = Field(default=None, min_length=1, max_length=20_000, description="one SELECT")
    incremental: Incremental | None = Field(default=None, description="only what is new; unset: all rows")
    target: str = Field(
        min_length=1,
        max_length=2048,
        description="a file of the workspace, an http(s) URL, or sftp://user@host/path with sftp;"
        " {date}, {time} and {run} are those of the run",
    )
    exists: Literal["replace", "fail"] = Field(default="replace", description="what to do with a file of that name")
    method: Literal["PUT", "POST"] = Field(default="PUT", description="with an http(s) URL")
    headers: Headers = Field(default_factory=dict, max_length=50, description="with an http(s) URL")
    sftp: SftpLogin | None = Field(default=None, description="how to log in where the target is an sftp:// URL")
    has_header: bool = True
    dialect: DialectConfig = DialectConfig()
    encoding: Encoding = "utf-8"
    spreadsheet: bool = Field(
        default=False, description="put a ' before texts that a spreadsheet would take for formulas"
    )
    gzip: bool = False
    database: Database | None = Field(default=None, description="a DSN, as secret://name; unset: the service's own")
    db_schema: Name | None = Field(default=None, alias="schema", description="with database; public if unset")
    timeout: Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(days=1))] = Field(
        default=timedelta(hours=1), description="for the query, and for the way of its rows to the target"
    )

    @property
    def form(self) -> str:
        """What texts are like in the file: `exact`, or safe for a `spreadsheet` (REL96)."""
        return "spreadsheet" if self.spreadsheet else "exact"

    @field_validator("target")
    @classmethod
    def _reachable(cls, target: str, info: ValidationInfo) -> str:
        given = (info.context or {}).get("outbound")
        rules = given if isinstance(given, OutboundRules) else None
        plain = PLACES.sub("x", target)
        if "{" in plain or "}" in plain:
            raise ValueError("the braces of a target hold date, time or run")
        if is_reference(target):
            return target
        if SFTP_URL.match(target):
            SftpPlace.parse(plain, rules)
        elif URL.match(target):
            objection = rules.objection(plain) if rules else None
            if objection is not None:
                raise ValueError(f"the URL {objection}")
        elif "://" in target:
            raise ValueError("only files of the workspace, http, https and sftp URLs can be written to")
        return target

    @field_validator("columns")
    @classmethod
    def _once(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(columns)) != len(columns):
            raise ValueError("a column is named twice")
        return columns

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("either a table or a query is exported")
        if self.columns and self.query is not None:
            raise ValueError("a query names its columns itself")
        if self.db_schema and not self.database:
            raise ValueError("a schema can be chosen only together with a database")
        if self.spreadsheet and self.dialect.quote is None:
            raise ValueError("texts for a spreadsheet are quoted, and the dialect has no quotes")
        return self

    @model_validator(mode="after")
    def _can_be_put(self) -> Self:
        is_sftp = SFTP_URL.match(self.target) is not None
        if is_sftp and self.sftp is None:
            raise ValueError("an sftp:// target needs sftp, with the server's host_key and a password or private_key")
        if URL.match(self.target) and self.exists == "fail":
            raise ValueError("what an http(s) URL holds already is for its server to say; exists is for files")
        is_file = not URL.match(self.target) and not is_reference(self.target)
        if self.incremental and is_file and self.exists == "replace" and "{run}" not in self.target:
            raise ValueError(
                "what an incremental export writes may not take the place of rows that nobody has fetched yet:"
                " put {run} into the target, or set exists to fail"
            )
        return self
