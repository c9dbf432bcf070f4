"""The proof finds what was changed, taken out, put in or moved, and where."""

from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count
from typing import Any

import orjson
import pytest

from eventjobs.audit.verify import BATCH, Broken, Verified, verify_export, verify_log
from eventjobs.clock import SystemClock
from eventjobs.events.recorded import Provenance, Recorded
from eventjobs.log.event_json import event_json
from eventjobs.log.memory import MemoryEventLog
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.postgres.pool import Connection, connect
from tests.log.facts import CODEC, ME, a_stream, append_to, noted
from tests.log.logs import postgres_log
from tests.support.database import database

_numbers = count(1)


@pytest.fixture
async def log(postgres_url: str, template_database: str) -> AsyncIterator[PostgresEventLog]:
    """A log of ten positions, in a database of its own."""
    async with (
        database(postgres_url, f"verify_{next(_numbers)}", template=template_database) as url,
        postgres_log(url) as opened,
    ):
        opened.url = url  # type: ignore[attr-defined]
        for number in range(9):
            await opened.append(append_to(a_stream(), noted(f"number {number} é", n=number * 1.5)))
        yield opened


@pytest.fixture
async def tamperer(log: PostgresEventLog) -> AsyncIterator[Connection]:
    """The tables' owner, with the tripwires taken down."""
    connection = await connect(log.url, role=None)  # type: ignore[attr-defined]
    await connection.execute("ALTER TABLE events DISABLE TRIGGER ALL; ALTER TABLE events_from_1 DISABLE TRIGGER ALL")
    yield connection
    await connection.close()


async def test_an_untouched_log_verifies_to_its_head(log: PostgresEventLog) -> None:
    assert await verify_log(log.read_stored) == Verified(10, log.known_head.chain)


@pytest.mark.parametrize(
    ("sql", "position"),
    [
        ("UPDATE events SET data = replace(data::text, 'number 3', 'number 4')::json WHERE position = 5", 5),
        ("UPDATE events SET data = (data::jsonb)::json WHERE position = 5", 5),
        ("UPDATE events SET data = (data::text || ' ')::json WHERE position = 5", 5),
        ("UPDATE events SET at = at + interval '1 microsecond' WHERE position = 5", 5),
        ("UPDATE events SET actor = 'key:nobody' WHERE position = 5", 5),
        ("UPDATE events SET workspace = 'globex' WHERE position = 5", 5),
        ("UPDATE events SET stream = stream || '0' WHERE position = 5", 5),
        ("UPDATE events SET version = 2 WHERE position = 5", 5),
        ("UPDATE events SET schema = 2 WHERE position = 5", 5),
        ("UPDATE events SET type = 'note.struck' WHERE position = 5", 5),
        ("UPDATE events SET command_id = 'x' WHERE position = 5", 5),
        ("UPDATE events SET causation = '' WHERE position = 5", 5),
        ("UPDATE events SET correlation = 'x' WHERE position = 5", 5),
        ("UPDATE events SET leaf = set_byte(leaf, 31, get_byte(leaf, 31) # 1) WHERE position = 5", 5),
        ("UPDATE events SET chain = set_byte(chain, 0, get_byte(chain, 0) # 128) WHERE position = 5", 5),
        ("DELETE FROM events WHERE position = 5", 5),
        ("DELETE FROM events WHERE position = 1", 1),
        ("DELETE FROM events", 1),
        ("UPDATE events SET position = CASE position WHEN 5 THEN 105 ELSE 106 END WHERE position IN (5, 6)", 5),
        ("DELETE FROM events WHERE position = 5; UPDATE events SET position = position - 1 WHERE position > 5", 5),
    ],
)
async def test_tampering_is_found_where_it_is(
    log: PostgresEventLog, tamperer: Connection, sql: str, position: int
) -> None:
    await tamperer.execute(sql)
    outcome = await verify_log(log.read_stored)
    assert isinstance(outcome, Broken)
    assert outcome.position == position
    assert outcome.what


async def test_two_events_that_changed_places_are_found(log: PostgresEventLog, tamperer: Connection) -> None:
    await tamperer.execute(
        "UPDATE events SET position = 105 WHERE position = 5; UPDATE events SET position = 5 WHERE position = 6; "
        "UPDATE events SET position = 6 WHERE position = 105"
    )
    outcome = await verify_log(log.read_stored)
    assert isinstance(outcome, Broken)
    assert outcome.position == 5


async def test_a_log_cut_at_its_end_shows_in_positions_and_chain(log: PostgresEventLog, tamperer: Connection) -> None:
    await tamperer.execute("DELETE FROM events WHERE position > 8")
    outcome = await verify_log(log.read_stored)
    assert isinstance(outcome, Verified)
    assert outcome.positions == 8
    assert outcome.chain != log.known_head.chain


async def exported() -> list[bytes]:
    log = MemoryEventLog(CODEC, SystemClock())
    for number in range(9):
        by = Provenance(actor=ME.actor, command_id=f"c-{number}", causation="1" if number % 2 else None)
        awkward = noted('","data":{"leaf":"', leaf=',"leaf":"x"', number=1e100, data={"é": [number]})
        await log.append(append_to(a_stream(), awkward, by=by))
    return [event_json(fact) for fact in await log.read(0, 100)]


async def test_REL97_an_export_verifies_offline() -> None:
    lines = await exported()
    outcome = verify_export([*lines, b"\n"])
    assert isinstance(outcome, Verified)
    assert outcome == Verified(10, bytes.fromhex(orjson.loads(lines[-1])["chain"]))


Change = Callable[[list[bytes]], Sequence[bytes]]


@pytest.mark.parametrize(
    ("change", "position"),
    [
        (lambda lines: [*lines[:4], lines[4].replace(b"1e", b"2e"), *lines[5:]], 5),
        (lambda lines: [*lines[:4], lines[4].replace(b"[3]", b"[ 3]"), *lines[5:]], 5),
        (lambda lines: [*lines[:4], lines[4].replace(b'"c-3"', b'"c-4"'), *lines[5:]], 5),
        (lambda lines: [*lines[:4], *lines[5:]], 5),
        (lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]], 5),
        (lambda lines: [*lines[:4], lines[3], *lines[4:]], 5),
        (lambda lines: lines[1:], 1),
        (lambda lines: [*lines[:4], lines[4][:-20]], 5),
        (lambda lines: [*lines[:4], b"{}", *lines[5:]], 5),
        (lambda lines: [*lines[:4], b"[]", *lines[5:]], 5),
        (lambda lines: [*lines[:4], lines[4].replace(b'Z"', b'+01:00"', 1), *lines[5:]], 5),
        (lambda lines: [*lines[:4], lines[4].replace(b'Z"', b'"', 1), *lines[5:]], 5),
        (lambda _: [], 1),
    ],
)
async def test_REL98_a_changed_export_is_found_where_it_is(change: Change, position: int) -> None:
    outcome = verify_export(change(await exported()))
    assert isinstance(outcome, Broken)
    assert outcome.position == position


async def test_a_long_log_is_verified_in_parts() -> None:
    log = MemoryEventLog(CODEC, SystemClock())
    await log.append(append_to(a_stream(), *[noted()] * (BATCH + 1)))
    asked: list[tuple[int, int]] = []

    async def read(after: int, limit: int) -> Sequence[Recorded[Any]]:
        asked.append((after, limit))
        return await log.read(after, limit)

    assert await verify_log(read) == Verified(BATCH + 2, log.known_head.chain)
    assert asked == [(0, BATCH), (BATCH, BATCH), (BATCH + 2, BATCH)]
