"""A process that begins a load or an export, says so in its middle, and waits to be killed."""

import asyncio
import json
import sys
from importlib import import_module
from pathlib import Path

from eventjobs.clock import SystemClock
from eventjobs.handlers.context import JobRef, Progress
from eventjobs.handlers.files import FileRoom
from eventjobs.handlers.perform import perform
from eventjobs.handlers.ports import CommandRules
from eventjobs.handlers.workbench import Workbench
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.outbound.secrets import SecretStore
from eventjobs.postgres.data_roles import DataRoles
from eventjobs.postgres.loads import DataTables
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import open_pool
from tests.handlers.test_csv_import import _EverLater


async def main(url: str, log_id: str, files: str, handler: str, config: str) -> None:
    said = []

    async def report(progress: Progress) -> None:
        said.append(progress)
        if len(said) == 4:
            print("in the middle", flush=True)  # noqa: T201 - what the test waits for
            await asyncio.Event().wait()

    async with await open_pool(url, role=APP_ROLE, min_size=1, max_size=1) as pool:
        bench = Workbench(
            clock=_EverLater(SystemClock()),
            installation=log_id,
            files=FileRoom(Path(files)),
            tables=DataTables(url, DataRoles(pool, url, log_id)),
            outbound=GuardedOutbound(),
            commands=CommandRules(),
            secrets=SecretStore(),
        )
        context = bench.context(
            workspace="acme",
            run="killed",
            row=1,
            job=JobRef("service", "load"),
            attempt=1,
            term=1,
            report=report,
            write_line=lambda _: None,
        )
        await perform(
            import_module(f"eventjobs.handlers.{handler}").HANDLER, json.loads(config), context, bench.secrets
        )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
