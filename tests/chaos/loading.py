"""A service that imports files, and what is looked at from outside while it does: its tables, its files, its mails."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg

from eventjobs.postgres.data_roles import derived_password, password_of
from eventjobs.postgres.pool import connect
from tests.acceptance.instance import Client
from tests.channels.sinks import MailSink
from tests.chaos.figures import Figures
from tests.chaos.fleet import Serve, postgres, sailing, scratch
from tests.support.sftp import PASSWORD, SftpHost, sftp_server
from tests.support.waiting import eventually

WORKSPACE: Final = "acme"
SCHEMA: Final = f"data_{WORKSPACE}"
MAIL: Final = "ops@example.org"
COLUMNS: Final = {"id": "integer", "name": "text", "email": "text", "note": "text"}
LINGERS: Final = 16
"""How often a table lingers while it is filled, so that half of a file is a moment that can be met, at any size."""
LINGER_S: Final = 0.1
GATE: Final = 29
"""The advisory lock that a load waits for when three quarters of its rows are in the table, while somebody shuts it."""
GONE_S: Final = 10.0
LEFT_ALONE_S: Final = 60.0
LOOK_S: Final = 30.0

ROWS: Final = "SELECT count(*), sum(id), sum(hashtextextended(t::text, 0)) FROM {} AS t"
LOADING: Final = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'eventjobs data'"
ROLE: Final = "SELECT tableowner FROM pg_tables WHERE schemaname = $1 AND tablename = $2"
LINGER: Final = f"""
    CREATE OR REPLACE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            PERFORM pg_sleep({LINGER_S});
            IF NEW.id = TG_ARGV[0]::integer THEN PERFORM pg_advisory_xact_lock_shared({GATE}); END IF;
            RETURN NEW;
        END $$;
    CREATE TRIGGER linger BEFORE INSERT ON {{table}} FOR EACH ROW WHEN (NEW.id % {{every}} = 0)
        EXECUTE FUNCTION linger({{last}})
"""


@dataclass
class House:
    """The instance and all that is around it; `shares` and `stopped_s` are what was measured."""

    figures: Figures
    folder: Path
    url: str
    serve: Serve
    session: aiohttp.ClientSession
    sftp: SftpHost
    mail: MailSink
    connection: "asyncpg.Connection[Any]" = field(init=False)
    shares: list[float] = field(default_factory=list)
    stopped_s: list[float] = field(default_factory=list)

    @property
    def client(self) -> Client:
        return Client(self.session, self.serve.url, WORKSPACE)

    @property
    def files(self) -> Path:
        """The workspace's folder."""
        return self.serve.data_folder() / "files" / WORKSPACE

    @property
    def login(self) -> dict[str, Any]:
        return self.sftp.login(password="secret://sftp.password")

    async def furnish(self) -> None:
        """Make the workspace, its folder and its secret."""
        await self.client.post("/v1/workspaces", {"id": WORKSPACE, "time_zone": "UTC", "kind": "automation"})
        secrets = self.serve.data_folder() / "secrets" / WORKSPACE
        secrets.mkdir(parents=True)
        (secrets / "sftp.password").write_text(PASSWORD)
        self.files.mkdir(parents=True, exist_ok=True)

    async def enter(self, table: str) -> None:
        """Log in as who owns the workspace's tables, of which there is one by now."""
        owner = await connect(self.url, role=None)
        role = await owner.fetchval(ROLE, SCHEMA, table)
        owner.terminate()
        password = derived_password(password_of(self.url), role)
        self.connection = await asyncpg.connect(self.url, user=role, password=password)
        await self.connection.execute(f"SET search_path = {SCHEMA}")

    @asynccontextmanager
    async def progress(self, run: str) -> AsyncIterator[AsyncIterator[float]]:
        """Listen to the live stream, and hear the shares of the first job's work."""

        async def shares() -> AsyncIterator[float]:
            async for line in response.content:
                told = json.loads(line[6:]) if line.startswith(b"data: ") else {}
                if told.get("run") == run and told.get("row") == 1 and told.get("fraction"):
                    yield told["fraction"]

        async with self.session.get(f"{self.serve.url}/v1/{WORKSPACE}/live") as response:
            yield shares()

    async def rows_of(self, table: str) -> tuple[Any, ...]:
        """Return how many rows a table has, and sums that tell whether they are the same."""
        return tuple(await self.connection.fetchrow(ROWS.format(table), timeout=LOOK_S))

    async def linger(self, table: str, rows: int) -> None:
        """Let a table take its time, and wait at the gate."""
        every = rows // LINGERS
        await self.connection.execute(LINGER.format(table=table, every=every, last=every * (LINGERS * 3 // 4)))

    @asynccontextmanager
    async def gate_shut(self) -> AsyncIterator[None]:
        """Let no load end meanwhile, however late this process hears how far it is."""
        await self.connection.execute("SELECT pg_advisory_lock($1)", GATE)
        try:
            yield
        finally:
            await self.connection.execute("SELECT pg_advisory_unlock($1)", GATE)

    async def until_nobody_loads(self) -> None:
        """Wait until no session is left that could still write into a table."""

        async def nobody() -> bool:
            return await self.connection.fetchval(LOADING) == 0

        await eventually(nobody, GONE_S)

    async def copied(self, file: Path, former: Path | None, below: int) -> tuple[Any, ...]:
        """Return what `rows_of` has to be of a table with a file's rows, and a former file's `below` an id."""
        copying = {"columns": list(COLUMNS), "format": "csv", "header": True}
        await self.connection.execute("CREATE TABLE copied (id integer, name text, email text, note text)")
        if former is not None:
            await self.connection.copy_to_table("copied", source=former, **copying)
            await self.connection.execute("DELETE FROM copied WHERE id >= $1", below)
        await self.connection.copy_to_table("copied", source=file, **copying)
        found = await self.rows_of("copied")
        await self.drop("copied")
        return found

    async def drop(self, table: str) -> None:
        """Give back the room of a large table."""
        await self.connection.execute(f"DROP TABLE {table}")


@asynccontextmanager
async def open_house(figures: Figures) -> AsyncIterator[House]:
    """One instance on its own Postgres, beside an SFTP server and a mail server; nothing is left behind."""
    with scratch() as folder:
        (remote := folder / "remote").mkdir()
        mail = await MailSink().open()
        try:
            async with postgres(folder) as server, sftp_server(remote) as sftp:
                environment = {
                    "EVENTJOBS_DATABASE_URL": server.url,
                    "EVENTJOBS_OUTBOUND_ALLOW": "127.0.0.1",
                    "EVENTJOBS_SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
                    "EVENTJOBS_MAIL_FROM": "jobs@example.org",
                }
                async with sailing(folder, 1, environment) as (fleet, session):
                    house = House(figures, folder, server.url, fleet.members[0], session, sftp, mail)
                    await house.furnish()
                    yield house
        finally:
            await mail.close()


def write(path: Path, first: int, rows: int) -> None:
    """Write a file of so many rows, from the id `first`, that was left alone for a while."""
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(COLUMNS) + "\n")
        for number in range(first, first + rows):
            file.write(f"{number},Contact {number},contact-{number}@example.org,{'a note ' * 6}\n")
    changed = path.stat().st_mtime - LEFT_ALONE_S
    os.utime(path, (changed, changed))
