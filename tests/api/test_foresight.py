"""What a dry run says that a change will meet."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig, schedule, with_workspace

DRY = "?dry_run=true"
BERLIN = {"start_date": "2100-03-01", "start_time": "02:30", "time_zone": "Europe/Berlin", "every": 1, "unit": "day"}
TOKYO = {**BERLIN, "time_zone": "Asia/Tokyo"}
OTHER = [{"job": {"kind": "service", "id": "other"}}]


@pytest.fixture(scope="module")
async def pg(database_url: str) -> AsyncIterator[Rig]:
    """A server on Postgres with the schedule `nightly`, which runs `load` at 02:30 in Tokyo."""
    async with on_postgres(database_url) as rig:
        await with_workspace(rig)
        await rig.command("AddService", {"id": "other", "handler": "noop"})
        made = await rig.command("CreateSchedule", schedule(cadence=TOKYO))
        assert made.status == 201, made.body
        yield rig


async def warnings(rig: Rig, name: str, body: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    position = rig.log.known_head.position
    await rig.get(f"/v1/acme/schedules?wait_for={position}")
    answered = await rig.command(name, body, query=DRY)
    assert answered.status == 200, answered.body
    assert rig.log.known_head.position == position
    return {warning["code"]: warning for warning in answered.json["warnings"]}


async def test_a_schedule_that_moves_with_daylight_saving_says_on_which_days(pg: Rig) -> None:
    elapsed = await warnings(pg, "CreateSchedule", schedule("moves", cadence=BERLIN, jobs=OTHER))
    by_wall = await warnings(
        pg,
        "CreateSchedule",
        schedule("stays", cadence=BERLIN, jobs=OTHER, policies={"timing": "wall_clock", "gap": "skip"}),
    )

    assert elapsed["moves_with_daylight_saving"] == {
        "code": "moves_with_daylight_saving",
        "detail": "in Europe/Berlin: 2100-03-28: 02:30 becomes 03:30; 2100-10-31: 03:30 becomes 02:30",
        "path": "cadence",
    }
    assert by_wall["moves_with_daylight_saving"]["detail"] == (
        "in Europe/Berlin: 2100-03-28: 02:30 does not exist, no occurrence; "
        "2100-10-31: 02:30 comes twice, the first counts"
    )


async def test_one_that_shares_a_job_at_the_same_minute_collides_by_name(pg: Rig) -> None:
    found = await warnings(pg, "CreateSchedule", schedule("second", cadence=TOKYO))
    elsewhere = await warnings(pg, "CreateSchedule", schedule("third", cadence=TOKYO, jobs=OTHER))
    later = await warnings(pg, "CreateSchedule", schedule("fourth", cadence={**TOKYO, "start_time": "02:31"}))

    assert found["collides"] == {
        "code": "collides",
        "detail": "schedule nightly runs load as well, at 2100-02-28T17:30:00Z: who comes second waits for its turn",
        "path": "jobs",
    }
    assert (list(elsewhere), list(later)) == ([], [])


async def test_what_was_learned_of_a_runs_length_makes_it_meet_more(pg: Rig) -> None:
    await pg.command("RunNow", {"owner": {"kind": "schedule", "id": "nightly"}, "id": "long"})
    shown = (await pg.get(f"/v1/acme/runs/long?wait_for={pg.log.known_head.position}")).json
    began = datetime.fromisoformat(shown["opened_at"])
    await pg.deps.views._pool.execute(  # type: ignore[attr-defined]
        "UPDATE view_run_status_1 SET state = 'succeeded', started_at = $1, ended_at = $2 WHERE id = 'long'",
        began,
        began + timedelta(minutes=45),
    )

    found = await warnings(pg, "CreateSchedule", schedule("fifth", cadence={**TOKYO, "start_time": "03:14"}))
    clear = await warnings(pg, "CreateSchedule", schedule("sixth", cadence={**TOKYO, "start_time": "03:15"}))

    assert "2100-02-28T17:30:00Z" in found["collides"]["detail"]
    assert "collides" not in clear


async def test_a_change_that_moves_nothing_is_not_warned_of(pg: Rig) -> None:
    assert await warnings(pg, "DescribeSchedule", {"id": "nightly", "description": "Each night"}) == {}
    assert await warnings(pg, "PauseOwner", {"owner": {"kind": "schedule", "id": "nightly"}}) == {}
    edited = await warnings(pg, "EditCadence", {"id": "nightly", "cadence": BERLIN})
    assert list(edited) == ["moves_with_daylight_saving"]


async def test_a_busy_minute_is_told_and_stands_in_the_grid(pg: Rig) -> None:
    soon = pg.deps.clock.now() + timedelta(hours=3)
    cadence = {**TOKYO, "time_zone": "UTC", "start_date": f"{soon:%Y-%m-%d}", "start_time": f"{soon:%H:%M}"}
    await pg.post("/v1/workspaces", {"id": "busy"})
    many = [{"command": "AddService", "data": {"id": f"job-{n}", "handler": "noop"}} for n in range(21)]
    many += [{"command": "CreateSchedule", "data": schedule(f"s-{n}", cadence=cadence, jobs=job(n))} for n in range(20)]
    answered = await pg.post("/v1/busy/commands", many)
    assert {result["status"] for result in answered.json} == {201}, answered.json
    load = (await pg.get(f"/v1/busy/load?wait_for={pg.log.known_head.position}")).json

    dry = await pg.command(
        "CreateSchedule", schedule("one-more", cadence=cadence, jobs=job(20)), workspace="busy", query=DRY
    )

    assert [len(hour) for hour in load["grid"]] == [60] * 24
    assert load["grid"][soon.hour][soon.minute] == sum(map(sum, load["grid"])) == 20
    assert load["busiest"] == [{"at": f"{soon:%H:%M}", "runs": 20}]
    (warning,) = dry.json["warnings"]
    assert (warning["code"], warning["detail"]) == ("busy_minutes", f"20 other runs are open at {soon:%H:%M} UTC")


async def with_group(rig: Rig, workspace: str, schedule: Mapping[str, Any]) -> None:
    """Make the workspace, and in it the group `lists`, not active, which never expires."""
    await rig.post("/v1/workspaces", {"id": workspace, "time_zone": "UTC"})
    for name in ("contacts", "extension"):
        body = {"id": name, "kind": "import", "handler": "noop", "expires_on": "never"}
        assert (await rig.command("SaveJob", body, workspace=workspace)).status == 201
        assert (await rig.command("ActivateJob", {"id": name}, workspace=workspace)).status == 201
    body = {"id": "lists", "name": "Lists", "jobs": ["contacts", "extension"], "schedule": schedule}
    made = await rig.command("CreateGroup", {**body, "expires_on": "never"}, workspace=workspace)
    assert made.status == 201, made.body


async def test_activating_a_group_meets_what_is_busy_anywhere_in_its_slot(pg: Rig) -> None:
    soon = pg.deps.clock.now() + timedelta(hours=5)
    at = soon.replace(minute=soon.minute - soon.minute % 15)
    cadence = {**TOKYO, "time_zone": "UTC", "start_date": f"{at:%Y-%m-%d}", "start_time": f"{at:%H}:{at.minute + 14}"}
    await with_group(pg, "crowd", {"type": "daily", "at": f"{at:%H:%M}"})
    many = [{"command": "AddService", "data": {"id": f"job-{n}", "handler": "noop"}} for n in range(20)]
    many += [{"command": "CreateSchedule", "data": schedule(f"s-{n}", cadence=cadence, jobs=job(n))} for n in range(20)]
    answered = await pg.post("/v1/crowd/commands", many)
    assert {result["status"] for result in answered.json} == {201}, answered.json
    await pg.get(f"/v1/crowd/schedules?wait_for={pg.log.known_head.position}")

    dry = await pg.command("ActivateGroup", {"id": "lists"}, workspace="crowd", query=DRY)
    assert dry.json["warnings"] == [
        {
            "code": "busy_minutes",
            "detail": f"20 other runs are open at {at:%H}:{at.minute + 14} UTC",
            "path": "schedule",
        }
    ]


async def test_a_group_counts_in_the_grid_at_its_drawn_minute_for_as_long_as_it_took(pg: Rig) -> None:
    far = ("30-44", "45-59", "00-14", "15-29")[pg.deps.clock.now().minute // 15]
    await with_group(pg, "slots", {"type": "hourly", "every": 1, "slot": far})
    await pg.command("ActivateGroup", {"id": "lists"}, workspace="slots")
    alone = {"id": "alone", "kind": "import", "handler": "noop", "expires_on": "never"}
    elsewhere = "03:10" if far == "30-44" else "03:40"  # in one slot both may draw the same minute
    await pg.command("SaveJob", {**alone, "schedule": {"type": "daily", "at": elsewhere}}, workspace="slots")
    await pg.command("ActivateJob", {"id": "alone"}, workspace="slots")
    group, own = [await shown(pg, path) for path in ("groups/lists", "jobs/alone")]
    minutes = (group["schedule"]["minute"], own["schedule"]["minute"])

    grid = (await shown(pg, "load"))["grid"]
    assert [hour[minutes[0]] for hour in grid] == [1] * 24
    assert grid[3][minutes[1]] == 1
    assert sum(map(sum, grid)) == 25

    run_now = {"owner": {"kind": "group", "id": "lists"}, "id": "took-three"}
    await pg.command("RunNow", run_now, workspace="slots")
    began = datetime.fromisoformat((await shown(pg, "runs/took-three"))["opened_at"])
    await pg.deps.views._pool.execute(  # type: ignore[attr-defined]
        "UPDATE view_run_status_1 SET state = 'succeeded', started_at = $1, ended_at = $2 WHERE id = 'took-three'",
        began,
        began + timedelta(minutes=3),
    )
    assert sum(map(sum, (await shown(pg, "load"))["grid"])) == 24 * 3 + 1


async def test_a_group_whose_slot_is_left_out_or_comes_twice_says_on_which_days(pg: Rig) -> None:
    await with_group(pg, "spring", {"type": "daily", "at": "02:37", "time_zone": "Europe/Berlin"})
    dry = await pg.command("ActivateGroup", {"id": "lists"}, workspace="spring", query=DRY)
    (warning,) = dry.json["warnings"]
    assert (warning["code"], warning["path"]) == ("moves_with_daylight_saving", "schedule")
    assert "02:30 does not exist, 03:30" in warning["detail"]
    assert "02:30 comes twice, the first counts" in warning["detail"]


async def shown(rig: Rig, path: str) -> Any:
    return (await rig.get(f"/v1/slots/{path}?wait_for={rig.log.known_head.position}")).json


async def test_views_that_are_away_cost_the_warnings_and_not_the_preview(rig: Rig) -> None:
    document = (await rig.command("CreateSchedule", schedule("nightly", cadence=BERLIN), query=DRY)).json

    assert [warning["code"] for warning in document["warnings"]] == ["moves_with_daylight_saving"]
    assert len(document["next"]["schedule/nightly"]) == 10


def job(number: int) -> list[dict[str, Any]]:
    return [{"job": {"kind": "service", "id": f"job-{number}"}}]
