"""Blackout calendars over HTTP: their content at any moment, and what they show of what comes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig, schedule, with_workspace
from tests.api.test_views import read

FREEZE = {"start": "2100-12-02T00:00", "end": "2100-12-03T00:00", "note": "freeze"}


def calendar(**entries: Any) -> dict[str, Any]:
    return {"id": "nights", "name": "Nights", "time_zone": "UTC", **entries}


@pytest.fixture
async def pg(database_url: str) -> AsyncIterator[Rig]:
    async with on_postgres(database_url) as rig:
        await with_workspace(rig)
        yield rig


async def test_a_calendar_and_what_it_skips_are_shown_now_and_as_of_then(pg: Rig) -> None:
    first = await pg.command("SaveCalendar", calendar(ranges=[FREEZE]))
    assert (first.status, first.json["version"]) == (201, 1)
    stale = await pg.command("SaveCalendar", calendar(), headers={"If-Match": '"7"'})
    assert (stale.status, stale.code) == (412, "stale")
    made = await pg.command("CreateSchedule", schedule(policies={"calendars": ["nights"]}))
    assert made.status == 201

    coming = await read(pg, "/v1/acme/occurrences", "?owner=schedule/nightly")
    assert [item["notes"] for item in coming.json["items"][:3]] == [[], ["blackout"], []]
    then = (await read(pg, "/v1/acme/schedules/nightly")).json
    assert (then["policies"]["calendars"], then["next_due"]["blackout"]) == (["nights"], None)

    day = {"date": "2100-12-01", "note": "Advent"}
    second = await pg.command("SaveCalendar", calendar(dates=[day]), headers={"If-Match": '"1"'})
    assert second.json["version"] == 2
    now = (await read(pg, "/v1/acme/schedules")).json["items"][0]["next_due"]["blackout"]
    assert now == {"calendar": "nights", "note": "Advent", "until": "2100-12-02T00:00:00Z"}
    shown = await read(pg, "/v1/acme/calendars/nights")
    assert (shown.headers["ETag"], shown.json["dates"], shown.json["ranges"]) == ('"2"', [day], [])
    assert (shown.json["used_by"], shown.json["actions"]) == ([{"kind": "schedule", "id": "nightly"}], {"save": True})
    before = await read(pg, "/v1/acme/calendars", f"?as_of={made.json['position']}")
    assert [(item["id"], item["version"], item["ranges"]) for item in before.json["items"]] == [("nights", 1, [FREEZE])]
    first_moment = f"?as_of={first.json['position']}"
    assert (await read(pg, "/v1/acme/calendars", first_moment)).json["items"][0]["used_by"] == []
    assert (await read(pg, "/v1/acme/calendars/other")).status == 404


async def test_a_preview_shows_which_moments_the_calendars_skip(rig: Rig) -> None:
    await rig.command("SaveCalendar", calendar(ranges=[FREEZE]))
    await rig.command("CreateSchedule", schedule())
    named = {"id": "nightly", "policies": {"calendars": ["nights"]}}
    tried = await rig.command("EditSchedulePolicies", named, query="?dry_run=true")
    assert [one["notes"] for one in tried.json["next"]["schedule/nightly"]][:3] == [[], ["blackout"], []]
    assert [one["notes"] for one in tried.json["before"]["schedule/nightly"]][:3] == [[], [], []]
    assert tried.json["warnings"] == []

    await rig.command("SaveCalendar", calendar(ranges=[{**FREEZE, "end": "2110-01-01T00:00"}]))
    always = await rig.command("EditSchedulePolicies", named)
    assert always.json["warnings"] == []
    edited = await rig.command(
        "EditCadence", {"id": "nightly", "cadence": schedule()["cadence"] | {"every": 2}}, query="?dry_run=true"
    )
    assert [one["notes"] for one in edited.json["next"]["schedule/nightly"]][:2] == [[], ["blackout"]]
