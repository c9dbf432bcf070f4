"""
How fast an import is beside the database's own way of loading the same file.

`replace` and `append` are compared with psql's `\\copy` into the same typed table, `merge` with `\\copy` into a
temporary table and a bare INSERT … ON CONFLICT. Both ways take turns, and each ratio is a median of the rounds.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import uvloop

from eventjobs.clock import SystemClock
from eventjobs.handlers.context import JobRef
from eventjobs.handlers.csv_import import HANDLER
from eventjobs.handlers.files import FileRoom
from eventjobs.handlers.perform import perform
from eventjobs.handlers.ports import CommandRules
from eventjobs.handlers.workbench import Workbench
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.outbound.secrets import SecretStore
from eventjobs.postgres.data_roles import DataLogin, DataRoles
from eventjobs.postgres.embedded import EmbeddedPostgres
from eventjobs.postgres.loads import DataTables
from eventjobs.postgres.migrate import APP_ROLE, migrate
from eventjobs.postgres.pool import open_pool

WORKSPACE = "bench"
LOG_ID = "be9c0000-0000-7000-8000-000000000000"
TYPES = {
    "id": "integer",
    "name": "text",
    "email": "text",
    "amount": "numeric(12,2)",
    "active": "boolean",
    "created": "date",
}
COLUMNS = ", ".join(f"{name} {type_}" for name, type_ in TYPES.items())
UPDATES = ", ".join(f"{name} = excluded.{name}" for name in TYPES if name != "id")


def write_file(path: Path, rows: int) -> None:
    """Write a contact list, the same for the same number of rows."""
    chance = random.Random(rows)
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(TYPES) + "\n")
        for number in range(rows):
            month, day = chance.randrange(1, 13), chance.randrange(1, 29)
            file.write(
                f"{number},Name {chance.randrange(10**6)},user{number}@example.org,{chance.randrange(10**6) / 100},"
                f"{'true' if number % 2 else 'false'},2026-{month:02d}-{day:02d}\n"
            )


class Bench:
    """One workspace in one database, loaded by both ways."""

    def __init__(self, url: str, login: DataLogin, workbench: Workbench, psql: Path, file: Path) -> None:
        self._url = url
        self._login = login
        self._workbench = workbench
        self._psql = psql
        self._file = file
        self._runs = 0

    async def sql(self, statement: str) -> Any:
        """Run a statement outside of what is measured."""
        connection = await asyncpg.connect(self._url, user=self._login.role, password=self._login.password)
        try:
            await connection.execute(f'SET search_path = "{self._login.schema}"')
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    async def imported(self, mode: str, table: str) -> float:
        """Import the file; returns the seconds."""
        self._runs += 1

        async def report(_: object) -> None:
            return None

        context = self._workbench.context(
            workspace=WORKSPACE,
            run=f"bench-{time.monotonic_ns()}-{self._runs}",
            row=1,
            job=JobRef("service", "bench"),
            attempt=1,
            term=1,
            report=report,
            write_line=lambda _: None,
        )
        config = {"source": self._file.name, "table": table, "mode": mode, "columns": TYPES}
        if mode == "merge":
            config["keys"] = ["id"]
        began = time.perf_counter()
        result = await perform(HANDLER, config, context, self._workbench.secrets)
        seconds = time.perf_counter() - began
        assert result.counts["rejected"] == 0
        return seconds

    async def copied(self, script: str) -> float:
        """Run a psql script; returns the seconds."""
        began = time.perf_counter()
        await asyncio.to_thread(self._run_psql, script)
        return time.perf_counter() - began

    def copy(self, table: str) -> str:
        """Return psql's line for the file."""
        return f"\\copy {table} from '{self._file}' csv header\n"

    def _run_psql(self, script: str) -> None:
        parts = urlsplit(self._url)
        query = parse_qs(parts.query)
        environment = {
            "PATH": os.defpath,
            "PGHOST": parts.hostname or query.get("host", [""])[0],
            "PGPORT": str(parts.port or query.get("port", ["5432"])[0]),
            "PGDATABASE": parts.path.lstrip("/"),
            "PGUSER": self._login.role,
            "PGOPTIONS": f'-c search_path="{self._login.schema}"',
        }
        if self._login.password:
            environment["PGPASSWORD"] = self._login.password
        arguments = [str(self._psql), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        subprocess.run(arguments, input=script, text=True, check=True, env=environment, stdout=subprocess.DEVNULL)


async def compare(bench: Bench) -> dict[str, tuple[float, float]]:
    """Take one round: seconds of the import and of its rival, by mode."""
    copy = bench.copy("plain")
    found = {}
    await bench.sql("TRUNCATE plain")
    rival = await bench.copied(copy)
    # The table is full here: a replace has the old rows to remove.
    found["replace"] = (await bench.imported("replace", "plain"), rival)
    await bench.sql("TRUNCATE plain")
    found["append"] = (await bench.imported("append", "plain"), rival)
    await bench.sql("TRUNCATE keyed")
    script = (
        f"BEGIN; CREATE TEMP TABLE staged ({COLUMNS}) ON COMMIT DROP;\n{bench.copy('staged')}"
        f"INSERT INTO keyed SELECT * FROM staged ON CONFLICT (id) DO UPDATE SET {UPDATES};\nCOMMIT;\n"
    )
    rival = await bench.copied(script)
    await bench.sql("TRUNCATE keyed")
    found["merge"] = (await bench.imported("merge", "keyed"), rival)
    return found


@asynccontextmanager
async def prepared(url: str, rows: int, psql: Path) -> AsyncIterator[Bench]:
    """Give a bench on a database that may be migrated already."""
    await migrate(url)
    owner = await asyncpg.connect(url)
    found = await owner.fetchval("SELECT data ->> 'log_id' FROM events WHERE position = 1")
    if found is None:
        await owner.execute(
            "INSERT INTO events (position, workspace, stream, version, type, schema, at, actor, command_id, data, leaf,"
            " chain) VALUES (1, '*', 'log:log', 1, 'log.created', 1, now(), 'bench', '-',"
            f" json_build_object('log_id', '{LOG_ID}'), '', '')"
        )
    await owner.close()
    with tempfile.TemporaryDirectory() as folder:
        rooms = FileRoom(Path(folder))
        file = rooms.root / WORKSPACE / f"{rows}.csv"
        file.parent.mkdir()
        write_file(file, rows)
        async with await open_pool(url, role=APP_ROLE, min_size=1, max_size=1) as pool:
            roles = DataRoles(pool, url, found or LOG_ID)
            workbench = Workbench(
                clock=SystemClock(),
                installation=LOG_ID,
                files=rooms,
                tables=DataTables(url, roles),
                outbound=GuardedOutbound(),
                commands=CommandRules(),
                secrets=SecretStore(),
            )
            bench = Bench(url, await roles.login(WORKSPACE), workbench, psql, file)
            await bench.sql("DROP TABLE IF EXISTS plain, keyed")
            await bench.sql(f"CREATE TABLE plain ({COLUMNS})")
            await bench.sql(f"CREATE TABLE keyed ({COLUMNS}, PRIMARY KEY (id))")
            yield bench
            await bench.sql("DROP TABLE plain, keyed")


async def measure(url: str, psql: Path, *, rows: int = 1_000_000, rounds: int = 5) -> dict[str, Any]:
    """
    Return `{"import_vs_copy": …, "raw": …}`: the lowest of the modes' ratios (rival's seconds / import's), and all.

    `url` is the owner of a database that may be migrated; a first round warms both ways up and is not counted.
    """
    async with prepared(url, rows, psql) as bench:
        await compare(bench)
        taken = [await compare(bench) for _ in range(rounds)]
    raw: dict[str, Any] = {"rows": rows, "rounds": rounds}
    for mode in ("replace", "append", "merge"):
        pairs = [found[mode] for found in taken]
        raw[mode] = {
            "ratio": round(statistics.median(rival / ours for ours, rival in pairs), 3),
            "import_s": [round(ours, 3) for ours, _ in pairs],
            "rival_s": [round(rival, 3) for _, rival in pairs],
        }
    return {"import_vs_copy": min(raw[mode]["ratio"] for mode in ("replace", "append", "merge")), "raw": raw}


async def _on_own_server(measured: Callable[[str, Path], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """Measure on a throw-away embedded server with its durable settings."""
    with tempfile.TemporaryDirectory(prefix="ej-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - once, before anything runs
        server = EmbeddedPostgres(Path(folder) / "data")
        try:
            return await measured(await server.start(), server.binaries.program("psql"))
        finally:
            await server.stop()


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    async def measured(url: str, psql: Path) -> dict[str, Any]:
        return await measure(url, psql, rows=options.rows, rounds=options.rounds)

    print(json.dumps(uvloop.run(_on_own_server(measured)), indent=2))


if __name__ == "__main__":
    main()
