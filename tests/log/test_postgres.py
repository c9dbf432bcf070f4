"""What only a real database can show: races, kills, cut links, rights, partitions and plans."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import asyncpg
import pytest

from eventjobs.audit.verify import Verified, verify_log
from eventjobs.errors import ForkedHistory, LogFault, LogUnavailable, OutcomeUnknown, VersionConflict
from eventjobs.events.recorded import StreamId
from eventjobs.log.follower import POLL_S
from eventjobs.log.port import Append, Appended, Receipt
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.log.postgres_storage import COPY_ABOVE, SESSION
from eventjobs.log.setup import set_up
from eventjobs.postgres.migrate import APP_ROLE, migrate
from eventjobs.postgres.pool import Connection, connect
from eventjobs.postgres.statements import statement
from tests.log.facts import ME, a_receipt, a_stream, append_to, noted
from tests.log.link import link_to
from tests.log.logs import postgres_log
from tests.support.database import database
from tests.support.waiting import eventually

_numbers = count(1)


@pytest.fixture
async def own_url(postgres_url: str, template_database: str) -> AsyncIterator[str]:
    """A database of this test alone, set up."""
    async with database(postgres_url, f"log_{next(_numbers)}", template=template_database) as url:
        yield url


@pytest.fixture
async def owner(own_url: str) -> AsyncIterator[Connection]:
    connection = await connect(own_url, role=None)
    yield connection
    await connection.close()


async def verified(log: PostgresEventLog) -> Verified:
    outcome = await verify_log(log.read_stored)
    assert isinstance(outcome, Verified), outcome
    return outcome


async def write_on(log: PostgresEventLog, stream: StreamId, events: int) -> list[Appended]:
    """Append one event after the other, as the only writer of the stream."""
    return [await log.append(append_to(stream, noted(), at=version)) for version in range(events)]


async def test_two_instances_race_and_nothing_is_lost_or_doubled(own_url: str) -> None:
    async with postgres_log(own_url) as one, postgres_log(own_url) as two:
        streams = [a_stream() for _ in range(40)]
        writing = [write_on((one, two)[number % 2], stream, 10) for number, stream in enumerate(streams)]
        written = [appended for appends in await asyncio.gather(*writing) for appended in appends]
        assert sorted(appended.first for appended in written) == list(range(2, 402))
        assert one.lost_races + two.lost_races > 0
        assert (await verified(one)).positions == 401
        for log in (one, two):
            assert await log.wait_beyond(400, 10) == 401
            facts = await log.read(1, 1_000)
            assert [fact.position for fact in facts] == list(range(2, 402))
            assert [fact.at for fact in facts] == sorted(fact.at for fact in facts)
            for stream in streams:
                assert [fact.stream_version for fact in facts if fact.stream == stream] == list(range(1, 11))


async def test_of_two_instances_that_want_one_version_one_gets_it(own_url: str) -> None:
    async with postgres_log(own_url) as one, postgres_log(own_url) as two:
        for _ in range(20):
            stream, key = a_stream(), a_receipt()
            results = await asyncio.gather(
                *(log.append(append_to(stream, noted())) for log in (one, two)), return_exceptions=True
            )
            assert sorted(type(result).__name__ for result in results) == ["Appended", "VersionConflict"]
            twins = await asyncio.gather(
                *(log.append(append_to(stream, noted(), at=1, receipt=key)) for log in (one, two))
            )
            assert sorted(twin.replayed is None for twin in twins) == [False, True]


@pytest.mark.parametrize("listen", [True, False])
async def test_what_one_instance_writes_the_other_one_sees(own_url: str, listen: bool) -> None:
    async with postgres_log(own_url, listen=listen) as one, postgres_log(own_url, listen=listen) as two:
        stream = a_stream()
        appended = await one.append(append_to(stream, noted("hello")))
        assert await two.wait_beyond(appended.first - 1, 5 * POLL_S) == appended.first
        (fact,) = await two.read(appended.first - 1, 10)
        assert (fact.event, fact.chain) == (noted("hello"), appended.recorded[0].chain)
        assert two.known_head == one.known_head
        await two.append(append_to(stream, noted(), at=1))
        assert two.lost_races == 0


async def test_a_listener_hears_sooner_than_the_poll(own_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventjobs.log.follower.POLL_S", 60.0)
    async with postgres_log(own_url) as one, postgres_log(own_url) as two:
        watching = await connect(own_url, role=None)
        listeners = "SELECT count(*) FROM pg_stat_activity WHERE query ~ 'LISTEN' AND datname = current_database()"
        await eventually(lambda: _at_least(watching, listeners, 2))
        await watching.close()
        appended = await one.append(append_to(a_stream(), noted()))
        assert await two.wait_beyond(appended.first - 1, 10) == appended.first


async def _at_least(connection: Connection, count_sql: str, wanted: int) -> bool:
    return bool(await connection.fetchval(count_sql) >= wanted)


async def test_killed_backends_cost_no_truth(own_url: str) -> None:
    async with postgres_log(own_url) as log:
        streams = [a_stream() for _ in range(20)]
        outcomes: dict[StreamId, list[Appended | BaseException]] = {stream: [] for stream in streams}

        async def write(stream: StreamId) -> None:
            version = 0
            for number in range(25):
                try:
                    appended = await log.append(append_to(stream, noted(str(number)), at=version))
                except (LogUnavailable, OutcomeUnknown) as fault:
                    outcomes[stream].append(fault)
                    facts = await eventually(lambda: _read(log, stream))
                    version = len(facts[stream])
                else:
                    outcomes[stream].append(appended)
                    version += 1

        async def kill() -> None:
            killer = await connect(own_url, role=None)
            try:
                while True:
                    await killer.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                    ended = sum(map(len, outcomes.values()))
                    await eventually(lambda seen=ended: sum(map(len, outcomes.values())) > seen + 3, timeout_s=60)
            finally:
                killer.terminate()

        killing = asyncio.ensure_future(kill())
        await asyncio.gather(*(write(stream) for stream in streams))
        killing.cancel()
        await asyncio.wait([killing])
        total = (await eventually(lambda: _verified(log))).positions
        acknowledged = {
            appended.first: stream
            for stream, ends in outcomes.items()
            for appended in ends
            if isinstance(appended, Appended)
        }
        facts = await log.read_stored(0, 10_000)
        assert [fact.position for fact in facts] == list(range(1, total + 1))
        by_position = {fact.position: fact.stream for fact in facts}
        assert {position: by_position[position] for position in acknowledged} == acknowledged
        for stream in streams:
            texts = [fact.event.text for fact in facts if fact.stream == stream]
            assert len(texts) == len(set(texts))


async def _read(log: PostgresEventLog, stream: StreamId) -> object:
    try:
        return await log.read_streams([(stream, 0)])
    except LogFault:
        return None


async def _verified(log: PostgresEventLog) -> Verified | None:
    try:
        return await verified(log)
    except LogFault:
        return None


@pytest.mark.parametrize("cut", ["request", "answer"])
async def test_a_link_that_is_cut_around_a_commit_is_no_error(own_url: str, cut: str) -> None:
    async with link_to(own_url) as (link, url), postgres_log(url) as log:
        for number in range(5):
            stream, receipt = a_stream(), a_receipt()
            setattr(link, f"cut_{cut}", f"cut-{number}-here".encode())
            both = await asyncio.gather(
                log.append(append_to(stream, noted(f"cut-{number}-here"), receipt=receipt)),
                log.append(append_to(a_stream(), noted())),
            )
            assert link.cuts == number + 1
            assert [appended.replayed for appended in both] == [None, None]
            stored = await log.find_receipt(receipt.key)
            assert stored is not None
            assert (stored.first, stored.last) == (both[0].first, both[0].last)
            assert len((await log.read_streams([(stream, 0)]))[stream]) == 1
        assert (await verified(log)).positions == 11


async def test_a_cut_in_a_large_append_is_no_error(own_url: str) -> None:
    async with link_to(own_url) as (link, url), postgres_log(url) as log:
        stream = a_stream()
        link.cut_answer = b"INSERT INTO events"  # the statement's text, when it is prepared
        await log.append(append_to(stream, *[noted()] * 1_500))
        assert link.cuts == 1
        assert (await verified(log)).positions == 1_501


@pytest.mark.parametrize("copy", [True, False])
async def test_only_large_appends_are_copied_and_only_where_the_server_can(
    own_url: str, owner: Connection, copy: bool
) -> None:
    tables = "SELECT count(*) FROM pg_class WHERE relname = 'copied_events'"
    async with postgres_log(own_url, copy=copy) as log:
        await log.append(append_to(a_stream(), *[noted()] * 1_000))
        assert await owner.fetchval(tables) == 0
        await log.append(append_to(a_stream(), *[noted()] * 1_001))
        assert await owner.fetchval(tables) == copy
        assert (await verified(log)).positions == 2_002


async def test_an_append_that_storage_cannot_hold_fails_alone(own_url: str) -> None:
    async with postgres_log(own_url) as log:
        unwritable = StreamId("acme", "note:" + "".join(chr(0x4E00 + number) for number in range(6_000)))
        results = await asyncio.gather(
            log.append(append_to(a_stream(), noted())),
            log.append(append_to(unwritable, noted())),
            log.append(append_to(a_stream(), noted())),
            return_exceptions=True,
        )
        assert [isinstance(result, LogFault) for result in results] == [False, True, False]
        assert (await verified(log)).positions == 3


@pytest.mark.parametrize("events", [1, COPY_ABOVE + 1])
@pytest.mark.parametrize("receipt", [None, a_receipt()], ids=["without a key", "with a key"])
async def test_a_history_that_was_lost_stops_the_log(
    own_url: str, owner: Connection, events: int, receipt: Receipt | None
) -> None:
    async with postgres_log(own_url) as log:
        await write_on(log, a_stream(), 5)
        await owner.execute(
            "ALTER TABLE events_from_1 DISABLE TRIGGER ALL; DELETE FROM events_from_1 WHERE position > 4"
        )
        with pytest.raises(ForkedHistory):
            await log.append(append_to(a_stream(), *[noted()] * events, receipt=receipt))
        with pytest.raises(ForkedHistory):
            await log.wait_beyond(100, 10)


async def test_a_history_that_was_lost_and_written_again_stops_the_log(own_url: str, owner: Connection) -> None:
    async with postgres_log(own_url, listen=False) as log:
        await write_on(log, a_stream(), 5)
        await owner.execute(
            "ALTER TABLE events_from_1 DISABLE TRIGGER ALL; DELETE FROM events_from_1 WHERE position > 5"
        )
        async with postgres_log(own_url) as other:
            await write_on(other, a_stream(), 1)
        with pytest.raises(ForkedHistory):
            await log.append(append_to(a_stream(), noted()))
        assert await owner.fetchval("SELECT max(position) FROM events") == 6


async def test_an_append_without_events_is_checked_on_the_newest_state(
    own_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventjobs.log.follower.POLL_S", 60.0)
    async with postgres_log(own_url) as one, postgres_log(own_url, listen=False) as two:
        stream = a_stream()
        await two.append(append_to(a_stream(), noted(), guards={stream: 0}))
        await one.wait_beyond(1, 10)
        await one.append(append_to(stream, noted()))
        with pytest.raises(VersionConflict):
            await two.append(append_to(stream, receipt=a_receipt()))


@pytest.mark.parametrize("table", ["events", "events_from_1", "receipts"])
@pytest.mark.parametrize("change", ["UPDATE {} SET at = now()", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_owner_too_is_refused_every_change(own_url: str, owner: Connection, table: str, change: str) -> None:
    async with postgres_log(own_url) as log:
        await log.append(append_to(a_stream(), noted(), receipt=a_receipt()))
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await owner.execute(change.format(table))


async def test_the_refusing_triggers_are_always_on_and_on_every_partition(owner: Connection) -> None:
    await owner.execute("SELECT make_log_partition(10)")
    rows = await owner.fetch(
        "SELECT c.relname, array_agg(t.tgenabled::text) AS enabled FROM pg_class c "
        "LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgfoid = 'refuse_change'::regproc "
        "WHERE c.relkind IN ('r', 'p') AND (c.relname ~ '^events' OR c.relname = 'receipts') GROUP BY 1 ORDER BY 1"
    )
    assert {row["relname"]: row["enabled"] for row in rows} == {
        "events": ["A"],
        "events_from_1": ["A"],
        "events_from_10000001": ["A"],
        "receipts": ["A"],
    }


async def test_the_application_may_insert_and_select_and_no_more(own_url: str, owner: Connection) -> None:
    rights = await owner.fetch(
        "SELECT relname, array_agg(privilege_type::text ORDER BY privilege_type::text) AS rights "
        "FROM pg_class, aclexplode(relacl) WHERE grantee = $1::text::regrole AND relkind IN ('r', 'p') "
        "AND (relname ~ '^events' OR relname IN ('receipts', 'snapshots')) GROUP BY 1",
        APP_ROLE,
    )
    assert {row["relname"]: row["rights"] for row in rights} == {
        "events": ["INSERT", "SELECT"],
        "receipts": ["INSERT", "SELECT"],
        "snapshots": ["DELETE", "INSERT", "SELECT", "UPDATE"],
    }
    app = await connect(own_url, role=APP_ROLE)
    try:
        for sql in (
            "DELETE FROM events",
            "TRUNCATE receipts",
            "ALTER TABLE events DISABLE TRIGGER ALL",
            "SELECT make_log_partition(10)",
            "INSERT INTO events_from_1 SELECT * FROM events",
            "SELECT * FROM events_from_1",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(sql)
        assert await app.fetchval(statement("log/extend_log")) == 10_000_001
    finally:
        await app.close()


async def test_appends_cross_into_the_next_partition(postgres_url: str) -> None:
    async with database(postgres_url, f"log_{next(_numbers)}") as url:
        await migrate(url)
        owner = await connect(url, role=None)
        await owner.execute("DROP TABLE events_from_1; SELECT make_log_partition(20); SELECT make_log_partition(5)")
        await set_up(url)
        async with postgres_log(url, generation=4) as log:
            stream = a_stream()
            await log.append(append_to(stream, *[noted()] * 15))
            await log.append(append_to(stream, *[noted()] * 30, at=15))
            for _ in range(10):
                await log.append(append_to(a_stream(), noted()))
            with pytest.raises(VersionConflict):
                await log.append(append_to(stream, noted(), at=15))
            await log.append(append_to(stream, noted(), at=45))
            facts = (await log.read_streams([(stream, 13)]))[stream]
            assert [fact.stream_version for fact in facts] == list(range(14, 47))
            assert (await verified(log)).positions == 57
            for position in (1, 20, 21, 25, 26, 57):
                at = await log.at_of(position)
                assert await log.at_of(await log.position_at(at)) == at
        parts = await owner.fetch("SELECT tableoid::regclass::text AS part, count(*) FROM events GROUP BY 1 ORDER BY 1")
        assert [tuple(row) for row in parts] == [("events_from_1", 20), ("events_from_21", 5), ("events_from_26", 32)]
        await owner.close()


async def test_an_append_beyond_the_last_partition_makes_the_next_one(postgres_url: str) -> None:
    async with database(postgres_url, f"log_{next(_numbers)}") as url:
        await migrate(url)
        owner = await connect(url, role=None)
        await owner.execute("DROP TABLE events_from_1; SELECT make_log_partition(5000000)")
        await set_up(url)
        async with postgres_log(url) as log:
            await eventually(lambda: _at_least(owner, "SELECT log_end()", 15_000_001))
            await owner.execute(
                "ALTER TABLE events DETACH PARTITION events_from_5000001; DROP TABLE events_from_5000001"
            )
            await owner.execute("ALTER TABLE events DETACH PARTITION events_from_1")
            await owner.execute("ALTER TABLE events_from_1 DROP CONSTRAINT events_from_1_range_check")
            await owner.execute("ALTER TABLE events ATTACH PARTITION events_from_1 FOR VALUES FROM (1) TO (4)")
            await write_on(log, a_stream(), 6)
            assert (await verified(log)).positions == 7
        assert await owner.fetchval("SELECT log_end()") == 10_000_004
        await owner.close()


async def test_making_a_partition_stops_no_append(own_url: str, owner: Connection) -> None:
    async with postgres_log(own_url) as log:
        reader = await connect(own_url, role=APP_ROLE)
        async with reader.transaction():
            await reader.fetch("SELECT * FROM events")  # a long reader
            async with owner.transaction():
                await owner.execute("SELECT make_log_partition(10)")
                async with asyncio.timeout(2):
                    await write_on(log, a_stream(), 3)
        await reader.close()


async def test_instances_that_extend_the_log_together_make_one_partition(postgres_url: str) -> None:
    async with database(postgres_url, f"log_{next(_numbers)}") as url:
        await migrate(url)
        owner = await connect(url, role=None)
        await owner.execute("DROP TABLE events_from_1; SELECT make_log_partition(100)")
        await set_up(url)
        apps = [await connect(url, role=APP_ROLE) for _ in range(5)]
        ends = await asyncio.gather(*(app.fetchval(statement("log/extend_log")) for app in apps))
        assert set(ends) == {10_000_101}
        for connection in (owner, *apps):
            await connection.close()


async def test_a_log_without_its_first_position_does_not_start(postgres_url: str) -> None:
    async with database(postgres_url, f"log_{next(_numbers)}") as url:
        await migrate(url)
        with pytest.raises(LogUnavailable, match="migrate"):
            async with postgres_log(url):
                pass


async def test_many_who_set_up_a_log_begin_one(postgres_url: str) -> None:
    async with database(postgres_url, f"log_{next(_numbers)}") as url:
        ids = await asyncio.gather(*(set_up(url) for _ in range(4)))
        assert len(set(ids)) == 1
        assert await set_up(url) == ids[0]
        async with postgres_log(url) as log:
            assert (await verified(log)).positions == 1
            assert (await log.read(0, 1))[0].event.log_id == ids[0]


PLANNED = {
    "log/append": "0, '\\x00', now(), '', '', '', '', '', '', '', '', '', '', '\\x', '', '\\x', '', '', '', ''",
    "log/append_events": "0, '\\x00', now(), '', '', '', '', '', '', '', '', '', '', '\\x'",
    "log/at_of": "7",
    "log/find_receipts": "ARRAY['a']",
    "log/find_versions": "ARRAY['acme'], ARRAY['note:1']",
    "log/head": "",
    "log/holds": "7, '\\x00'",
    "log/position_at": "now()",
    "log/read_all": "0, 9, 9, NULL, NULL, NULL",
    "log/read_stream": "0, 9, 9, 'acme', 'note:1', NULL, NULL",
    "log/read_streams": "ARRAY['acme'], ARRAY['note:1'], ARRAY[0]",
    "log/read_workspace": "0, 9, 9, 'acme', NULL, NULL",
}


@pytest.mark.parametrize("name", PLANNED)
async def test_no_statement_reads_the_whole_log(own_url: str, name: str) -> None:
    app = await connect(own_url, role=APP_ROLE, settings=SESSION)
    await app.execute(f"PREPARE planned AS {statement(name)}")
    arguments = f"({PLANNED[name]})" if PLANNED[name] else ""
    plan = "\n".join(row[0] for row in await app.fetch(f"EXPLAIN EXECUTE planned{arguments}"))
    assert "Seq Scan on" not in plan, plan
    await app.close()


async def test_an_append_of_several_streams_is_read_from_one_snapshot(own_url: str) -> None:
    async with postgres_log(own_url) as one, postgres_log(own_url) as two:
        left, right = a_stream(), a_stream()
        stop = asyncio.Event()

        async def write() -> None:
            version = 0
            while not stop.is_set():
                await one.append(
                    Append(
                        events=[(left, noted()), (right, noted())],
                        expected={left: version, right: version},
                        provenance=ME,
                    )
                )
                version += 1

        writing = asyncio.ensure_future(write())
        for _ in range(50):
            found = await two.read_streams([(left, 0), (right, 0)])
            assert len(found[left]) == len(found[right])
        stop.set()
        await writing
