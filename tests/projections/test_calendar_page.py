"""The slots of a calendar: every moment in one, by sums or row by row, at present and in the past."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventjobs.domain.blackouts import blackouts
from eventjobs.domain.cadence import due_at
from eventjobs.domain.streams import calendar_stream, run_stream, schedule_stream
from eventjobs.events.cadence import Cadence, TimingPolicies, TimingState, Unit
from eventjobs.events.calendar import BlackoutDate, BlackoutWeekly, CalendarSaved
from eventjobs.events.run import Ref, RunEnded, RunOpened
from eventjobs.events.schedule import JobRow, ScheduleCreated, ScheduleOccurrencesMissed, SchedulePolicies
from eventjobs.log.memory import MemoryEventLog
from eventjobs.log.postgres_storage import SESSION
from eventjobs.projections.calendar_outcomes import LIST_SLOT_SUCCESSES, LIST_SLOT_TROUBLES
from eventjobs.projections.temporal import PRESENT
from eventjobs.projections.views import Views
from tests.projections.conftest import Fresh
from tests.support.facts import Facts, snapshot
from tests.support.history import History
from tests.support.views import Writer, append_all, new_log, project_all, projector_on

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = [BEGIN + timedelta(hours=hour) for hour in range(25)]
ROW = JobRow(row=1, job=Ref(kind="service", id="load"), seq=1)
HOURLY = Cadence(start_date="2026-01-01", start_time="00:00", time_zone="UTC", every=1, unit=Unit.HOUR)
MINUTELY = Cadence(start_date="2026-01-01", start_time="00:00", time_zone="UTC", every=1, unit=Unit.MINUTE)
NAMES = {"hourly": schedule_stream("acme", "hourly"), "pulse": schedule_stream("acme", "pulse")}


class Reader:
    """Views that follow a log."""

    def __init__(self, pool: Any) -> None:
        self.log: MemoryEventLog = new_log()
        self.views, self.writer = Views(pool), Writer(self.log)
        self.projector = projector_on(self.log, pool)

    async def after(self, facts: Facts) -> int:
        position = await self.writer.append(facts)
        await project_all(self.projector)
        return position

    async def page(self, bounds: Sequence[datetime] = HOURS, *, each: int = 5, **wanted: Any) -> dict[str, Any]:
        return await self.views.calendar_page("acme", bounds=bounds, each=each, **wanted)

    async def slots_row_by_row(self, bounds: Sequence[datetime], **wanted: Any) -> Sequence[Any]:
        """There are no sums for a slot that does not end at a quarter of an hour, nor for those beside it."""
        page = await self.page([*bounds, bounds[-1] + timedelta(minutes=7)], **wanted)
        return page["slots"][:-1]


@pytest.fixture
async def reader(fresh: Fresh) -> Reader:
    return Reader(await fresh())


def created(cadence: Cadence, due: datetime, calendars: tuple[str, ...] = ()) -> ScheduleCreated:
    return ScheduleCreated(
        description="",
        active=True,
        cadence=cadence,
        policies=SchedulePolicies(timing=TimingPolicies(catch_up_window_s=3600), calendars=calendars),
        jobs=(ROW,),
        cadence_version=1,
        timing=TimingState(),
        next=due_at(cadence, due),
    )


def ran(owner: str, due: datetime, state: str | None) -> Facts:
    """Return a run of a moment, and its end where it has one."""
    run = run_stream("acme", f"schedule.{owner}.1.{due:%Y%m%dt%H%M%S}z")
    opened = RunOpened(
        owner=Ref(kind="schedule", id=owner),
        cause="scheduled",
        due=due,
        term=1,
        instance="one",
        on_failure="continue",
        jobs=(snapshot(ROW),),
        cadence_version=1,
    )
    ended: Facts = [] if state is None else [(run, RunEnded(state=state, reason=None, counts={}))]
    return [(run, opened), *ended]


def counted(page: dict[str, Any]) -> Counter[str]:
    return sum((Counter(slot["counts"]) for slot in page["slots"]), Counter())


def entries(page: dict[str, Any], *outcomes: str) -> list[tuple[int, str, str, int]]:
    return [
        (place, item["owner"]["id"], item["outcome"], item["count"])
        for place, slot in enumerate(page["slots"])
        for item in slot["items"]
        if not outcomes or item["outcome"] in outcomes
    ]


@pytest.mark.parametrize("seed", [60, 61])
async def test_the_brief_way_tells_what_each_row_would(reader: Reader, seed: int) -> None:
    await append_all(reader.log, History(seed).appends(80))
    await project_all(reader.projector)
    days = [BEGIN + timedelta(hours=6 * place) for place in range(40)]
    for wanted in ({}, {"owner": ("schedule", "schedule-1")}, {"outcome": "failed"}, {"outcome": "succeeded"}):
        for bounds in (HOURS, days):
            brief = await reader.page(bounds, each=100, **wanted)
            assert brief["slots"] == await reader.slots_row_by_row(bounds, each=100, **wanted)
            assert wanted or {"succeeded", "failed"} <= set(counted(brief))
    for position in (None, reader.log.known_head.position // 2):
        of_all = await reader.page(days, each=100, position=position)
        owners = {(item["owner"]["kind"], item["owner"]["id"]) for slot in of_all["slots"] for item in slot["items"]}
        pages = [await reader.page(days, each=100, position=position, owner=owner) for owner in sorted(owners)]
        assert sum(map(counted, pages), Counter()) == counted(of_all)
        apart = [json.dumps(item, default=str) for page in pages for slot in page["slots"] for item in slot["items"]]
        together = [json.dumps(item, default=str) for slot in of_all["slots"] for item in slot["items"]]
        assert sorted(apart) == sorted(together)

    everything = await reader.views.occurrences("acme", limit=1000, until=days[-1])
    outcomes = Counter(item["outcome"] for item in everything["items"] if item["due"] >= BEGIN)
    counts = counted(await reader.page(days))
    assert sum(outcomes.values()) == sum(counts.values())
    assert [counts[one] for one in ("missed", "waiting", "coming")] == [
        outcomes[one] for one in ("missed", "waiting", "coming")
    ]


@pytest.mark.parametrize("seed", [62, 63])
async def test_the_past_is_told_as_it_was_when_it_was_the_present(reader: Reader, seed: int) -> None:
    days = [BEGIN + timedelta(days=day) for day in range(11)]
    odd = [day + timedelta(minutes=7) for day in days]
    read: dict[int, tuple[Any, Any]] = {}
    for place, append in enumerate(History(seed).appends(80)):
        await reader.writer.append(append)
        if place % 8 == 0:
            await project_all(reader.projector)
            read[reader.log.known_head.position] = (await reader.page(days, each=100), await reader.page(odd, each=100))
    await project_all(reader.projector)
    for position, (page, shifted) in read.items():
        assert page["slots"] == await reader.slots_row_by_row(days, each=100, position=position)
        assert await reader.page(days, each=100, position=position) == page
        assert await reader.page(odd, each=100, position=position) == shifted
    assert {"succeeded", "failed", "running"} <= {name for page, _ in read.values() for name in counted(page)}


async def test_what_runs_in_quarters_of_both_kinds_is_one_entry(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts: Facts = [(NAMES["hourly"], created(HOURLY, BEGIN + timedelta(days=9)))]
    for minute in (0, 15, 16, 30, 31, 45):
        facts += ran("hourly", BEGIN + timedelta(minutes=minute), "failed" if minute in (16, 31) else None)
    head = await reader.after(facts)
    before = await reader.page()
    assert entries(before) == [(0, "hourly", "running", 4), (0, "hourly", "failed", 2)]
    with monkeypatch.context() as broken:  # nothing is gone through where nothing has changed since
        broken.setattr("eventjobs.projections.calendar_outcomes.LIST_SLOT_OUTCOMES_AT", "SELECT 1 / 0")
        assert await reader.page(position=head) == before
    for minute in (15, 45):  # the quarters at the beginning and at the half stay as they were
        run = run_stream("acme", f"schedule.hourly.1.20260101t00{minute}00z")
        await reader.after([(run, RunEnded(state="succeeded", reason=None, counts={}))])
    assert entries(await reader.page()) == [
        (0, "hourly", "running", 2), (0, "hourly", "succeeded", 2), (0, "hourly", "failed", 2)
    ]  # fmt: skip
    assert await reader.page(position=head) == before


async def test_sums_that_are_behind_the_runs_are_not_believed(fresh: Fresh) -> None:
    pool = await fresh()
    reader = Reader(pool)
    facts: Facts = [(NAMES["hourly"], created(HOURLY, BEGIN + timedelta(days=9)))]
    for minute in (0, 20, 40):
        facts += ran("hourly", BEGIN + timedelta(minutes=minute), "succeeded" if minute else None)
    head = await reader.after(facts)
    page = await reader.page()
    assert counted(page) == {"running": 1, "succeeded": 2}
    await pool.execute("DELETE FROM view_outcomes_1")
    await pool.execute("UPDATE view_checkpoints SET position = 1, stopped_at = 2 WHERE name = 'outcomes'")
    assert await reader.page() == page
    assert await reader.page(position=head) == page


async def test_an_entry_is_what_an_owner_has_of_an_outcome_and_the_worst_is_told_first(reader: Reader) -> None:
    facts: Facts = [(NAMES["hourly"], created(HOURLY, BEGIN + timedelta(hours=3)))]
    for minute, state in ((0, "succeeded"), (15, "failed"), (30, "failed"), (45, None)):
        facts += ran("hourly", BEGIN + timedelta(minutes=minute), state)
    head = await reader.after(facts)

    page = await reader.page()
    assert entries(page)[:3] == [
        (0, "hourly", "succeeded", 1),
        (0, "hourly", "failed", 2),
        (0, "hourly", "running", 1),
    ]
    assert entries(await reader.page(each=1))[:2] == [(0, "hourly", "failed", 2), (3, "hourly", "coming", 1)]
    assert (await reader.page(each=1))["slots"][0]["counts"] == {"failed": 2, "running": 1, "succeeded": 1}
    succeeded, failed, running = page["slots"][0]["items"]
    assert (succeeded["run"], failed["run"]) == ("schedule.hourly.1.20260101t000000z", None)
    assert running["run"] == running["occurrence"] == "schedule.hourly.1.20260101t004500z"
    assert entries(page, "coming") == [(hour, "hourly", "coming", 1) for hour in range(3, 24)]

    await reader.after([(run_stream("acme", running["run"]), RunEnded(state="aborted", reason="stopped", counts={}))])
    assert counted(await reader.page())["aborted"] == 1
    assert await reader.page(position=head) == page
    nothing = await reader.page(position=0)
    assert counted(nothing) == {}


async def test_moments_that_were_answered_together_are_told_one_by_one_unless_there_are_very_many(
    reader: Reader,
) -> None:
    def missed(first: datetime, count: int, cadence: Cadence, period: timedelta) -> ScheduleOccurrencesMissed:
        last = first + (count - 1) * period
        following = last + period
        return ScheduleOccurrencesMissed(
            reason="downtime",
            count=count,
            first=first,
            last=last,
            anchor_day=1,
            cadence_version=1,
            timing=TimingState(reference=last, anchor_day=1),
            next=due_at(cadence, following),
        )

    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    await reader.after(
        [
            (NAMES["hourly"], created(HOURLY, BEGIN)),
            (NAMES["pulse"], created(MINUTELY, BEGIN)),
            (NAMES["hourly"], missed(BEGIN - 2 * hour, 5, HOURLY, hour)),
            (NAMES["pulse"], missed(BEGIN, 1_000, MINUTELY, minute)),
        ]
    )
    page = await reader.page()
    assert entries(page, "missed") == [(place, "hourly", "missed", 1) for place in range(3)]
    (span,) = page["spans"]
    assert (span["owner"]["id"], span["count"], span["outcome"], span["reason"]) == (
        "pulse", 1_000, "missed", "downtime",
    )  # fmt: skip
    assert (await reader.page(outcome="skipped"))["spans"] == []


async def test_what_comes_is_counted_without_visiting_each_moment_and_only_as_far_as_it_is_known(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = CalendarSaved(name="H", time_zone="UTC", since=BEGIN, dates=(BlackoutDate(date="2026-01-02", note="off"),))
    await reader.after(
        [
            (calendar_stream("acme", "holidays"), saved),
            (NAMES["pulse"], created(MINUTELY, BEGIN)),
            (NAMES["hourly"], created(HOURLY, BEGIN, ("holidays",))),
        ]
    )
    days = [BEGIN + timedelta(days=day) for day in range(4)]
    page = await reader.page(days)
    assert entries(page) == [
        (place, owner, "coming", count) for place in range(3) for owner, count in (("hourly", 24), ("pulse", 1_440))
    ]
    assert [item["reason"] for slot in page["slots"] for item in slot["items"]] == [None, None, "blackout", *[None] * 3]
    assert [[one["note"] for one in slot["blackouts"]] for slot in page["slots"]] == [[], ["off"], []]
    assert page["coming_until"] is None

    monkeypatch.setattr("eventjobs.projections.foresight.TALLIES_MAX", 3)
    cut = await reader.page(days)
    assert len(entries(cut)) == 3
    assert cut["coming_until"] == BEGIN + timedelta(days=1)


async def test_a_calendar_that_many_owners_name_is_worked_out_once(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = CalendarSaved(name="H", time_zone="UTC", since=BEGIN, dates=(BlackoutDate(date="2026-01-01", note="off"),))
    named: list[Sequence[str]] = []

    def noted(calendars: Any, begin: datetime, end: datetime) -> Any:
        named.append(sorted(calendars))
        return blackouts(calendars, begin, end)

    monkeypatch.setattr("eventjobs.projections.foresight.blackouts", noted)
    streams = [schedule_stream("acme", f"s{number}") for number in range(20)]
    facts: Facts = [(stream, created(HOURLY, BEGIN, ("holidays",))) for stream in streams]
    await reader.after([(calendar_stream("acme", "holidays"), saved), *facts])
    page = await reader.page(each=50)
    assert "blackout" in {item["reason"] for slot in page["slots"] for item in slot["items"]}
    assert (counted(page), named) == ({"coming": 20 * 24}, [["holidays"]])


async def test_strips_and_lateness_tell_the_newest(reader: Reader) -> None:
    facts: Facts = [(NAMES["hourly"], created(HOURLY, BEGIN + timedelta(hours=60)))]
    for hour in range(60):
        facts += ran("hourly", BEGIN + timedelta(hours=hour), "failed" if hour == 58 else "succeeded")
    await reader.after(facts)
    strip, none = await reader.views.strips("acme", [("schedule", "hourly"), ("group", "absent")])
    assert (len(strip["marks"]), none["marks"]) == (50, [])
    assert [mark["outcome"] for mark in strip["marks"]][-3:] == ["succeeded", "failed", "succeeded"]
    assert strip["marks"][0]["due"] == BEGIN + timedelta(hours=10)

    window = {"since": BEGIN, "until": BEGIN + timedelta(days=9)}
    assert (await reader.views.lateness("acme", **window))["items"] == []  # nothing has started
    outcomes = await reader.views.newest_outcomes("acme", **window, limit=2)
    assert [(one["outcome"], one["due"].hour) for one in outcomes] == [("succeeded", 11), ("failed", 10)]


async def test_days_of_every_zone_are_sums_of_quarters_and_others_are_gone_through(reader: Reader) -> None:
    facts: Facts = [(NAMES["hourly"], created(HOURLY, BEGIN + timedelta(days=9)))]
    for minute in range(0, 120, 5):
        facts += ran("hourly", BEGIN + timedelta(minutes=minute), "failed" if minute % 3 else "succeeded")
    head = await reader.after(facts)
    for first in (timedelta(minutes=15), timedelta(minutes=45), timedelta(minutes=44, seconds=30)):
        bounds = [BEGIN, BEGIN + first, BEGIN + timedelta(hours=1, minutes=15), BEGIN + timedelta(days=1)]
        page = await reader.page(bounds, each=100)
        assert page == await reader.page(bounds, each=100, position=head)
        assert counted(page) == {"failed": 16, "succeeded": 8}
    assert entries(await reader.page(bounds, outcome="succeeded")) == [
        (0, "hourly", "succeeded", 3), (1, "hourly", "succeeded", 2), (2, "hourly", "succeeded", 3)
    ]  # fmt: skip


async def test_entries_say_all_that_their_owners_have_and_are_those_that_begin_first(reader: Reader) -> None:
    names = [f"s{number}" for number in range(4)]
    facts: Facts = [(schedule_stream("acme", name), created(HOURLY, BEGIN + timedelta(days=9))) for name in names]
    for place, name in enumerate(names):
        for minute in range(place, 60, 6):
            facts += ran(name, BEGIN + timedelta(minutes=minute), "failed" if name in ("s1", "s3") else "succeeded")
    facts += ran("s0", BEGIN + timedelta(minutes=58), None)
    head = await reader.after(facts)
    page = await reader.page(each=4)
    assert entries(page) == [
        (0, "s0", "succeeded", 10), (0, "s1", "failed", 10), (0, "s3", "failed", 10), (0, "s0", "running", 1)
    ]  # fmt: skip
    assert [item["last"].minute for item in page["slots"][0]["items"]] == [54, 55, 57, 58]
    assert page == await reader.page(each=4, position=head)


async def test_what_there_is_too_much_of_is_said(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventjobs.projections.calendar_page.STORMS_MAX", 2)
    monkeypatch.setattr("eventjobs.projections.calendar_page.SLOT_HALTS_MAX", 3)
    weekly = tuple(BlackoutWeekly(days=("thu",), start=f"{hour:02}:00", end=f"{hour + 1:02}:00") for hour in range(4))
    saved = CalendarSaved(name="H", time_zone="UTC", since=BEGIN, weekly=weekly)
    two = timedelta(hours=1)

    def missed(first: datetime) -> ScheduleOccurrencesMissed:
        return ScheduleOccurrencesMissed(
            reason="downtime",
            count=2,
            first=first,
            last=first + two,
            anchor_day=1,
            cadence_version=1,
            timing=TimingState(reference=first + two, anchor_day=1),
            next=due_at(HOURLY, first + 2 * two),
        )

    stream = NAMES["hourly"]
    await reader.after([(stream, created(HOURLY, BEGIN)), (stream, missed(BEGIN)), (stream, missed(BEGIN + 2 * two))])
    assert (await reader.page())["left_out"] == []
    await reader.after([(stream, missed(BEGIN + 4 * two))])
    assert (await reader.page())["left_out"] == ["spans"]
    await reader.after([(calendar_stream("acme", "holidays"), saved)])
    assert (await reader.page())["left_out"] == ["spans"]
    day = await reader.page([BEGIN, BEGIN + timedelta(days=1)])
    assert (day["left_out"], len(day["slots"][0]["blackouts"])) == (["spans", "blackouts"], 3)

    monkeypatch.setattr("eventjobs.projections.calendar_page.HALTS_MAX", 1)
    assert (await reader.page())["left_out"] == ["spans", "blackouts"]


async def test_who_is_due_when_too_many_are_is_known_until_the_first_who_is_not_looked_at(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventjobs.projections.foresight.OWNERS_MAX", 2)
    later = [BEGIN, BEGIN + timedelta(hours=1), BEGIN + timedelta(hours=3)]
    daily = replace(HOURLY, unit=Unit.DAY)
    await reader.after([(schedule_stream("acme", f"s{at.hour}"), created(daily, at)) for at in later[:2]])
    assert (await reader.page())["coming_until"] is None
    await reader.after([(schedule_stream("acme", "s3"), created(daily, later[2]))])
    page = await reader.page()
    assert (page["coming_until"], entries(page)) == (later[2], [(0, "s0", "coming", 1), (1, "s1", "coming", 1)])


RUNS = 4_000


async def test_a_day_is_told_without_looking_at_everything_that_ran(fresh: Fresh) -> None:
    """By the plans that are made for all of a statement's parameters, as in the service."""
    pool = await fresh()
    await pool.execute(
        "INSERT INTO view_occurrences_1 SELECT 'acme', 'r' || n, 'schedule', 's' || n % 500, 1, d, d, 1, NULL, 'ran', "
        "NULL, 'r' || n, NULL, NULL, d, n "
        "FROM (SELECT n, $1::timestamptz + n * interval '15 s' AS d FROM generate_series(0, $2 - 1) n) x",
        BEGIN, RUNS,
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO view_run_status_1 SELECT workspace, id, CASE WHEN from_position % 4 = 0 THEN 'failed' "
        "ELSE 'succeeded' END, NULL, NULL, 1, 'one', due, due, NULL, from_position FROM view_occurrences_1",
    )
    await pool.execute(
        "INSERT INTO view_troubles_1 SELECT workspace, 'failed', due, id, owner_kind, owner_id, 1, true, NULL, "
        "from_position FROM view_occurrences_1 WHERE from_position % 4 = 0"
    )
    bounds = ", ".join(f"'{at.isoformat()}'" for at in HOURS)
    begins, ends = f"(ARRAY[{bounds}]::timestamptz[])[1:24]", f"(ARRAY[{bounds}]::timestamptz[])[2:25]"
    slots = f"ARRAY{list(range(1, 25))}"
    asked = {
        LIST_SLOT_TROUBLES: (
            "text, bigint, integer[], timestamptz[], timestamptz[], text[], integer",
            f"'acme', {PRESENT}, {slots}, {begins}, {ends}, array_fill('failed'::text, ARRAY[24]), 5",
        ),
        LIST_SLOT_SUCCESSES: (
            "text, bigint, integer[], timestamptz[], timestamptz[], integer",
            f"'acme', {PRESENT}, {slots}, {begins}, {ends}, 5",
        ),
    }
    async with pool.acquire() as connection, connection.transaction():
        for name, value in SESSION.items():
            await connection.execute(f"SET LOCAL {name} = '{value}'")
        for sql, (types, given) in asked.items():
            await connection.execute(f"PREPARE planned ({types}) AS {sql}")
            text = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE planned ({given})")
            await connection.execute("DEALLOCATE planned")
            (plan,) = json.loads(text)
            assert plan["Plan"]["Actual Rows"] == 5 * (RUNS // 240 + 1)
            assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] < 2_500
