from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from eventjobs.errors import DatabaseFault, UnsafeDatabase
from eventjobs.postgres.embedded import EmbeddedPostgres
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import connect
from eventjobs.postgres.probe import Capabilities, audit, probe_capabilities
from tests.support.database import data_folder, database


@pytest.fixture(scope="module")
async def durable_url() -> AsyncIterator[str]:
    with data_folder() as folder:
        server = EmbeddedPostgres(Path(folder))
        try:
            yield await server.start()
        finally:
            await server.stop()


async def administer(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url.replace("//eventjobs@", "//postgres@"), timeout=5)
    try:
        for sql in statements:
            await connection.execute(sql)
    finally:
        await connection.close(timeout=5)


async def test_the_embedded_server_is_local_and_safe(durable_url: str) -> None:
    found = await audit(durable_url)
    assert (found.level, found.reasons, found.notes, found.has_checksums) == ("local", [], [], True)
    assert not found.is_pooled


async def test_a_server_that_may_forget_commits_is_refused_until_that_is_accepted(durable_url: str) -> None:
    await administer(durable_url, "ALTER DATABASE eventjobs SET synchronous_commit = off")
    try:
        with pytest.raises(UnsafeDatabase, match="synchronous_commit is off"):
            await audit(durable_url)
        found = await audit(durable_url, accept_unsafe=True)
        assert (found.level, found.reasons) == ("unsafe", ["synchronous_commit is off"])
    finally:
        await administer(durable_url, "ALTER DATABASE eventjobs RESET synchronous_commit")


async def test_a_server_without_fsync_is_unsafe() -> None:
    with data_folder() as folder:
        server = EmbeddedPostgres(folder, durable=False)
        try:
            with pytest.raises(UnsafeDatabase, match="fsync is off; full_page_writes is off"):
                await audit(await server.start())
        finally:
            await server.stop()


async def test_a_server_whose_commits_wait_for_a_standby_is_replicated(durable_url: str) -> None:
    await administer(
        durable_url,
        "ALTER SYSTEM SET synchronous_standby_names = 'far_away'",
        "SELECT pg_reload_conf()",
    )
    try:
        assert await _level_becomes(durable_url, "replicated")
    finally:
        await administer(
            durable_url,
            "SET synchronous_commit = local",
            "ALTER SYSTEM RESET synchronous_standby_names",
            "SELECT pg_reload_conf()",
        )


async def test_a_database_in_another_encoding_is_refused(durable_url: str) -> None:
    create = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0 OWNER eventjobs"
    await administer(durable_url, create)
    with pytest.raises(DatabaseFault, match="encoding is LATIN1"):
        await audit(durable_url.replace("/eventjobs?", "/latin?"))


async def test_the_application_has_every_speed_up_of_a_plain_server(postgres_url: str, template_database: str) -> None:
    async with database(postgres_url, "test_probe", template=template_database) as url:
        connection = await connect(url, role=APP_ROLE)
        try:
            is_16 = connection.get_server_version().major >= 16
            assert await probe_capabilities(connection) == Capabilities(
                listen=True, copy=True, skip_locked=True, input_is_valid=is_16
            )
            assert not connection.is_in_transaction()
        finally:
            await connection.close(timeout=5)


async def _level_becomes(url: str, level: str) -> bool:
    from tests.support.waiting import eventually

    async def is_so() -> bool:
        return (await audit(url)).level == level

    return await eventually(is_so)
