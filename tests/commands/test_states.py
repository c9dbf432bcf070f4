"""Folded states are kept, and are never wrong, whatever is forgotten or written meanwhile."""

import asyncio

from eventjobs.commands import add_service, create_workspace
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.snapshots import EVERY, decode, encode
from eventjobs.commands.states import States
from eventjobs.domain.streams import service_stream
from eventjobs.events.recorded import Provenance, StreamId
from eventjobs.events.service import AttemptPolicy, ServiceAdded, ServiceAttached
from eventjobs.log.memory import MemoryEventLog
from eventjobs.log.port import Append
from tests.support.bodies import advance, row, run_now, schedule, service, workspace
from tests.support.logs import SlowReads, memory_log
from tests.support.story import Story
from tests.support.time import FrozenClock

LOAD, CLEAN = service_stream("acme", "load"), service_stream("acme", "clean")
ADDED = ServiceAdded(name="x", handler="noop", config={}, policy=AttemptPolicy(delivery="at_least_once"))


async def write(log: MemoryEventLog, stream: StreamId, version: int, *events: object) -> None:
    by = Provenance(actor="system", command_id="c")
    await log.append(Append(events=[(stream, event) for event in events], expected={stream: version}, provenance=by))


async def test_a_state_is_read_once_and_brought_up_to_date_on_request() -> None:
    log = memory_log(FrozenClock())
    await write(log, LOAD, 0, ADDED)
    states = States(log)
    assert (await states.load([LOAD]))[LOAD].version == 1

    await write(log, LOAD, 1, ServiceAttached(schedule="a"))
    assert (await states.load([LOAD]))[LOAD].version == 1
    assert await states.refresh([LOAD]) is True
    assert await states.refresh([LOAD]) is False
    assert (await states.load([LOAD]))[LOAD].state.users == {"a"}


async def test_a_state_that_is_forgotten_while_it_is_brought_up_to_date_is_not_folded_from_the_middle() -> None:
    log = SlowReads(FrozenClock())
    await write(log, LOAD, 0, ADDED)
    await write(log, CLEAN, 0, ADDED)
    states = States(log, capacity=1)
    await states.load([LOAD])
    await write(log, LOAD, 1, ServiceAttached(schedule="a"))

    log.slow = True
    refreshing = asyncio.create_task(states.refresh([LOAD]))
    await log.reading.wait()
    await states.load([CLEAN])  # there is room for one
    log.go_on.set()
    await refreshing

    loaded = (await states.load([LOAD]))[LOAD]
    assert (loaded.version, loaded.state.exists, loaded.state.users) == (2, True, {"a"})


async def test_more_streams_than_there_is_room_for_are_loaded_nevertheless() -> None:
    log = memory_log(FrozenClock())
    await write(log, LOAD, 0, ADDED)
    found = await States(log, capacity=1).load([CLEAN, LOAD])
    assert (found[LOAD].version, found[CLEAN].version) == (1, 0)


async def test_a_newer_state_is_not_replaced_by_an_older_reading() -> None:
    log = SlowReads(FrozenClock())
    await write(log, LOAD, 0, ADDED)
    states = States(log)
    log.slow = True
    loading = asyncio.create_task(states.load([LOAD]))
    await log.reading.wait()
    await write(log, LOAD, 1, ServiceAttached(schedule="a"))
    await states.refresh([LOAD])
    log.go_on.set()
    await loading
    assert (await states.load([LOAD]))[LOAD].version == 2


class KeptSnapshots:
    """Snapshots in memory."""

    def __init__(self) -> None:
        self.kept: dict[StreamId, tuple[int, bytes]] = {}

    async def find(self, streams: list[StreamId]) -> dict[StreamId, tuple[int, bytes]]:
        return {stream: self.kept[stream] for stream in streams if stream in self.kept}

    async def save(self, stream: StreamId, version: int, state: bytes) -> None:
        self.kept[stream] = (version, state)


async def test_a_stream_that_grew_is_loaded_from_its_snapshot() -> None:
    log, snapshots = memory_log(FrozenClock()), KeptSnapshots()
    await write(log, LOAD, 0, ADDED, *(ServiceAttached(schedule=f"s{n}") for n in range(EVERY)))
    first = States(log, snapshots)
    whole = (await first.load([LOAD]))[LOAD]
    await first.save_snapshots()
    await write(log, LOAD, whole.version, ServiceAttached(schedule="later"))

    assert snapshots.kept[LOAD][0] == EVERY + 1
    loaded = (await States(log, snapshots).load([LOAD]))[LOAD]
    assert loaded.version == EVERY + 2
    assert loaded.state.users == whole.state.users | {"later"}


def test_a_state_survives_its_snapshot() -> None:
    story = Story().given(
        workspace(),
        service(attempts=3, config={"a": [1, {"b": None}]}),
        service("clean"),
        schedule(jobs=[row(), row("clean", timeout="PT1M")]),
        run_now(id="one"),
        advance("one"),
    )
    assert decode("schedule", encode(story.schedule())) == story.schedule()
    assert decode("service", encode(story.service())) == story.service()


async def test_what_was_appended_is_known_without_reading() -> None:
    clock = FrozenClock()
    dispatcher = Dispatcher(memory_log(clock))
    context = Story().context
    await dispatcher.dispatch(create_workspace.SPEC, workspace(), context)
    await dispatcher.dispatch(add_service.SPEC, service(), context)
    assert dispatcher.states._kept[LOAD].version == 1
