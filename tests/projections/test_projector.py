"""How the projector shares its work, stops where it must, and tells where it is."""

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from eventjobs.domain.streams import connect_stream, workspace_stream
from eventjobs.events.job import JobUngrouped
from eventjobs.events.workspace import WorkspaceCreated
from eventjobs.log.memory import MemoryEventLog
from eventjobs.projections import checkpoints, left_groups, workspaces
from eventjobs.projections.registry import PROJECTIONS
from eventjobs.projections.temporal import Projection, Put, Write
from eventjobs.runner.projector import OTHERS_S, Projector
from tests.projections.conftest import Fresh
from tests.support.history import History
from tests.support.views import Writer, append_all, everything, new_log, project_all, projector_on, view_rows
from tests.support.waiting import eventually

SLOW = """
    CREATE FUNCTION public.linger() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END';
    CREATE TRIGGER linger BEFORE INSERT ON public.view_workspaces_1 FOR EACH ROW EXECUTE FUNCTION public.linger()
"""
STATE = "SELECT state, wait_event FROM pg_stat_activity WHERE pid = $1"


def instead_of(name: str, project: Any) -> list[Projection]:
    """Return all projections, one of them with another function."""
    return [
        Projection(name=one.name, version=one.version, tables=one.tables, events=one.events, project=project)
        if one.name == name
        else one
        for one in PROJECTIONS
    ]


async def test_two_projectors_apply_each_fact_once(fresh: Fresh) -> None:
    log, shared, alone = new_log(), await fresh(), await fresh()
    await append_all(log, History(21).appends(40))
    first, second = projector_on(log, shared, batch=10), projector_on(log, shared, batch=7)
    await asyncio.gather(project_all(first), project_all(second))
    await project_all(projector_on(log, alone))
    assert await view_rows(shared) == await view_rows(alone)
    assert first.position() == second.position() == log.known_head.position


async def test_who_did_not_project_last_leaves_it_to_who_did_until_the_views_stand_still(fresh: Fresh) -> None:
    log, pool, seen = new_log(), await fresh(), list[int]()

    def noted(recorded: Any) -> Iterator[Write]:
        seen.append(recorded.position)
        yield from workspaces.project(recorded)

    writer = Writer(log)

    async def made(name: str) -> int:
        return await writer.append([(workspace_stream(name), WorkspaceCreated(time_zone="UTC", kind="automation"))])

    first, second = projector_on(log, pool), projector_on(log, pool, projections=instead_of("workspaces", noted))
    for one in (first, second):
        await project_all(one)
    late = await made("late")
    for one in (first, second):
        await project_all(one)
    assert seen == [late], "it lost the race"

    left = await made("left")
    await asyncio.gather(project_all(second), first.step())
    assert (seen, second.position()) == ([late], left)

    taken = await made("taken")
    await project_all(second)
    assert (seen, second.position()) == ([late, taken], taken)
    assert await pool.fetchval("SELECT count(*) FROM view_workspaces_1") == 3


