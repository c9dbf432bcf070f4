"""`eventjobs rebuild` on a real database (P15, P16)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count
from typing import Any

import orjson
import pytest

from eventjobs.cli.rebuild import rebuild
from eventjobs.errors import RebuildRefused, UsageWrong
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import TimedPool, open_pool
from eventjobs.projections import runs
from eventjobs.projections.digest import digests
from eventjobs.projections.registry import PROJECTIONS
from tests.log.logs import postgres_log
from tests.support.database import database
from tests.support.history import History
from tests.support.views import CODEC, append_all, project_all, projector_on

NAMES = [projection.name for projection in PROJECTIONS]
_numbers = count(1)


@pytest.fixture
async def url(postgres_url: str, template_database: str) -> AsyncIterator[str]:
    async with database(postgres_url, f"rebuild_{next(_numbers)}", template=template_database) as made:
        yield made


@pytest.fixture
async def views(url: str) -> AsyncIterator[TimedPool]:
    async with await open_pool(url, role=APP_ROLE, min_size=1, max_size=4) as pool:
        yield pool


@pytest.fixture
async def log(url: str, views: TimedPool) -> AsyncIterator[PostgresEventLog]:
    """A log with a history, all of it projected."""
    async with postgres_log(url, codec=CODEC) as made:
        await append_all(made, History(11).appends(20))
        await project_all(projector_on(made, views))
        yield made


async def built(capsys: pytest.CaptureFixture[str], url: str, *names: str, **options: Any) -> tuple[int, Any]:
    code = await rebuild(*names, database_url=url, json=True, **options)
    return code, orjson.loads(capsys.readouterr().out)


async def test_P15_every_view_built_again_has_the_same_digest(
    capsys: pytest.CaptureFixture[str], url: str, log: PostgresEventLog, views: TimedPool
) -> None:
    async with views.acquire() as connection:
        before = {one.view: one for one in await digests(connection, PROJECTIONS)}
    code, told = await built(capsys, url, all_=True)

    assert code == 0
    assert [one["view"] for one in told] == NAMES
    assert {one["verdict"] for one in told} == {"same"}
    assert {one["position"] for one in told} == {log.known_head.position}
    assert {one["view"]: one["sha256"] for one in told} == {name: one.sha256 for name, one in before.items()}
    assert sum(one["rows"] for one in told) > 100


@pytest.mark.usefixtures("log")
async def test_a_view_that_was_wrong_has_another_digest_and_only_that_one_is_built(
    capsys: pytest.CaptureFixture[str], url: str, views: TimedPool
) -> None:
    await views.execute("UPDATE view_run_status_1 SET state = 'wrong'")
    code, told = await built(capsys, url, "runs")

    assert (code, [(one["view"], one["verdict"]) for one in told]) == (1, [("runs", "other rows")])
    assert not await views.fetchval("SELECT count(*) FROM view_run_status_1 WHERE state = 'wrong'")
    assert (await built(capsys, url, "runs"))[0] == 0


@pytest.mark.usefixtures("log")
async def test_readers_are_answered_while_views_are_built_again(
    capsys: pytest.CaptureFixture[str], url: str, views: TimedPool
) -> None:
    expected = await views.fetchval("SELECT count(*) FROM view_runs_1")
    building = asyncio.create_task(built(capsys, url, all_=True))
    seen = set()
    while not building.done():
        seen.add(await views.fetchval("SELECT count(*) FROM view_runs_1"))
    await building
    assert seen == {expected}
    assert expected


@pytest.mark.usefixtures("log")
async def test_P16_an_event_that_cannot_be_projected_leaves_the_old_view(
    monkeypatch: pytest.MonkeyPatch, url: str, views: TimedPool
) -> None:
    def break_down(_fact: Any) -> Any:
        raise ArithmeticError("too much")

    stored = await views.fetchval("SELECT count(*) FROM view_runs_1")
    broken = replace(runs.PROJECTION, project=break_down)
    monkeypatch.setattr("eventjobs.cli.rebuild.PROJECTIONS", [broken])
    with pytest.raises(RebuildRefused, match="ArithmeticError: too much"):
        await rebuild("runs", database_url=url)
    assert await views.fetchval("SELECT count(*) FROM view_runs_1") == stored


@pytest.mark.parametrize(
    ("names", "options"), [((), {}), (("runs",), {"all_": True}), (("nonsense",), {})], ids=["none", "both", "unknown"]
)
async def test_which_views_must_be_said(names: tuple[str, ...], options: dict[str, bool]) -> None:
    with pytest.raises(UsageWrong, match="there are workspaces"):
        await rebuild(*names, database_url="postgresql://nobody@127.0.0.1:1/x", **options)
