"""Beats in the table: raised from a thread, renewed in the row that was joined and in no other (DESIGN 5)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from eventjobs.postgres.beats import JOIN, BeatThread, PostgresBeats
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import TimedPool, connect
from tests.support.waiting import eventually

OFTEN_S = 0.02


class Heart:
    """One instance's beating thread, and what it told."""

    def __init__(self, url: str, name: str, alive: Callable[[], bool] = lambda: True) -> None:
        self.beats: list[float] = []
        self.losses = 0
        self.thread = BeatThread(
            connect=lambda: connect(url, role=APP_ROLE),
            instance=name,
            zone_data="2026a",
            period_s=OFTEN_S,
            monotonic=monotonic,
            alive=alive,
            on_beat=self.beats.append,
            on_lost=self._lost,
        )

    def _lost(self) -> None:
        self.losses += 1


@contextmanager
def beating(url: str, name: str, **surroundings: Any) -> Iterator[Heart]:
    heart = Heart(url, name, **surroundings)
    heart.thread.start()
    try:
        assert heart.thread.wait_joined(10)
        yield heart
    finally:
        heart.thread.stop()


async def raised(beats: PostgresBeats, name: str, above: int) -> int:
    """Wait until a beat is above a number and return it."""

    async def look() -> int:
        beat = (await beats.read())[name]
        assert beat > above
        return beat

    return await eventually(look)


async def test_a_beat_rises_in_its_own_row(database_url: str, pool: TimedPool) -> None:
    beats = PostgresBeats(pool)
    with beating(database_url, "one") as one, beating(database_url, "two"):
        first = await raised(beats, "one", 0)
        assert await raised(beats, "one", first) > first
        assert set(await beats.read()) == {"one", "two"}
        assert one.losses == 0
    assert await beats.read() == {}, "who leaves in order leaves no row"


async def test_a_row_that_was_taken_away_is_not_renewed_by_its_name(database_url: str, pool: TimedPool) -> None:
    """Its lease was declared over: it hears so, and joins anew with a beat from the beginning."""
    beats = PostgresBeats(pool)
    with beating(database_url, "lost") as lost:
        await raised(beats, "lost", 5)
        async with pool.acquire() as connection:
            await connection.execute("DELETE FROM instances WHERE instance = 'lost'")
        await eventually(lambda: lost.losses)
        assert await raised(beats, "lost", 0) <= 5
        assert lost.losses == 1


class Loop:
    """The main loop as the thread asks after it."""

    def __init__(self) -> None:
        self.answers = True
        self.asked = 0

    def alive(self) -> bool:
        self.asked += 1
        return self.answers


async def test_an_instance_whose_loop_does_not_answer_stops_beating(database_url: str, pool: TimedPool) -> None:
    beats, loop = PostgresBeats(pool), Loop()
    with beating(database_url, "stuck", alive=loop.alive) as heart:
        await raised(beats, "stuck", 1)
        loop.answers = False
        await asked_again(loop)
        told, stood = len(heart.beats), (await beats.read())["stuck"]
        await asked_again(loop)
        assert (len(heart.beats), (await beats.read())["stuck"]) == (told, stood)
        loop.answers = True
        assert await raised(beats, "stuck", stood) > stood
        assert heart.losses == 0


async def asked_again(loop: Loop) -> None:
    before = loop.asked
    await eventually(lambda: loop.asked >= before + 3)


async def test_only_a_beat_that_still_stands_is_forgotten(database_url: str, pool: TimedPool) -> None:
    beats = PostgresBeats(pool)
    with beating(database_url, "living") as living:
        seen = await raised(beats, "living", 1)
        await raised(beats, "living", seen)
        await beats.forget("living", seen)
        assert "living" in await beats.read()
        assert living.losses == 0
    async with pool.acquire() as connection:
        await connection.execute(JOIN, "standing", "2026a")
    standing = (await beats.read())["standing"]
    await beats.forget("standing", standing)
    assert "standing" not in await beats.read()
