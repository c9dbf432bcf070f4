"""The calendar page over HTTP: days of a zone, strips, lateness, and what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from eventjobs.domain.streams import run_stream
from eventjobs.events.run import AttemptStarted, Ref, RunEnded, RunOpened
from eventjobs.events.schedule import JobRow
from tests.api.postgres_rig import on_postgres
from tests.api.rig import DAILY, Answered, Rig, schedule, utc, with_workspace
from tests.support.facts import snapshot
from tests.support.views import Writer

ROW = JobRow(row=1, job=Ref(kind="service", id="load"), seq=1)
RAN = {"2026-10-25T00:30:00": "succeeded", "2026-10-25T01:30:00": "failed", "2026-10-26T02:00:00": "succeeded"}
"""In Berlin the first two are both at 02:30, on the day on which the clocks go back."""


@pytest.fixture(scope="module")
async def pg(database_url: str) -> AsyncIterator[Rig]:
    """A schedule that is due in 2100, three runs of it in 2026, and a calendar that covers a day of its."""
    async with on_postgres(database_url) as rig:
        await with_workspace(rig)
        dates = [{"date": "2100-12-24", "note": "Christmas"}]
        await rig.command("SaveCalendar", {"id": "holidays", "name": "H", "time_zone": "UTC", "dates": dates})
        made = await rig.command("CreateSchedule", schedule(cadence=DAILY, policies={"calendars": ["holidays"]}))
        assert made.status == 201, made.body
        await rig.post("/v1/workspaces", {"id": "beta"})
        writer = Writer(rig.log)
        for due, state in RAN.items():
            await writer.append(_run(due, state))
        yield rig


def _run(due: str, state: str) -> Any:
    at = utc(due)
    run = run_stream("acme", f"schedule.nightly.1.{at:%Y%m%dt%H%M%S}z")
    opened = RunOpened(
        owner=Ref(kind="schedule", id="nightly"),
        cause="scheduled",
        due=at,
        term=1,
        instance="one",
        on_failure="continue",
        jobs=(snapshot(ROW),),
        cadence_version=1,
    )
    started = AttemptStarted(row=1, attempt=1, term=1)
    return [(run, opened), (run, started), (run, RunEnded(state=state, reason=None, counts={}))]


async def read(rig: Rig, path: str, query: str, **more: Any) -> Answered:
    wait = rig.log.known_head.position
    return await rig.get(f"/v1/acme/{path}?wait_for={wait}&{query}", **more)


async def test_days_and_hours_are_those_of_the_zone_that_is_asked_for(pg: Rig) -> None:
    days = (await read(pg, "calendar-page", "since=2026-10-24&days=4&zone=Europe/Berlin")).json
    assert (days["since"], days["until"]) == ("2026-10-23T22:00:00Z", "2026-10-27T23:00:00Z")
    assert [(slot["local"], slot["counts"]) for slot in days["slots"]] == [
        ("2026-10-24T00:00:00", {}),
        ("2026-10-25T00:00:00", {"failed": 1, "succeeded": 1}),
        ("2026-10-26T00:00:00", {"succeeded": 1}),
        ("2026-10-27T00:00:00", {}),
    ]

    query = "since=2026-10-25&days=1&by=hour&zone=Europe/Berlin"
    hours = (await read(pg, "calendar-page", query)).json["slots"]
    assert len(hours) == 25
    twice = [slot for slot in hours if slot["local"] == "2026-10-25T02:00:00"]
    assert [slot["items"][0]["outcome"] for slot in twice] == ["succeeded", "failed"]
    item = twice[0]["items"][0]
    run = await pg.get(f"/v1/acme/runs/{item['run']}")
    assert (run.status, run.json["due"]) == (200, item["due"])


async def test_what_comes_says_that_a_blackout_skips_it(pg: Rig) -> None:
    slots = (await read(pg, "calendar-page", "since=2100-12-23&days=2&owner=schedule/nightly")).json["slots"]
    assert [slot["counts"] for slot in slots] == [{"coming": 1}, {"coming": 1}]
    assert [slot["items"][0]["reason"] for slot in slots] == [None, "blackout"]
    assert [one["note"] for one in slots[1]["blackouts"]] == ["Christmas"]
    of_other = (await read(pg, "calendar-page", "since=2100-12-23&days=2&outcome=missed")).json["slots"]
    assert [slot["counts"] for slot in of_other] == [{}, {}]


async def test_strips_and_lateness_are_of_the_runs_that_were(pg: Rig) -> None:
    strip, none = (await read(pg, "strips", "owners=schedule/nightly,group/absent")).json["items"]
    assert [mark["outcome"] for mark in strip["marks"]] == list(RAN.values())
    assert none == {"owner": {"kind": "group", "id": "absent"}, "marks": []}

    window = "since=2026-10-01T00:00:00Z&until=2026-11-01T00:00:00Z"
    found = (await read(pg, "lateness", f"{window}&owner=schedule/nightly")).json
    assert [one["outcome"] for one in found["items"]] == list(reversed(RAN.values()))
    late = sorted(one["late_s"] for one in found["items"])
    assert (found["p50_s"], found["p99_s"], found["max_s"], found["is_cut"]) == (late[1], late[2], late[2], False)
    nothing = (await read(pg, "lateness", f"{window}&owner=group/absent")).json
    assert (nothing["items"], nothing["p99_s"]) == ([], None)


async def test_a_reader_sees_them_and_another_workspace_has_none(pg: Rig) -> None:
    reader = await pg.issue("reader", workspaces=["beta"])
    query = "since=2026-10-24&days=4"
    assert (await read(pg, "calendar-page", query, key=reader)).status == 404
    other = (await pg.get(f"/v1/beta/calendar-page?{query}", key=reader)).json
    assert [slot["counts"] for slot in other["slots"]] == [{}] * 4
    assert (await pg.get("/v1/beta/strips?owners=schedule/nightly", key=reader)).json["items"][0]["marks"] == []


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("calendar-page", "since=2026-02-30", "date_invalid"),
        ("calendar-page", "since=1902-01-01", "date_out_of_range"),
        ("calendar-page", "since=2026-10-24&zone=Berlin", "time_zone_unknown"),
        ("calendar-page", "since=2026-10-24&days=43", "number_out_of_range"),
        ("calendar-page", "since=2026-10-24&days=8&by=hour", "too_many"),
        ("calendar-page", "since=2026-10-24&owner=nightly", "bad_owner"),
        ("calendar-page", "since=2026-10-24&outcome=ran", "unknown_value"),
        ("strips", "owners=nightly", "bad_owner"),
        ("strips", "owners=" + ",".join(f"schedule/s{n}" for n in range(101)), "too_many"),
        ("lateness", "since=yesterday", "bad_instant"),
    ],
)
async def test_what_cannot_be_is_refused(pg: Rig, path: str, query: str, code: str) -> None:
    refused = await read(pg, path, query)
    assert (refused.status, refused.json["errors"][0]["code"]) == (422, code)
