"""The appender against a storage that fails, lies late and is written to by others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from eventjobs.errors import (
    ForkedHistory,
    LogFault,
    LogFull,
    LogUnavailable,
    OutcomeUnknown,
    Overtaken,
    VersionConflict,
)
from eventjobs.events.recorded import StreamId
from eventjobs.log.appender import SETTLE_S, Appender
from eventjobs.log.batch import Batch
from eventjobs.log.port import Append, Appended
from eventjobs.log.prepared import prepare
from eventjobs.log.storage import LinkLost, Unwritable, Written
from eventjobs.log.tail import Tail
from eventjobs.log.waiting import BYTES_MAX, EVENTS_ENOUGH, EVENTS_MAX
from eventjobs.telemetry.tasks import Tasks
from tests.log.facts import CODEC, a_receipt, a_stream, append_to, noted
from tests.log.fakes import FakeStorage, HalfRandom, ManualClock


@dataclass
class Bench:
    storage: FakeStorage
    clock: ManualClock
    tail: Tail
    appender: Appender

    def put(self, append: Append) -> Awaitable[Appended]:
        prepared = prepare(CODEC, append)
        self.appender.put(prepared)
        return prepared.done

    def others_write(self, *streams: StreamId, events: int = 1, at: int = 0) -> None:
        """Another process appends to each stream, which it finds at version `at`."""
        for stream in streams:
            prepared = prepare(CODEC, append_to(stream, *[noted("theirs")] * events, at=at))
            assert self.storage.put(Batch(self.storage.head, self.clock.now(), [prepared])) is Written.COMMITTED

    def versions(self, stream: StreamId) -> list[int]:
        return [fact.stream_version for fact in self.storage.facts if fact.stream == stream]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    storage, clock, tasks = FakeStorage(), ManualClock(), Tasks()
    tail = Tail(storage.head)
    appender = Appender(
        storage=storage, tail=tail, codec=CODEC, clock=clock, random=HalfRandom(), tasks=tasks, generation=100
    )
    running = tasks.start(appender.run(), name="appender", joined=True)
    yield Bench(storage, clock, tail, appender)
    appender.close()
    await running
    assert await tasks.cancel_all() == []


async def test_a_lost_answer_of_a_written_batch_is_found_out(bench: Bench) -> None:
    async def write_and_lose(batch: Batch) -> Written | None:
        bench.storage.put(batch)
        raise LinkLost

    bench.storage.plan = [write_and_lose]
    stream = a_stream()
    appended = await bench.put(append_to(stream, noted()))
    assert (appended.first, appended.last) == (2, 2)
    assert bench.versions(stream) == [1]
    assert bench.tail.head == bench.storage.head


async def test_a_lost_request_is_sent_again_and_written_once(bench: Bench) -> None:
    bench.storage.plan = [LinkLost(), LinkLost(), LogUnavailable("starting up")]
    stream = a_stream()
    assert (await bench.put(append_to(stream, noted()))).first == 2
    assert bench.versions(stream) == [1]


async def test_a_decision_is_held_against_the_time_again_after_a_lost_race(bench: Bench) -> None:
    async def meanwhile(_: Batch) -> Written | None:
        bench.others_write(a_stream())
        bench.clock.passed_s += 2
        return Written.BEHIND

    bench.storage.plan = [meanwhile]
    soon, stream = bench.clock.now() + timedelta(seconds=1), a_stream()
    late = bench.put(replace(append_to(stream, noted()), before=soon))
    other = bench.put(append_to(a_stream(), noted()))
    with pytest.raises(Overtaken):
        await late
    assert (await other).first == 3
    assert bench.versions(stream) == []


async def test_a_decision_is_held_against_the_instant_that_it_would_be_stamped_with(bench: Bench) -> None:
    soon, stream = bench.clock.now() + timedelta(seconds=1), a_stream()
    bench.clock.passed_s += 2
    await bench.put(append_to(a_stream(), noted()))
    bench.clock.passed_s -= 2  # this instance's clock is behind the one that stamped the head
    with pytest.raises(Overtaken) as overtaken:
        await bench.put(replace(append_to(stream, noted()), before=soon))
    assert overtaken.value.now == bench.storage.head.at
    assert bench.versions(stream) == []


async def test_a_decision_goes_by_the_clock_where_that_was_set_back(bench: Bench) -> None:
    bench.clock.passed_s += 3_600
    await bench.put(append_to(a_stream(), noted()))
    bench.clock.passed_s -= 3_600
    decided = replace(append_to(a_stream(), noted()), before=bench.clock.now() + timedelta(seconds=1))
    assert (await bench.put(decided)).at == bench.storage.head.at


async def test_a_lost_answer_is_found_out_when_others_wrote_since(bench: Bench) -> None:
    async def write_and_lose(batch: Batch) -> Written | None:
        bench.storage.put(batch)
        bench.others_write(a_stream(), a_stream())
        raise LinkLost

    bench.storage.plan = [write_and_lose]
    stream = a_stream()
    assert (await bench.put(append_to(stream, noted()))).first == 2
    assert (await bench.put(append_to(a_stream(), noted()))).first == 5
    assert bench.versions(stream) == [1]


async def test_a_batch_whose_answer_was_lost_moves_nothing_back_that_was_read_meanwhile(bench: Bench) -> None:
    """Found by simulation, seed 2: an old version came back, and with it a second fact of the same version."""
    stream = a_stream()

    async def write_and_lose(batch: Batch) -> Written | None:
        bench.storage.put(batch)
        bench.others_write(stream, at=1)
        bench.appender.take_in(bench.storage.facts[-2:])
        raise LinkLost

    bench.storage.plan = [write_and_lose]
    assert (await bench.put(append_to(stream, noted()))).first == 2
    bench.others_write(a_stream())
    bench.appender.take_in(bench.storage.facts[-1:])
    with pytest.raises(VersionConflict):
        await bench.put(append_to(stream, noted(), at=1))
    assert bench.versions(stream) == [1, 2]


async def test_a_lost_request_that_others_overtook_is_checked_again(bench: Bench) -> None:
    mine, theirs = a_stream(), a_stream()

    async def lose_to_others(_: Batch) -> Written | None:
        bench.others_write(theirs)
        raise LinkLost

    bench.storage.plan = [lose_to_others]
    good, bad = await asyncio.gather(
        bench.put(append_to(mine, noted())), bench.put(append_to(theirs, noted())), return_exceptions=True
    )
    assert isinstance(good, Appended)
    assert isinstance(bad, VersionConflict)
    assert (bench.versions(mine), bench.versions(theirs)) == ([1], [1])


async def test_a_lost_receipt_without_events_is_found_out(bench: Bench) -> None:
    async def write_and_lose(batch: Batch) -> Written | None:
        bench.storage.put(batch)
        raise LinkLost

    bench.storage.plan = [write_and_lose]
    receipt = a_receipt()
    appended = await bench.put(append_to(a_stream(), receipt=receipt))
    assert (appended.first, appended.last) == (2, 1)
    assert receipt.key in bench.storage.receipts


async def test_what_cannot_be_found_out_is_said_to_be_unknown(bench: Bench) -> None:
    bench.storage.plan = [LinkLost()] * 1_000
    with pytest.raises(OutcomeUnknown):
        await bench.put(append_to(a_stream(), noted()))
    assert SETTLE_S <= bench.clock.passed_s < SETTLE_S + 1
    bench.storage.plan = []
    assert (await bench.put(append_to(a_stream(), noted()))).first == 2


async def test_after_an_unknown_outcome_the_log_goes_on_from_the_truth(bench: Bench) -> None:
    async def write_and_lose(batch: Batch) -> Written | None:
        bench.storage.put(batch)
        bench.storage.plan = [LinkLost()] * 1_000
        raise LinkLost

    bench.storage.plan = [write_and_lose]
    stream = a_stream()
    with pytest.raises(OutcomeUnknown):
        await bench.put(append_to(stream, noted()))
    bench.storage.plan = []
    with pytest.raises(VersionConflict):
        await bench.put(append_to(stream, noted()))
    assert (await bench.put(append_to(stream, noted(), at=1))).first == 3


@pytest.mark.parametrize("fault", [LogUnavailable("away"), LogFull("full")])
async def test_nothing_written_is_what_callers_hear(bench: Bench, fault: LogFault) -> None:
    bench.storage.plan = [fault]
    stream = a_stream()
    with pytest.raises(type(fault)):
        await bench.put(append_to(stream, noted()))
    assert (await bench.put(append_to(stream, noted()))).first == 2


async def test_what_waits_behind_an_append_that_found_no_database_is_told_at_once(bench: Bench) -> None:
    stream = a_stream()  # appends to one stream are written one after the other
    bench.storage.plan = [LogUnavailable("away")]
    appends = [append_to(stream, noted(), at=version) for version in range(5)]
    told = await asyncio.gather(*(bench.put(append) for append in appends), return_exceptions=True)
    assert [type(fault) for fault in told] == [LogUnavailable] * 5
    assert len(bench.storage.writes) == 1
    await bench.put(append_to(stream, noted()))
    assert bench.versions(stream) == [1]


async def test_an_error_nobody_foresaw_reaches_its_callers_and_stops_nobody_else(bench: Bench) -> None:
    bench.storage.plan = [ZeroDivisionError()]
    with pytest.raises(OutcomeUnknown):
        await bench.put(append_to(a_stream(), noted()))
    assert (await bench.put(append_to(a_stream(), noted()))).first == 2


async def test_a_lost_race_is_read_checked_again_and_written(bench: Bench) -> None:
    mine, theirs = a_stream(), a_stream()
    bench.others_write(theirs, *(a_stream() for _ in range(10)))
    good, bad = await asyncio.gather(
        bench.put(append_to(mine, noted())), bench.put(append_to(theirs, noted())), return_exceptions=True
    )
    assert isinstance(good, Appended)
    assert good.first == 13
    assert isinstance(bad, VersionConflict)
    assert bench.appender.lost_races >= 1
    assert [fact.position for fact in bench.tail.between(1, None) or ()] == list(range(2, 14))


async def test_after_three_lost_races_half_of_the_queue_goes_out(bench: Bench) -> None:
    async def lose(_: Batch) -> Written | None:
        bench.others_write(a_stream())
        return None

    bench.storage.plan = [None, lose, lose, lose]
    results = await asyncio.gather(*(bench.put(append_to(a_stream(), noted())) for _ in range(16)))
    assert bench.storage.writes == [8, 8, 8, 8, 4, 4]
    assert len({result.first for result in results}) == 16


async def test_where_others_write_too_a_batch_is_as_large_as_may_be(bench: Bench) -> None:
    await bench.put(append_to(a_stream(), noted()))
    bench.others_write(a_stream())
    bench.appender.take_in(bench.storage.facts[-1:])
    bench.storage.writes = []
    await asyncio.gather(*(bench.put(append_to(a_stream(), *[noted()] * 100)) for _ in range(30)))
    assert bench.storage.writes[0] == EVENTS_MAX > EVENTS_ENOUGH


async def test_a_refused_append_does_not_refuse_its_neighbours(bench: Bench) -> None:
    async def refuse_seven(batch: Batch) -> Written | None:
        if any(fact[4] == b'{"text":"7","more":null}' for append in batch.appends for fact in append.facts):
            raise Unwritable("index row size exceeds maximum")
        return None

    bench.storage.plan = [refuse_seven] * 100
    results = await asyncio.gather(
        *(bench.put(append_to(a_stream(), noted(str(number)))) for number in range(12)), return_exceptions=True
    )
    assert [number for number, result in enumerate(results) if isinstance(result, BaseException)] == [7]
    assert isinstance(results[7], LogFault)


async def test_known_streams_need_no_look_up(bench: Bench) -> None:
    stream = a_stream()
    await bench.put(append_to(stream, noted()))
    await bench.put(append_to(stream, noted(), at=1))
    assert bench.storage.looked_up == [[stream]]
    await bench.put(append_to(a_stream(), noted(), read_at=1))
    assert bench.storage.looked_up == [[stream]]


async def test_a_database_that_swallows_everything_keeps_nobody_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventjobs.log.appender.SETTLE_S", 0.05)

    async def swallow(_: Batch) -> Written | None:
        await asyncio.Event().wait()
        return None

    bench.storage.plan = [LinkLost(), swallow]
    sent = bench.put(append_to(a_stream(), noted()))
    while not bench.storage.writes:
        await asyncio.sleep(0)
    queued, later = a_stream(), a_stream()
    behind = bench.put(append_to(queued, noted()))
    with pytest.raises(OutcomeUnknown):
        await sent
    with pytest.raises(LogUnavailable):
        await behind
    assert bench.versions(queued) == []
    await bench.put(append_to(later, noted()))
    assert bench.versions(later) == [1]


async def test_a_caller_that_read_further_than_the_appender_followed_is_not_refused(bench: Bench) -> None:
    stream = a_stream()
    await bench.put(append_to(stream, noted()))
    bench.others_write(stream, at=1)
    appended = await bench.put(append_to(stream, noted(), at=2))
    assert (appended.first, bench.versions(stream)) == (4, [1, 2, 3])
    with pytest.raises(VersionConflict):
        await bench.put(append_to(stream, noted(), at=9))


async def test_only_the_stream_that_was_read_long_ago_is_looked_up(bench: Bench) -> None:
    for _ in range(301):
        await bench.put(append_to(a_stream(), noted(), read_at=bench.tail.head.position))
    old, lately = a_stream(), a_stream()
    append = append_to(lately, noted(), guards={old: 0})
    await bench.put(replace(append, read_at={old: 2, lately: bench.tail.head.position}))
    assert bench.storage.looked_up == [[old]]


async def test_a_read_position_older_than_what_is_remembered_is_looked_up(bench: Bench) -> None:
    theirs = a_stream()
    for _ in range(301):
        await bench.put(append_to(a_stream(), noted(), read_at=bench.tail.head.position))
    assert bench.storage.looked_up == []
    await bench.put(append_to(theirs, noted(), read_at=2))
    assert bench.storage.looked_up == [[theirs]]


async def test_misses_of_one_batch_are_one_query(bench: Bench) -> None:
    streams = [a_stream() for _ in range(8)]
    await asyncio.gather(*(bench.put(append_to(stream, noted())) for stream in streams))
    assert [len(asked) for asked in bench.storage.looked_up] == [4, 4]


async def test_a_version_that_moved_while_it_was_looked_up_is_not_believed(bench: Bench) -> None:
    stream = a_stream()
    look_up = bench.storage.find_versions

    async def slow(streams: list[StreamId]) -> dict[StreamId, int]:
        found = dict(await look_up(streams))
        bench.others_write(stream)
        bench.appender.take_in(bench.storage.facts[1:])
        return found

    bench.storage.find_versions = slow  # type: ignore[method-assign, assignment]
    with pytest.raises(VersionConflict):
        await bench.put(append_to(stream, noted()))


async def test_a_version_that_moved_and_was_forgotten_while_it_was_looked_up_is_looked_up_again(bench: Bench) -> None:
    stream = a_stream()
    look_up = bench.storage.find_versions

    async def very_slow(streams: list[StreamId]) -> dict[StreamId, int]:
        found = dict(await look_up(streams))
        bench.storage.find_versions = look_up  # type: ignore[method-assign]
        bench.others_write(stream)
        for _ in range(3):
            known = bench.tail.head.position
            bench.others_write(*(a_stream() for _ in range(101)))
            bench.appender.take_in(bench.storage.facts[known:])
        return found

    bench.storage.find_versions = very_slow  # type: ignore[method-assign, assignment]
    with pytest.raises(VersionConflict):
        await bench.put(append_to(stream, noted()))


async def test_own_facts_that_are_read_late_change_nothing(bench: Bench) -> None:
    stream = a_stream()
    await bench.put(append_to(stream, noted()))
    await bench.put(append_to(stream, noted(), at=1))
    bench.appender.take_in(bench.storage.facts[1:2])
    await bench.put(append_to(stream, noted(), at=2))
    assert bench.versions(stream) == [1, 2, 3]


async def test_appends_to_one_stream_go_in_one_after_the_other(bench: Bench) -> None:
    stream = a_stream()
    results = await asyncio.gather(*(bench.put(append_to(stream, noted(), at=version)) for version in range(5)))
    assert [result.first for result in results] == [2, 3, 4, 5, 6]
    assert bench.storage.writes == [1] * 5


async def test_a_batch_is_cut_when_it_is_enough(bench: Bench) -> None:
    many = [append_to(a_stream(), *[noted()] * 256) for _ in range(8)]
    await asyncio.gather(*(bench.put(append) for append in many))
    assert max(bench.storage.writes) <= EVENTS_ENOUGH
    large = [append_to(a_stream(), noted("x" * (BYTES_MAX // 3))) for _ in range(8)]
    bench.storage.writes = []
    await asyncio.gather(*(bench.put(append) for append in large))
    assert max(bench.storage.writes) == 2


async def test_times_stand_still_while_the_clock_is_behind(bench: Bench) -> None:
    first = await bench.put(append_to(a_stream(), noted()))
    bench.clock.passed_s -= 3600
    second = await bench.put(append_to(a_stream(), noted()))
    assert second.at == first.at


async def test_a_key_used_by_another_process_is_answered_with_its_receipt(bench: Bench) -> None:
    receipt, stream = a_receipt(), a_stream()
    prepared = prepare(CODEC, append_to(stream, noted(), receipt=receipt))
    bench.storage.put(Batch(bench.storage.head, bench.clock.now(), [prepared]))
    twin, other = await asyncio.gather(
        bench.put(append_to(a_stream(), noted(), receipt=receipt)), bench.put(append_to(a_stream(), noted()))
    )
    assert twin.replayed == bench.storage.receipts[receipt.key]
    assert other.replayed is None
    again = await bench.put(append_to(stream, noted(), receipt=receipt))
    assert again.replayed == twin.replayed


async def test_a_conflict_whose_key_cannot_be_looked_up_is_unavailable(bench: Bench) -> None:
    stream = a_stream()
    await bench.put(append_to(stream, noted()))
    bench.storage.unreadable = LogUnavailable("away")
    with pytest.raises(LogUnavailable):
        await bench.put(append_to(stream, noted(), receipt=a_receipt()))
    bench.storage.unreadable = None
    with pytest.raises(VersionConflict):
        await bench.put(append_to(stream, noted(), receipt=a_receipt()))


async def test_what_waits_when_the_database_went_away_is_refused_and_not_written_later(bench: Bench) -> None:
    bench.others_write(a_stream())
    bench.storage.unreadable = LogUnavailable("away")
    stream = a_stream()
    with pytest.raises(LogUnavailable):
        await bench.put(append_to(stream, noted(), read_at=1))
    bench.storage.unreadable = None
    await bench.put(append_to(a_stream(), noted()))
    assert bench.versions(stream) == []


async def test_a_history_that_was_lost_stops_the_log(bench: Bench) -> None:
    await bench.put(append_to(a_stream(), noted()))
    await bench.put(append_to(a_stream(), noted()))
    waiting = asyncio.ensure_future(bench.tail.wait_beyond(99, 60))
    await asyncio.sleep(0)
    del bench.storage.facts[-1]
    with pytest.raises(ForkedHistory):
        await bench.put(append_to(a_stream(), noted()))
    with pytest.raises(ForkedHistory):
        await waiting
    with pytest.raises(ForkedHistory):
        await bench.put(append_to(a_stream(), noted()))


async def test_a_history_that_was_lost_and_written_again_stops_the_log(bench: Bench) -> None:
    await bench.put(append_to(a_stream(), noted()))
    del bench.storage.facts[-1]
    bench.others_write(a_stream(), a_stream())
    for _ in range(2):
        with pytest.raises(ForkedHistory):
            await bench.put(append_to(a_stream(), noted()))
    with pytest.raises(ForkedHistory):
        await bench.tail.wait_beyond(0, 1)


async def test_a_closing_log_writes_what_is_queued_and_takes_no_more(bench: Bench) -> None:
    queued = [bench.put(append_to(a_stream(), noted())) for _ in range(5)]
    bench.appender.close()
    with pytest.raises(LogUnavailable):
        await bench.put(append_to(a_stream(), noted()))
    assert len(await asyncio.gather(*queued)) == 5


async def test_a_stopped_writer_leaves_nobody_waiting() -> None:
    storage, clock, tasks = FakeStorage(), ManualClock(), Tasks()
    appender = Appender(
        storage=storage, tail=Tail(storage.head), codec=CODEC, clock=clock, random=HalfRandom(), tasks=tasks
    )

    async def never(_: Batch) -> Written | None:
        await asyncio.Event().wait()
        return None

    storage.plan = [never]
    running = tasks.start(appender.run(), name="appender", joined=True)
    bench = Bench(storage, clock, Tail(storage.head), appender)
    sent = bench.put(append_to(a_stream(), noted()))
    while not storage.writes:
        await asyncio.sleep(0)
    queued = bench.put(append_to(a_stream(), noted()))
    running.cancel()
    with pytest.raises(OutcomeUnknown):
        await sent
    with pytest.raises(LogUnavailable):
        await queued
