"""Each example of docs/exports.md is run."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from eventjobs.handlers.csv_export import HANDLER
from eventjobs.handlers.csv_export_config import CsvExportConfig
from eventjobs.handlers.perform import perform
from eventjobs.handlers.workbench import Workbench
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.postgres.loads import DataTables
from tests.handlers.conftest import Attempt
from tests.handlers.test_csv_export_targets import AtNoon, Receiver, host, receiver
from tests.support.sftp import SftpHost

__all__ = ["host", "receiver"]

PAGE = Path(__file__).parents[2] / "docs/exports.md"
EXAMPLES = [orjson.loads(found) for found in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)]


@pytest.fixture
async def people(acme: "asyncpg.Connection[Any]") -> "asyncpg.Connection[Any]":
    await acme.execute(
        "CREATE TABLE people (id integer, name text, city text, updated_at timestamptz, created_at timestamptz);"
        " INSERT INTO people VALUES (1, 'Ada', 'London', now(), now()), (2, 'Béa', NULL, now(), now())"
    )
    return acme


@pytest.fixture
async def warehouse(
    owner: "asyncpg.Connection[Any]", tables: DataTables, database_url: str, tmp_path: Path
) -> "asyncpg.Connection[Any]":
    login = await tables._roles.login("acme")
    (tmp_path / "secrets/acme").mkdir(parents=True)
    dsn = f"postgresql://{login.role}:{login.password or ''}@{database_url.rpartition('@')[2]}"
    (tmp_path / "secrets/acme/warehouse").write_text(dsn)
    await owner.execute("CREATE SCHEMA IF NOT EXISTS sales")
    await owner.execute("CREATE TABLE IF NOT EXISTS sales.people (id integer)")
    await owner.execute(f'GRANT USAGE ON SCHEMA sales TO "{login.role}"')
    await owner.execute(f'GRANT SELECT ON sales.people TO "{login.role}"')
    return owner


@pytest.mark.usefixtures("people", "warehouse")
@pytest.mark.parametrize("config", EXAMPLES, ids=range(len(EXAMPLES)))
async def test_an_example_runs(
    loading: Workbench,
    attempt: Callable[..., Attempt],
    receiver: Receiver,
    host: SftpHost,
    config: dict[str, Any],
) -> None:
    bench = replace(loading, outbound=GuardedOutbound(OutboundRules.parse(["127.0.0.0/8"])), history=AtNoon())
    if "sftp" in config:
        config = {**config, "target": host.url("/drop/people.csv"), "sftp": {**config["sftp"], **host.login()}}
    target = config["target"].replace("https://files.example.org", f"http://127.0.0.1:{receiver.port}")
    made = attempt(bench, run="schedule.nightly.3.20261122t110000z")
    result = await perform(HANDLER, {**config, "target": target}, made.context, bench.secrets)
    assert result.output["bytes"] > 0


def test_every_option_has_an_example() -> None:
    options = {field.alias or name for name, field in CsvExportConfig.model_fields.items()}
    assert options - {option for example in EXAMPLES for option in example} == set()
