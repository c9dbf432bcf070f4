"""What the parts of the bare loop share: values as the columns hold them, and rows that are counted or closed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from eventjobs.projections.temporal import Table

Row = tuple[Table, tuple[Any, ...], dict[str, Any] | None]


def text(value: Any) -> str:
    return orjson.dumps(value).decode()


def instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def held(present: Mapping[Any, Any], table: Table, key: Any, column: str) -> Any:
    """Return what a present row has in a column, `None` where there is no row."""
    row = present.get((table, key))
    return None if row is None else row[table.places[column]]


def raised(present: Mapping[Any, Any], table: Table, key: Any, column: str = "version", by: int = 1) -> dict[str, int]:
    """Return the column, higher than in the present row."""
    return {column: (held(present, table, key, column) or 0) + by}


def closed(table: Table, key: Any, at: datetime, data: dict[str, Any], present: Mapping[Any, Any]) -> Row:
    values = {"last_run": data["run"], "last_state": data["state"], "last_reason": data["reason"], "last_ended_at": at}
    if held(present, table, key, "open_run") == data["run"]:
        values["open_run"] = data.get("open_run")
    return table, key, values
