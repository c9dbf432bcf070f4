"""Snapshots are a cache: what cannot be read is folded from the log, and no command fails for it."""

from eventjobs.events.recorded import StreamId
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import open_pool
from eventjobs.postgres.snapshots import PostgresSnapshots

LOAD = StreamId("acme", "service:load")


async def test_a_snapshot_that_cannot_be_read_is_none(database_url: str) -> None:
    """Found by simulation: the raw error of a lost link stopped an owner's clock for a minute."""
    async with await open_pool(database_url, role=APP_ROLE, min_size=1, max_size=1) as pool:
        snapshots = PostgresSnapshots(pool, "1")
        await snapshots.start()
        await snapshots.save(LOAD, 3, b"{}")
        assert await snapshots.find([LOAD]) == {LOAD: (3, b"{}")}
        async with pool.acquire():  # the only connection: nobody else gets one
            assert await snapshots.find([LOAD]) == {}
        assert await snapshots.find([LOAD]) == {LOAD: (3, b"{}")}
