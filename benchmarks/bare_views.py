"""
The bare loop that a rebuild is compared with: one function over raw JSON, one dictionary of present rows.

It has no codec, no port, no checkpoint, no other instances, no stop at what it does not know, and it never asks the
database for a row. It writes the same present and past rows, which the benchmark checks.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import asyncpg
import orjson

from benchmarks import bare_jobs, bare_others, bare_runs, bare_schedules
from benchmarks.bare_values import Row
from eventjobs.projections.registry import PROJECTIONS
from eventjobs.projections.storage import REMOVE_ROWS, WRITE_ROWS, _columns_of, _filled
from eventjobs.projections.temporal import Keeps, Table

READ = (
    "SELECT position, workspace, stream, type, at, actor, data FROM events "
    "WHERE position > $1 ORDER BY position LIMIT $2"
)
LEFT_OUT = {
    *("groups", "connect_jobs", "slot_owners", "left_groups", "creators", "members", "keys"),
    *("timers", "turns", "halts", "outcomes"),
}
"""The views that it does not build, or not whole: of groups and Connect jobs, of people, and what sums others up."""
BUILT = [projection for projection in PROJECTIONS if projection.name not in LEFT_OUT]
PARTS = {
    "run": bare_runs.derive,
    "attempt": bare_runs.derive,
    "job_run": bare_runs.derive,
    "schedule": bare_schedules.derive,
    "service": bare_jobs.derive,
    "flow": bare_jobs.derive,
}


async def rebuild(pool: asyncpg.Pool, head: int, size: int) -> None:
    """Build the views from position 0 to the head."""
    built = {table for projection in BUILT for table in projection.tables}
    present: dict[Any, Any] = {}
    position = 0
    while position < head:
        rows = await pool.fetch(READ, position, size)
        batch: dict[Table, tuple[dict[Any, Any], list[Any], set[Any]]] = {}
        for row in rows:
            position = row["position"]
            for table, key, values in derive(row, orjson.loads(row["data"]), present):
                if table in built:
                    fold(present, batch, table, key, values, position)
        async with pool.acquire() as connection, connection.transaction():
            for table, (changed, past, gone) in batch.items():
                if past:
                    names = [*table.all_columns, "to_position"]
                    await connection.copy_records_to_table(table.past, columns=names, records=past)
                if changed:
                    await connection.execute(_filled(WRITE_ROWS, table, ""), *_columns_of(list(changed.values())))
                if gone:
                    await connection.execute(_filled(REMOVE_ROWS, table, ""), *_columns_of(sorted(gone)))


def fold(present: dict[Any, Any], batch: dict[Any, Any], table: Table, key: Any, values: Any, position: int) -> None:
    if table not in batch:
        batch[table] = ({}, [], set())
    changed, past, gone = batch[table]
    if values is None:
        if present.pop((table, key), None) is not None:
            changed.pop(key, None)
            gone.add(key)
        return
    row = present.get((table, key))
    if row is None:
        row = present[(table, key)] = [*key, *[None] * len(table.columns), position]
        gone.discard(key)
    elif row[-1] != position:
        if table.keeps is Keeps.VERSIONS:
            past.append((*row, position))
        row[-1] = position
    places = table.places
    for name, value in values.items():
        row[places[name]] = value
    changed[key] = row


def derive(row: Any, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Row]:
    """Return the rows that an event writes; `None` for one that is no more."""
    key = (row["workspace"], row["stream"].partition(":")[2])
    part = PARTS.get(row["type"].partition(".")[0], bare_others.derive)
    return part(row, key, data, present)
