"""What made-up histories are made of: when they begin, how jobs try, and rows as a run fixes them."""

from datetime import UTC, datetime

from eventjobs.events.recorded import Event, StreamId
from eventjobs.events.run import SnapshotJob
from eventjobs.events.schedule import JobRow
from eventjobs.events.service import AttemptPolicy

Facts = list[tuple[StreamId, Event]]

START = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = AttemptPolicy(delivery="at_least_once", attempts=3)


def snapshot(row: JobRow) -> SnapshotJob:
    """Return a row of a job table as a run fixes it when it opens."""
    return SnapshotJob(
        row=row.row,
        job=row.job,
        seq=row.seq,
        skip_wait=row.skip_wait,
        handler="noop",
        config={"n": 1},
        policy=POLICY,
        version=1,
    )
