"""What the database weighs, part by part."""

from eventjobs.postgres.growth import PARTS, measure_growth
from eventjobs.postgres.pool import TimedPool


async def test_every_part_is_measured_and_what_is_written_shows_in_its_own(pool: TimedPool) -> None:
    before = await measure_growth(pool)
    assert set(before) == set(PARTS)
    assert min(before[part] for part in ("log", "receipts", "views", "lines", "snapshots")) > 0
    await pool.execute(
        "INSERT INTO log_lines SELECT 'acme', 'r', 1, 1, n, now(), 'info', repeat('x', 500), '{}'"
        " FROM generate_series(1, 2000) AS n"
    )
    after = await measure_growth(pool)
    assert after["lines"] > before["lines"] + 1_000_000
    assert {part for part in PARTS if after[part] != before[part]} == {"lines"}
