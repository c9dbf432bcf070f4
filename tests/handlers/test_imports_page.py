"""Each example of docs/imports.md is run."""

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from aiohttp import web

from eventjobs.handlers.csv_config import CsvImportConfig
from eventjobs.handlers.csv_import import HANDLER
from eventjobs.handlers.perform import perform
from eventjobs.handlers.workbench import Workbench
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.postgres.loads import DataTables
from tests.handlers.conftest import REGISTRY, Attempt
from tests.handlers.test_csv_import import counts
from tests.support.sftp import HOST_KEY, SftpHost, public

PAGE = Path(__file__).parents[2] / "docs/imports.md"
BLOCKS = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
EXAMPLES = [orjson.loads(block) for block in BLOCKS]
PEOPLE = "id,name,joined\n1,Ada,2026-02-01\n2,Grace,2026-02-02\n"


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    return replace(bench, outbound=GuardedOutbound(OutboundRules.parse(["127.0.0.0/8"])))


@pytest.fixture
def delivered(put: Any, host: SftpHost) -> None:
    for name in ("people.csv", "in/people.csv"):
        put(name, PEOPLE)
    put("people.csv.gz", gzip.compress(PEOPLE.encode()))
    put("german.csv", "1;'Jörg';01/02/2026\n2;NULL;02/02/2026\n".encode("cp1252"))
    put("people.count", "2")
    put("in/people.done", "")
    (host.root / "in").mkdir()
    (host.root / "in/people.csv").write_text(PEOPLE)


@pytest.fixture
async def warehouse(
    owner: "asyncpg.Connection[Any]", tables: DataTables, database_url: str, tmp_path: Path, host: SftpHost
) -> SftpHost:
    login = await tables._roles.login("acme")
    dsn = f"postgresql://{login.role}:{login.password or ''}@{database_url.rpartition('@')[2]}"
    (tmp_path / "secrets/acme/warehouse").write_text(dsn)
    await owner.execute("CREATE SCHEMA IF NOT EXISTS sales")
    await owner.execute(f'GRANT USAGE, CREATE ON SCHEMA sales TO "{login.role}"')
    return host


@pytest.mark.usefixtures("acme", "delivered", "warehouse")
@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
async def test_an_example_runs(
    loading: Workbench, attempt: Callable[..., Attempt], host: SftpHost, site: Callable[..., str], block: str
) -> None:
    url = site(lambda: web.Response(text=PEOPLE))
    here = block.replace("https://files.example.org/people.csv", url).replace(
        "sftp://acme@files.example.org/", host.url("/")
    )
    config = orjson.loads(re.sub(r"ssh-ed25519 AAAA\w+", public(HOST_KEY), here))
    made = attempt(loading, run=f"page-{BLOCKS.index(block)}")
    result = await perform(HANDLER, config, made.context, loading.secrets)
    assert result.counts == counts(2, 2)


@pytest.mark.parametrize("config", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_is_a_definition(config: Any) -> None:
    assert not replace(REGISTRY, rules={"outbound": OutboundRules()}).problems("csv.import", config)


def test_every_option_has_an_example() -> None:
    options = {field.alias or name for name, field in CsvImportConfig.model_fields.items()}
    assert options - {option for example in EXAMPLES for option in example} == set()


def test_the_form_has_every_option_with_what_it_means() -> None:
    schema = REGISTRY.schema("csv.import")
    for name in ("ready", "reload", "after", "sftp", "unpacked_max"):
        assert schema["properties"][name]["description"]
    assert set(schema["$defs"]["After"]["properties"]) == {"success", "bad_source", "archive"}
    assert schema["$defs"]["SftpLogin"]["required"] == ["host_key"]
    assert schema["$defs"]["Ready"]["properties"]["wait"]["format"] == "duration"
