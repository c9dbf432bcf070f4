"""What every log does, shown on each: in memory, on Postgres, and on Postgres without LISTEN and COPY."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from eventjobs.clock import SystemClock
from eventjobs.errors import Invalid, NotFound, Overtaken, UnknownEvent, VersionConflict
from eventjobs.events.recorded import Provenance
from eventjobs.log.chain import before_at, instant, leaf_of, link
from eventjobs.log.memory import MemoryEventLog
from eventjobs.log.port import Append, EventLog, Filter
from tests.log.facts import CODEC, ME, Noted, Struck, a_key, a_receipt, a_stream, append_to, noted
from tests.log.logs import postgres_log


@pytest.fixture(params=["memory", "postgres", "postgres_plain", "postgres_forgetful"])
async def log(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[EventLog]:
    if request.param == "memory":
        yield MemoryEventLog(CODEC, SystemClock())
        return
    plain = request.param == "postgres_plain"
    generation = 2 if request.param == "postgres_forgetful" else 1_000
    async with postgres_log(database_url, listen=not plain, copy=not plain, generation=generation) as opened:
        yield opened


async def test_an_append_gets_the_next_positions_and_versions(log: EventLog) -> None:
    stream, head = a_stream(), await log.head()
    appended = await log.append(append_to(stream, noted("one"), noted("two")))
    assert (appended.first, appended.last) == (head.position + 1, head.position + 2)
    assert [(fact.position, fact.stream_version) for fact in appended.recorded] == [
        (head.position + 1, 1),
        (head.position + 2, 2),
    ]
    assert await log.head() == log.known_head
    assert log.known_head.position == appended.last


async def test_what_was_appended_is_read_as_it_was_written(log: EventLog) -> None:
    stream = a_stream()
    by = Provenance(actor="key:né", command_id="c-1", causation="41", correlation="request-7")
    event = noted("äöü \U0001f600 \\u0000 / \u2028", a=[1, 1.5, 1e100, None, True], b={"c": "\x7f\t\n"})
    appended = await log.append(append_to(stream, event, by=by))
    (read,) = (await log.read_streams([(stream, 0)]))[stream]
    (written,) = appended.recorded
    for fact in (read, written):
        assert fact.data == CODEC.encode(event)
        assert fact.event == event
        assert (fact.stream, fact.type, fact.schema) == (stream, "note.noted", 1)
        assert (fact.actor, fact.command_id, fact.causation, fact.correlation) == ("key:né", "c-1", "41", "request-7")
        assert (fact.at, fact.leaf, fact.chain) == (appended.at, written.leaf, written.chain)
        assert fact.at.utcoffset() == timedelta(0)


async def test_leaf_and_chain_follow_from_what_is_stored(log: EventLog) -> None:
    before = await log.head()
    await log.append(append_to(a_stream(), noted(), Struck()))
    chain = before.chain
    for fact in await log.read(before.position, 10):
        canonical = before_at(
            workspace=fact.workspace,
            stream=fact.stream.name,
            stream_version=fact.stream_version,
            type=fact.type,
            schema=fact.schema,
            actor=fact.actor,
            command_id=fact.command_id,
            causation=fact.causation,
            correlation=fact.correlation,
            data=fact.data.decode(),
        )
        assert fact.leaf == leaf_of(canonical, instant(fact.at).encode())
        chain = link(chain, fact.position, fact.leaf)
        assert fact.chain == chain


async def test_of_two_writers_the_second_loses_and_writes_nothing(log: EventLog) -> None:
    stream = a_stream()
    await log.append(append_to(stream, noted()))
    head = await log.head()
    with pytest.raises(VersionConflict) as conflict:
        await log.append(append_to(stream, Struck()))
    assert (conflict.value.stream, conflict.value.expected, conflict.value.actual) == (stream, 0, 1)
    assert await log.head() == head


async def test_an_expected_version_above_the_real_one_is_a_conflict_too(log: EventLog) -> None:
    with pytest.raises(VersionConflict):
        await log.append(append_to(a_stream(), noted(), at=3))


async def test_only_the_conflicting_append_of_many_at_once_is_refused(log: EventLog) -> None:
    taken, streams = a_stream(), [a_stream() for _ in range(20)]
    await log.append(append_to(taken, noted()))
    results = await asyncio.gather(
        *(log.append(append_to(stream, noted())) for stream in [*streams[:10], taken, *streams[10:]]),
        return_exceptions=True,
    )
    assert isinstance(results.pop(10), VersionConflict)
    assert not any(isinstance(result, BaseException) for result in results)
    positions = [result.first for result in results if not isinstance(result, BaseException)]
    assert positions == list(range(positions[0], positions[0] + 20))


async def test_of_many_who_want_the_same_version_one_gets_it(log: EventLog) -> None:
    stream = a_stream()
    results = await asyncio.gather(
        *(log.append(append_to(stream, noted(str(number)))) for number in range(30)), return_exceptions=True
    )
    assert sum(isinstance(result, VersionConflict) for result in results) == 29
    assert len((await log.read_streams([(stream, 0)]))[stream]) == 1


async def test_several_streams_are_written_all_or_none(log: EventLog) -> None:
    one, two = a_stream(), a_stream("globex")
    both = Append(
        events=[(one, noted("a")), (two, noted("b")), (one, noted("c"))],
        expected={one: 0, two: 0},
        provenance=ME,
    )
    appended = await log.append(both)
    assert [(fact.stream, fact.stream_version) for fact in appended.recorded] == [(one, 1), (two, 1), (one, 2)]
    head = await log.head()
    with pytest.raises(VersionConflict):
        await log.append(Append(events=both.events, expected={one: 2, two: 0}, provenance=ME))
    assert await log.head() == head


async def test_a_guard_on_a_stream_that_is_not_written_to_holds(log: EventLog) -> None:
    guard, stream = a_stream(), a_stream()
    await log.append(append_to(guard, noted()))
    await log.append(append_to(stream, noted(), guards={guard: 1}))
    with pytest.raises(VersionConflict):
        await log.append(append_to(stream, noted(), at=1, guards={guard: 0}))
    with pytest.raises(VersionConflict):
        await log.append(append_to(stream, noted(), at=1, guards={a_stream(): 1}))


async def test_two_appends_that_guard_each_other_cannot_both_be_written(log: EventLog) -> None:
    one, two = a_stream(), a_stream()
    results = await asyncio.gather(
        log.append(append_to(one, noted(), guards={two: 0})),
        log.append(append_to(two, noted(), guards={one: 0})),
        return_exceptions=True,
    )
    assert sum(isinstance(result, VersionConflict) for result in results) == 1


async def test_events_without_an_expected_version_are_a_mistake_of_the_caller(log: EventLog) -> None:
    with pytest.raises(LookupError):
        await log.append(Append(events=[(a_stream(), noted())], expected={}, provenance=ME))


async def test_a_read_position_spares_no_conflict(log: EventLog) -> None:
    stream = a_stream()
    read_at = (await log.head()).position
    await log.append(append_to(stream, noted(), read_at=read_at))
    with pytest.raises(VersionConflict):
        await log.append(append_to(stream, noted(), read_at=read_at))
    for _ in range(5):  # fills what a forgetful appender remembers
        await log.append(append_to(a_stream(), noted(), read_at=read_at))
    with pytest.raises(VersionConflict):
        await log.append(append_to(stream, noted(), read_at=read_at))
    await log.append(append_to(stream, noted(), at=1, read_at=(await log.head()).position))


async def test_one_key_twice_in_an_append_is_refused_and_keeps_nobody_waiting(log: EventLog) -> None:
    stream, receipt = a_stream(), a_receipt()
    with pytest.raises(Invalid, match="one key"):
        await log.append(replace(append_to(stream, noted()), receipts=(receipt, receipt)))
    assert (await log.append(append_to(stream, noted(), receipt=receipt))).replayed is None


async def test_a_used_key_answers_with_its_receipt_and_writes_nothing(log: EventLog) -> None:
    stream, receipt = a_stream(), a_receipt()
    first = await log.append(append_to(stream, noted(), noted(), receipt=receipt))
    head = await log.head()
    again = await log.append(append_to(stream, noted(), noted(), receipt=receipt))
    assert again.replayed is not None
    assert (again.replayed.first, again.replayed.last) == (again.first, again.last) == (first.first, first.last)
    assert (again.replayed.key, again.replayed.status, again.replayed.answer) == (receipt.key, 201, receipt.answer)
    assert list(again.recorded) == []
    assert await log.head() == head
    assert await log.find_receipt(receipt.key) == again.replayed


async def test_another_body_under_the_key_is_the_callers_business(log: EventLog) -> None:
    key = a_key()
    await log.append(append_to(a_stream(), noted(), receipt=a_receipt(key, body_hash=b"a" * 32)))
    again = await log.append(append_to(a_stream(), noted(), receipt=a_receipt(key, body_hash=b"b" * 32)))
    assert again.replayed is not None
    assert again.replayed.body_hash == b"a" * 32


async def test_a_decision_that_holds_no_longer_is_not_written(log: EventLog) -> None:
    stream, receipt, head = a_stream(), a_receipt(), await log.head()
    decided = append_to(stream, noted(), receipt=receipt)
    with pytest.raises(Overtaken) as overtaken:
        await log.append(replace(decided, before=head.at))
    assert overtaken.value.now >= head.at
    assert await log.head() == head
    for _ in range(2):
        appended = await log.append(replace(decided, before=head.at + timedelta(hours=1)))
    assert appended.replayed is not None
    assert (await log.append(replace(decided, before=head.at))).replayed == appended.replayed  # its key was used


async def test_a_refused_append_leaves_no_receipt(log: EventLog) -> None:
    stream, receipt = a_stream(), a_receipt()
    with pytest.raises(VersionConflict):
        await log.append(append_to(stream, noted(), at=7, receipt=receipt))
    assert await log.find_receipt(receipt.key) is None
    assert (await log.append(append_to(stream, noted(), receipt=receipt))).replayed is None


async def test_of_two_with_one_key_at_the_same_time_one_writes_and_one_replays(log: EventLog) -> None:
    streams, receipt = (a_stream(), a_stream()), a_receipt()
    results = await asyncio.gather(*(log.append(append_to(stream, noted(), receipt=receipt)) for stream in streams))
    assert sorted(result.replayed is None for result in results) == [False, True]
    facts = await log.read_streams([(stream, 0) for stream in streams])
    assert sorted(len(found) for found in facts.values()) == [0, 1]


async def test_an_append_without_events_leaves_its_receipt(log: EventLog) -> None:
    stream, receipt = a_stream(), a_receipt()
    await log.append(append_to(stream, noted()))
    head = await log.head()
    appended = await log.append(append_to(stream, at=1, receipt=receipt))
    assert (appended.first, appended.last) == (head.position + 1, head.position)
    assert await log.head() == head
    stored = await log.find_receipt(receipt.key)
    assert stored is not None
    assert (stored.first, stored.last) == (appended.first, appended.last)
    again = await log.append(append_to(stream, at=1, receipt=receipt))
    assert again.replayed == stored
    with pytest.raises(VersionConflict):
        await log.append(append_to(stream, receipt=a_receipt()))


async def test_an_append_with_nothing_in_it_only_compares(log: EventLog) -> None:
    stream, head = a_stream(), await log.head()
    appended = await log.append(append_to(stream))
    assert (appended.first, appended.last) == (head.position + 1, head.position)
    with pytest.raises(VersionConflict):
        await log.append(append_to(stream, at=1))


async def test_a_key_that_nobody_used_has_no_receipt(log: EventLog) -> None:
    assert await log.find_receipt(a_key()) is None


async def test_many_writers_leave_no_gap_and_times_that_never_fall(log: EventLog) -> None:
    begin = (await log.head()).position

    async def write(count: int) -> None:
        stream = a_stream()
        for version in range(count):
            await log.append(append_to(stream, noted(str(version)), at=version))

    await asyncio.gather(*(write(5) for _ in range(30)))
    facts = await log.read(begin, 1_000)
    assert [fact.position for fact in facts] == list(range(begin + 1, begin + 151))
    times = [fact.at for fact in facts]
    assert times == sorted(times)
    assert (await log.head()).at == times[-1]


async def test_a_large_append_is_written_whole(log: EventLog) -> None:
    stream, receipt = a_stream(), a_receipt()
    events = [noted(f"number {number} ü", n=number) for number in range(2_500)]
    appended = await log.append(append_to(stream, *events, receipt=receipt))
    assert appended.last - appended.first == 2_499
    facts = (await log.read_streams([(stream, 0)]))[stream]
    assert [fact.data for fact in facts] == [CODEC.encode(event) for event in events]
    assert [fact.chain for fact in facts] == [fact.chain for fact in appended.recorded]
    again = await log.append(append_to(stream, *events, receipt=receipt))
    assert again.replayed is not None
    with pytest.raises(VersionConflict):
        await log.append(append_to(stream, *events))


async def test_one_event_may_be_larger_than_a_batch(log: EventLog) -> None:
    stream, others = a_stream(), [a_stream() for _ in range(3)]
    text = "ü" * 1_500_000
    await asyncio.gather(
        *(log.append(append_to(other, noted())) for other in others), log.append(append_to(stream, noted(text)))
    )
    ((fact,),) = (await log.read_streams([(stream, 0)])).values()
    assert fact.event == noted(text)


async def test_cancelling_the_caller_does_not_cancel_the_write(log: EventLog) -> None:
    streams = [a_stream() for _ in range(20)]
    callers = [asyncio.ensure_future(log.append(append_to(stream, noted()))) for stream in streams]
    await asyncio.sleep(0)
    for caller in callers:
        caller.cancel()
    ended = await asyncio.gather(*callers, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended)
    await log.append(append_to(a_stream(), noted()))  # queued behind them
    facts = await log.read_streams([(stream, 0) for stream in streams])
    assert [len(found) for found in facts.values()] == [1] * 20


async def test_streams_are_read_after_a_version(log: EventLog) -> None:
    one, two, none = a_stream(), a_stream("globex"), a_stream()
    await log.append(append_to(one, *(noted(str(number)) for number in range(5))))
    await log.append(append_to(two, noted("x")))
    facts = await log.read_streams([(one, 3), (two, 0), (none, 0)])
    assert {stream: [fact.stream_version for fact in found] for stream, found in facts.items()} == {
        one: [4, 5],
        two: [1],
        none: [],
    }


async def test_streams_of_the_same_name_in_two_workspaces_are_two(log: EventLog) -> None:
    one = a_stream()
    two = one._replace(workspace="globex")
    await log.append(append_to(one, noted("a")))
    await log.append(append_to(two, noted("b")))
    facts = await log.read_streams([(one, 0), (two, 0)])
    assert [[fact.event.text for fact in found] for found in facts.values()] == [["a"], ["b"]]


async def test_reading_keeps_to_its_bounds(log: EventLog) -> None:
    appended = await log.append(append_to(a_stream(), *(noted(str(number)) for number in range(6))))
    first = appended.first
    assert [fact.position for fact in await log.read(first, 3)] == [first + 1, first + 2, first + 3]
    assert [fact.position for fact in await log.read(first - 1, 99, before=first + 2)] == [first, first + 1]
    assert list(await log.read(appended.last, 10)) == []
    assert list(await log.read(first, 10, before=first + 1)) == []
    assert list(await log.read(first + 5, 10, before=first)) == []
    assert [fact.position for fact in await log.read(0, 2)] == [1, 2]


@pytest.mark.parametrize("from_start", [True, False])
async def test_a_reader_gets_what_its_filter_names(log: EventLog, from_start: bool) -> None:
    workspace = f"w{(await log.head()).position}"
    here, there, elsewhere = a_stream(workspace), a_stream(workspace), a_stream("globex")
    before = (await log.head()).position
    you = Provenance(actor=f"key:{workspace}", command_id="c-2")
    await log.append(append_to(here, noted("1"), Struck()))
    await log.append(append_to(elsewhere, noted("2"), by=you))
    await log.append(append_to(there, noted("3"), by=you))
    after = 0 if from_start else before

    async def positions(**wanted: object) -> list[int]:
        facts = await log.read(after, 1_000, matching=Filter(**wanted))  # type: ignore[arg-type]
        return [fact.position - before for fact in facts if fact.position > before]

    assert await positions(workspace=workspace) == [1, 2, 4]
    assert await positions(workspace=workspace, stream=here.name) == [1, 2]
    assert await positions(stream=elsewhere.name) == [3]
    assert await positions(workspace=workspace, types=["note.struck", "nothing"]) == [2]
    assert await positions(types=[]) == []
    assert await positions(actor=you.actor) == [3, 4]
    assert await positions(workspace=workspace, actor=you.actor, types=["note.noted"]) == [4]
    assert await positions(workspace=workspace, stream=here.name, types=["note.noted"], actor=you.actor) == []
    limited = await log.read(after, 2, matching=Filter(workspace=workspace))
    assert [fact.position - before for fact in limited] == [1, 2]


async def test_positions_and_instants_are_found_from_each_other(log: EventLog) -> None:
    appended = await log.append(append_to(a_stream(), *(noted() for _ in range(3))))
    at = await log.at_of(appended.first)
    assert at == appended.at
    assert await log.position_at(at) == appended.last
    assert await log.position_at(at - timedelta(microseconds=1)) < appended.first
    assert await log.position_at(datetime(2200, 1, 1, tzinfo=UTC)) == (await log.head()).position
    assert await log.position_at(datetime(1999, 1, 1, tzinfo=UTC)) == 0
    assert await log.at_of(1) <= at
    with pytest.raises(NotFound):
        await log.at_of(appended.last + 1)
    with pytest.raises(NotFound):
        await log.at_of(0)


async def test_who_waits_is_woken_by_the_next_append(log: EventLog) -> None:
    position = log.known_head.position
    waiting = [asyncio.ensure_future(log.wait_beyond(position, 30)) for _ in range(3)]
    await asyncio.sleep(0)
    appended = await log.append(append_to(a_stream(), noted()))
    assert await asyncio.gather(*waiting) == [appended.last] * 3
    assert await log.wait_beyond(position, 30) == appended.last


async def test_who_waits_in_vain_gets_the_head_after_its_time(log: EventLog) -> None:
    position = log.known_head.position
    assert await log.wait_beyond(position, 0.01) == position


async def test_the_first_position_says_which_log_it_is(log: EventLog) -> None:
    (first,) = await log.read(0, 1)
    assert (first.position, first.type, first.workspace, first.stream.name) == (1, "log.created", "*", "log:log")
    assert first.event.log_id


@pytest.mark.parametrize(
    "event", [noted("\0"), noted("\ud800"), noted("x", n=float("nan")), noted("x", n=2**64), noted("x", n={1: 2})]
)
async def test_what_json_cannot_carry_is_refused_and_harms_no_other_append(log: EventLog, event: Noted) -> None:
    good, bad = await asyncio.gather(
        log.append(append_to(a_stream(), noted())), log.append(append_to(a_stream(), event)), return_exceptions=True
    )
    assert isinstance(bad, Invalid)
    assert not isinstance(good, BaseException)


@pytest.mark.parametrize("odd", ["a\nb", "a\0b", "a\ud800b"])
async def test_names_that_would_break_the_canonical_form_are_refused(log: EventLog, odd: str) -> None:
    stream = a_stream()
    for append in (
        append_to(stream._replace(name=odd), noted()),
        append_to(stream, noted(), by=Provenance(actor=odd, command_id="c")),
        append_to(stream, noted(), by=Provenance(actor="a", command_id="c", causation=odd)),
        append_to(stream, noted(), receipt=a_receipt(odd)),
    ):
        with pytest.raises(Invalid):
            await log.append(append)


async def test_a_fact_that_is_not_registered_is_not_written(log: EventLog) -> None:
    class Stranger:
        TYPE = "note.stranger"
        SCHEMA = 1

    with pytest.raises(UnknownEvent):
        await log.append(append_to(a_stream(), Stranger()))


async def test_the_last_facts_of_some_types_are_read_back(log: EventLog) -> None:
    stream, other = a_stream(), a_stream()
    for place in range(6):
        await log.append(append_to(stream, noted(str(place)), at=place))
        await log.append(append_to(other, noted("other"), at=place))
    whole = await log.read(0, 100, matching=Filter(workspace=stream.workspace, stream=stream.name))
    types = ("something.else", whole[0].type)
    back = await log.read_back(whole[5].position, 3, stream=stream, types=types)
    assert [fact.position for fact in back] == [fact.position for fact in whole[4:1:-1]]
    assert back[0].event == whole[4].event
    assert await log.read_back(whole[0].position, 3, stream=stream, types=types) == []
    assert await log.read_back(whole[5].position, 3, stream=stream, types=("something.else",)) == []


async def test_each_fact_of_an_append_may_have_a_cause_of_its_own(log: EventLog) -> None:
    stream, other = a_stream(), a_stream()
    causes = [replace(ME, command_id=f"command-{place}", causation=str(place)) for place in range(2)]
    both = replace(append_to(stream, noted("1")), events=[(stream, noted("1")), (other, noted("2"))])
    both = replace(both, expected={stream: 0, other: 0}, provenances=causes)
    appended = await log.append(both)
    read = await log.read(appended.first - 1, 2)
    assert [fact.command_id for fact in read] == ["command-0", "command-1"]
    assert [fact.causation for fact in read] == ["0", "1"]
    for fact in read:
        before = before_at(
            workspace=fact.workspace,
            stream=fact.stream.name,
            stream_version=fact.stream_version,
            type=fact.type,
            schema=fact.schema,
            actor=fact.actor,
            command_id=fact.command_id,
            causation=fact.causation,
            correlation=fact.correlation,
            data=fact.data.decode(),
        )
        assert fact.leaf == leaf_of(before, instant(fact.at).encode())
    with pytest.raises(ValueError, match="one provenance for each"):
        await log.append(replace(both, expected={stream: 1, other: 1}, provenances=causes[:1]))
