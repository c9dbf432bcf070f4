"""What views cost an event: at most 4 row writes and 1.5 kB, indexes included (kept up one event at a time)."""

from eventjobs.postgres.pool import TimedPool
from eventjobs.projections.registry import PROJECTIONS
from tests.projections.conftest import Fresh
from tests.support.history import History
from tests.support.views import append_all, new_log, project_all, projector_on

ROW_WRITES = 4
BYTES = 1_500


async def test_views_stay_within_their_budget(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    head = await append_all(log, History(61, schedules=10, jobs=4, edits=0.1).appends(150))
    assert head > 2_000
    empty, none = await _size(pool), await _rows(pool)
    await project_all(projector_on(log, pool, batch=1))
    assert 1 < (await _rows(pool) - none) / head <= ROW_WRITES
    assert 100 < (await _size(pool) - empty) / head <= BYTES


async def _size(pool: TimedPool) -> int:
    total = 0
    for table in (table for projection in PROJECTIONS for table in projection.tables):
        for name in table.names:
            total += await pool.fetchval("SELECT pg_total_relation_size($1::text::regclass)", name)
    return total


async def _rows(pool: TimedPool) -> int:
    sql = """
        SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables
        WHERE relname LIKE 'view\\_%'
        AND relname <> 'view_checkpoints'
    """
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        return int(await connection.fetchval(sql))
