"""
The database's clock as everybody's *now*, carried by this machine's monotonic time between readings.

One clock for `at`, decisions and the ticker, on every instance. Readings pull *now* forward at once and hold it until
time has caught up with a small lead; a lead of more than two seconds is dropped, or one wrong clock would poison the
log with times that nobody reaches. Such a step, in either direction, is reported.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from eventjobs.clock import Clock, SystemClock
from eventjobs.errors import LogUnavailable
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.telemetry.tasks import Tasks

SYNC_EVERY_S: Final = 10.0
STEP_S: Final = 2.0
"""A difference above this is a step."""
READING_TIMEOUT_S: Final = 2.0
SLOW_READING_S: Final = 0.5
"""A reading that took longer says too little about *now*, unless there is none yet."""

READ_CLOCK: Final = statement("log/read_clock")

_log: Final = structlog.get_logger("eventjobs.clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStep:
    """*Now* as reckoned here, the database's reading at that moment, and reading minus expected in seconds."""

    expected: datetime
    reading: datetime
    step_s: float


class DatabaseClock:
    """`Clock` by the database; `start` takes the first reading, and until then there is no *now*."""

    def __init__(
        self,
        pool: TimedPool,
        *,
        on_step: Callable[[ClockStep], None] | None = None,
        system: Clock | None = None,
    ) -> None:
        self._pool = pool
        self._on_step = on_step
        self._system: Clock = system or SystemClock()
        self._read: datetime | None = None
        self._read_at_s = 0.0
        self._floor: datetime | None = None

    def now(self) -> datetime:
        """Return the present instant in UTC; raises `LogUnavailable` before the first reading."""
        if self._read is None:
            raise LogUnavailable("the database's clock was not read yet")
        reckoned = self._read + timedelta(seconds=self._system.monotonic() - self._read_at_s)
        if self._floor is not None and reckoned > self._floor:
            self._floor = None
        return self._floor or reckoned

    def monotonic(self) -> float:
        """Return this machine's monotonic seconds."""
        return self._system.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        await self._system.sleep(seconds)

    async def start(self, tasks: Tasks) -> None:
        """Take the first reading, and another one every ten seconds from then on."""
        try:
            await self.sync()
        except DATABASE_FAULTS as error:
            raise LogUnavailable(f"the database's clock cannot be read: {error}") from error
        _ = tasks.keep(self._keep_in_step, name="database-clock", sleep=self._system.sleep)

    async def sync(self) -> None:
        """Read the database's clock now."""
        async with self._pool.acquire() as connection:
            asked = self._system.monotonic()
            reading: datetime = await connection.fetchval(READ_CLOCK, timeout=READING_TIMEOUT_S)
            answered = self._system.monotonic()
        if self._read is None or answered - asked <= SLOW_READING_S:
            self.adopt(reading, (asked + answered) / 2)

    def adopt(self, reading: datetime, read_at_s: float) -> None:
        """Go by `reading`, which the database's clock showed at `read_at_s` of this machine's monotonic time."""
        if self._read is None:
            self._read, self._read_at_s = reading, read_at_s
            return
        present = self.now()
        expected = present - timedelta(seconds=self._system.monotonic() - read_at_s)
        step_s = (reading - expected).total_seconds()
        self._floor = present if -STEP_S <= step_s < 0 else None
        self._read, self._read_at_s = reading, read_at_s
        if abs(step_s) > STEP_S:
            _log.warning("clock_step", expected=expected.isoformat(), reading=reading.isoformat(), step_s=step_s)
            if self._on_step is not None:
                self._on_step(ClockStep(expected=expected, reading=reading, step_s=step_s))

    async def _keep_in_step(self) -> None:
        while True:
            await self._system.sleep(SYNC_EVERY_S)
            try:
                await self.sync()
            except DATABASE_FAULTS as error:
                _log.info("clock_not_read", detail=str(error) or type(error).__name__)