async def test_who_writes_a_batch_is_left_to_it_however_long_it_takes(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    other = projector_on(log, pool)
    await project_all(other)
    head = await append_all(log, History(25).appends(5))
    other._is_left_to_others = True
    async with pool.acquire() as busy, busy.transaction():
        await checkpoints.lock(busy, PROJECTIONS, held_max_ms=checkpoints.HELD_MAX_MS)
        for _ in range(3):
            assert not await _made_a_batch(other)
    assert await _made_a_batch(other)
    assert other.position() == head


async def _made_a_batch(projector: Projector) -> bool:
    """Take one step; tell whether a batch was made for it."""
    made: list[int] = []
    following = projector._batches.next

    async def noted(*wanted: Any) -> Any:
        made.append(1)
        return await following(*wanted)

    projector._batches.next = noted  # type: ignore[method-assign]
    try:
        await projector.step()
    finally:
        projector._batches.next = following  # type: ignore[method-assign]
    return bool(made)


async def test_those_that_could_take_over_do_so_one_after_the_other(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    every = [projector_on(log, pool, turn=turn) for turn in (2, 0)]
    for one in every:
        await project_all(one)
    await append_all(log, History(26).appends(3))
    waited = []
    for one in every:
        one._is_left_to_others = True
        began = one._clock.monotonic()
        assert not await one._has_moved()
        waited.append(one._clock.monotonic() - began)
    assert waited == [pytest.approx(3 * OTHERS_S, abs=0.1), pytest.approx(OTHERS_S, abs=0.1)]


async def test_who_is_frozen_in_a_batch_keeps_the_views_from_nobody_for_long(fresh: Fresh) -> None:
    """Between the two halves of a statement neither its limit nor that of an idle transaction holds."""
    log, pool = new_log(), await fresh()
    if await pool.fetchval("SELECT current_setting('server_version_num')::integer") < 170_000:
        pytest.skip("servers before 17 have no limit for such a transaction")
    other = projector_on(log, pool)
    await project_all(other)
    head = await append_all(log, History(23).appends(5))

    async def is_there() -> bool:
        await other.step()
        return other.position() == head

    async with pool.acquire() as frozen:
        await frozen.transaction().start()
        assert len(await checkpoints.lock(frozen, PROJECTIONS, held_max_ms=700)) == len(PROJECTIONS)
        await frozen.prepare("SELECT 1 AS half")
        async with pool.acquire() as owner, owner.transaction():
            await owner.execute("SET LOCAL ROLE NONE")
            state = await owner.fetchrow(STATE, frozen.get_server_pid())
        assert tuple(state) == ("active", "ClientRead")
        assert not await is_there()
        await eventually(is_there)
        with pytest.raises(asyncpg.InterfaceError):
            await frozen.fetchval("SELECT 1")


async def test_a_batch_that_takes_too_long_is_written_in_parts(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    slow = projector_on(log, pool, batch=8, held_max_ms=600)
    async with pool.acquire() as owner, owner.transaction():
        await owner.execute("SET LOCAL ROLE NONE")
        await owner.execute(SLOW)
    created = WorkspaceCreated(time_zone="UTC", kind="automation")
    head = await Writer(log).append([(workspace_stream(f"w{number}"), created) for number in range(8)])
    following = asyncio.create_task(slow.run())
    try:
        await eventually(lambda: slow.position() == head, timeout_s=30.0)
    finally:
        following.cancel()
    assert await pool.fetchval("SELECT count(*) FROM view_workspaces_1") == 8
    assert slow.trouble() is None


async def test_what_an_older_program_did_not_know_of_is_built_from_the_whole_log(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    await Writer(log).append([(connect_stream("acme", "contacts"), JobUngrouped(group="lists"))])
    older = [one for one in PROJECTIONS if one is not left_groups.PROJECTION]
    await project_all(projector_on(log, pool, projections=older))
    assert not await pool.fetch("SELECT FROM view_left_groups_1")
    await project_all(projector_on(log, pool))
    assert await pool.fetchval("SELECT left_group FROM view_left_groups_1 WHERE id = 'contacts'") == "lists"


async def test_a_fact_that_cannot_be_projected_stops_that_view_and_no_other(fresh: Fresh) -> None:
    log, pool, whole = new_log(), await fresh(), await fresh()
    await append_all(log, History(22, workspaces=("acme", "other")).appends(10))
    poison = next(fact for fact in await everything(log) if fact.workspace == "other")

    def project(recorded: Any) -> Iterator[Write]:
        if recorded.position == poison.position:
            raise ValueError("cannot be")
        yield from workspaces.project(recorded)

    projector = projector_on(log, pool, projections=instead_of("workspaces", project))
    await project_all(projector)
    await project_all(projector_on(log, whole))
    (stopped,) = [view for view in projector.status() if view.stopped_at is not None]
    assert (stopped.name, stopped.position, stopped.stopped_at) == (
        "workspaces", poison.position - 1, poison.position
    )  # fmt: skip
    assert stopped.reason == f"workspace.created at {poison.position}: ValueError: cannot be"
    assert projector.trouble() == "view_stopped"
    assert projector.position() == log.known_head.position
    assert [row["workspace"] for row in await pool.fetch("SELECT workspace FROM view_workspaces_1")] == ["acme"]
    rows, expected = await view_rows(pool), await view_rows(whole)
    assert {name for name in rows if rows[name] != expected[name]} == {"view_workspaces_1"}


async def test_rows_that_the_database_refuses_stop_their_view_at_the_fact_that_made_them(fresh: Fresh) -> None:
    log, pool, whole = new_log(), await fresh(), await fresh()
    await append_all(log, History(23, workspaces=("acme", "other")).appends(10))
    poison = next(fact for fact in await everything(log) if fact.workspace == "other")

    def project(recorded: Any) -> Iterator[Write]:
        for write in workspaces.project(recorded):
            assert isinstance(write, Put)
            yield write._replace(values={**write.values, "kind": None}) if recorded is poison else write

    projector = projector_on(log, pool, projections=instead_of("workspaces", project))
    await project_all(projector)
    await project_all(projector_on(log, whole))
    (stopped,) = [view for view in projector.status() if view.stopped_at is not None]
    assert (stopped.name, stopped.stopped_at) == ("workspaces", poison.position)
    assert stopped.reason is not None
    assert "NotNullViolationError" in stopped.reason
    rows, expected = await view_rows(pool), await view_rows(whole)
    assert {name for name in rows if rows[name] != expected[name]} == {"view_workspaces_1"}


async def test_a_newer_program_goes_on_where_an_older_one_stopped(fresh: Fresh) -> None:
    log, pool, whole = new_log(), await fresh(), await fresh()
    await append_all(log, History(24).appends(10))

    def refuse(_: Any) -> Iterator[Write]:
        raise LookupError("not known yet")

    old = projector_on(log, pool, projections=instead_of("runs", refuse))
    await project_all(old)
    assert old.trouble() == "view_stopped"
    newer = projector_on(log, pool)
    await project_all(newer)
    await project_all(projector_on(log, whole))
    assert newer.trouble() is None
    assert await view_rows(pool) == await view_rows(whole)


async def test_views_that_are_apart_meet_again(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    await append_all(log, History(25).appends(10))
    await project_all(projector_on(log, pool, projections=[workspaces.PROJECTION]))
    await append_one_more(log)
    projector = projector_on(log, pool, batch=16)
    await project_all(projector)
    assert {view.position for view in projector.status()} == {log.known_head.position}


async def test_another_history_stops_every_view_and_says_so(fresh: Fresh) -> None:
    ours, theirs, pool = new_log(), new_log(), await fresh()
    await append_all(ours, History(26).appends(5))
    await append_all(theirs, History(27).appends(30))
    await project_all(projector_on(ours, pool))
    expected = await view_rows(pool)
    projector = projector_on(theirs, pool)
    await project_all(projector)
    assert all(view.stopped_at is not None for view in projector.status())
    assert "history" in str(projector.status()[0].reason)
    assert await view_rows(pool) == expected


async def test_a_history_that_forks_under_a_running_projector_stops_it(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    await append_all(log, History(28).appends(3))
    projector = projector_on(log, pool)
    await project_all(projector)
    await pool.execute("UPDATE view_checkpoints SET chain = '\\x00'")
    await append_one_more(log)
    await projector._refresh()
    await project_all(projector)
    assert all("another history" in str(view.reason) for view in projector.status())


async def test_who_waits_for_a_position_is_woken_when_the_views_are_there(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    projector = projector_on(log, pool)
    running = asyncio.create_task(projector.run())
    try:
        position = await append_all(log, History(29).appends(3))
        assert await projector.wait_for(position, 10)
        assert projector.position() >= position
        assert await pool.fetchval("SELECT count(*) FROM view_workspaces_1") == 1
        assert not await projector.wait_for(position + 1, 0.05)
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_a_reader_on_another_instance_learns_how_far_the_views_are(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    first, second = projector_on(log, pool), projector_on(log, pool)
    running = [asyncio.create_task(one.run()) for one in (first, second)]
    try:
        position = await append_all(log, History(30).appends(10))
        assert all(await asyncio.gather(first.wait_for(position, 10), second.wait_for(position, 10)))
    finally:
        for task in running:
            task.cancel()
        await asyncio.wait(running)


async def test_a_view_that_failed_half_way_has_nothing_of_the_batch(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    await append_all(log, History(31).appends(5))
    projector = projector_on(log, pool)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE view_attempts_1 IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await projector.step()
        assert await connection.fetchval("SELECT count(*) FROM view_workspaces_1") == 0
    await project_all(projector)
    assert projector.position() == log.known_head.position


async def append_one_more(log: MemoryEventLog) -> None:
    """Append a fact of a workspace that no history has."""
    writer = Writer(log)
    await writer.append([(workspace_stream("later"), WorkspaceCreated(time_zone="UTC", kind="automation"))])
