"""An audit goes on in another process where it stood."""

from collections.abc import AsyncIterator
from itertools import count

import pytest

from eventjobs.audit.keeping import common_of, found_by, ledger_from, ledger_version, owners_of, put_owners
from eventjobs.audit.occurrences import Ledger, audit_facts
from eventjobs.audit.watch import KEEP_S, LedgerWatch
from eventjobs.events.recorded import StreamId
from eventjobs.postgres.ledger import Kept, PostgresLedger
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import TimedPool, open_pool
from eventjobs.telemetry.metrics import Metrics
from tests.audit.life import lived
from tests.audit.test_occurrences import ACTS, SCHEDULES
from tests.runner.plant import Instance, Plant
from tests.support.bodies import row
from tests.support.database import database
from tests.support.story import command
from tests.support.time import virtually

_numbers = count(1)
HOLD = [("HoldStarts", {"note": "é"}), ("wait", 4_000), ("ReleaseStarts", {}), ("step", -5_000.0), ("wait", 100)]


def test_a_ledger_that_was_written_and_read_finds_what_the_first_one_finds() -> None:
    with pytest.MonkeyPatch.context() as patch:
        facts = lived(SCHEDULES, [*ACTS[:6], *HOLD, *ACTS[6:7]], patch)
    spoilt = [fact for fact in facts if fact.type != "schedule.run_opened" or fact.position % 5]
    assert not audit_facts(spoilt).clean

    ledger = Ledger()
    for place, fact in enumerate(spoilt, 1):
        ledger.take(fact)
        if not place % 40 and (place == len(spoilt) or spoilt[place].command_id != fact.command_id):
            ledger.flush()
            again = ledger_from(common_of(ledger))
            put_owners(again, owners_of(ledger, ledger.owners.known).items())
            ledger = again
    kept_of = found_by(common_of(ledger))
    assert (kept_of.position, kept_of.found, kept_of.findings) == (
        ledger.position,
        ledger.found,
        tuple(ledger.findings),
    )
    assert ledger.close() == audit_facts(spoilt)


@pytest.fixture
async def pool(postgres_url: str, template_database: str) -> AsyncIterator[TimedPool]:
    """A database of its own."""
    async with (
        database(postgres_url, f"ledger_{next(_numbers)}", template=template_database) as url,
        await open_pool(url, role=APP_ROLE, min_size=1, max_size=2) as opened,
    ):
        yield opened


def kept(position: int, **owners: str) -> Kept:
    return Kept(
        position=position,
        chain=bytes(32),
        state=b'{"n":%d}' % position,
        owners={StreamId("acme", f"schedule:{name}"): f'"{state}"'.encode() for name, state in owners.items()},
    )


async def test_only_who_is_further_is_kept_and_owners_that_did_not_change_stay(pool: TimedPool) -> None:
    store = PostgresLedger(pool, "code-1")
    assert await store.find() is None
    assert not await store.save(kept(5, a="x"), whole=False), "the other owners are nowhere"
    assert await store.save(kept(10, a="1", b="1"), whole=True)
    assert not await store.save(kept(9, a="0"), whole=True)
    assert not await store.save(kept(10, a="0"), whole=False)
    assert await store.save(kept(12, b="2"), whole=False)
    assert await store.find() == kept(12, a="1", b="2")


async def test_other_code_begins_anew_and_replaces_all(pool: TimedPool) -> None:
    old, new = PostgresLedger(pool, "code-1"), PostgresLedger(pool, "code-2")
    assert await old.save(kept(10, a="1", b="1"), whole=True)
    assert await new.find() is None
    assert await new.save(kept(3, a="2"), whole=True)
    assert await new.find() == kept(3, a="2")
    assert not await old.save(kept(20, b="3"), whole=False)
    assert await old.find() is None


class Shelf:
    """A keeper in memory."""

    def __init__(self) -> None:
        self.kept: Kept | None = None

    async def find(self) -> Kept | None:
        return self.kept

    async def save(self, kept: Kept, *, whole: bool) -> bool:
        assert whole == (self.kept is None)
        self.kept = Kept(
            position=kept.position,
            chain=kept.chain,
            state=kept.state,
            owners={**(self.kept.owners if self.kept else {}), **kept.owners},
        )
        return True


def test_a_watch_goes_on_where_the_last_one_stood_unless_the_log_is_another() -> None:
    async def story() -> None:
        plant, shelf = Plant(), Shelf()
        instance = Instance(plant, "one").start()
        await plant.furnish(instance, [row("a")], {"a": {}})
        first = LedgerWatch(plant.log, plant.clock, Metrics(), lambda: True, shelf)
        _ = instance.tasks.start(first.run(), name="ledger")
        await plant.clock.sleep(2 * KEEP_S)
        await instance.do(command("DescribeSchedule", id="nightly", description="x"))
        await plant.clock.sleep(2 * KEEP_S)
        assert shelf.kept is not None
        assert shelf.kept.position == plant.log.known_head.position
        read: list[int] = []
        whole = plant.log.read

        async def reading(after: int, limit: int, **others: int) -> object:
            read.append(after)
            return await whole(after, limit, **others)  # type: ignore[arg-type]

        plant.log.read = reading  # type: ignore[assignment]
        second = LedgerWatch(plant.log, plant.clock, Metrics(), lambda: True, shelf)
        _ = instance.tasks.start(second.run(), name="ledger 2")
        await plant.clock.sleep(2)
        assert second.summary() == first.summary()
        assert 0 not in read
        shelf.kept = Kept(position=3, chain=bytes(32), state=shelf.kept.state, owners=shelf.kept.owners)
        third = LedgerWatch(plant.log, plant.clock, Metrics(), lambda: True, shelf)
        _ = instance.tasks.start(third.run(), name="ledger 3")
        await plant.clock.sleep(2)
        assert 0 in read
        await instance.kill()

    virtually(story())


def test_the_code_has_a_version() -> None:
    assert len(ledger_version()) == 16
