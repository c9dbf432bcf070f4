"""What a filter of the Manage Connect page finds is what each row says of itself, now and as it was."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import pytest

from eventjobs.events.cadence import Timing, TimingPolicies
from eventjobs.events.connect import Member, Notification
from eventjobs.events.run import Ref
from eventjobs.events.schedule import AlertWebhook, SchedulePolicies
from eventjobs.events.service import AttemptPolicy
from eventjobs.events.slots import SlotSchedule, SlotType
from eventjobs.log.postgres_storage import SESSION
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import TimedPool, open_pool
from eventjobs.projections.connect_documents import Seen
from eventjobs.projections.connect_reads import WantedRows, list_candidates, list_connect_jobs, list_groups
from eventjobs.projections.temporal import PRESENT, json_text

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SEEN = Seen(now=NOW, kinds=("import", "feed"))
BEFORE, AFTER = 10, 20
"""Positions: what stood until the second is in the tables of the past."""
POLICIES = SchedulePolicies(timing=TimingPolicies(timing=Timing.WALL_CLOCK), on_failure="stop")
SCHEDULES = [
    SlotSchedule(type=SlotType.ON_DEMAND, time_zone="UTC"),
    SlotSchedule(type=SlotType.DAILY, time_zone="UTC", hour=3, slot=1, minute=20),
    *(
        SlotSchedule(type=SlotType.ONCE, time_zone="Pacific/Kiritimati", date=date, hour=3, slot=1, minute=20)
        for date in ("2026-11-01", "2026-11-30", "2026-12-02", "2027-01-09")
    ),
]
NOTIFICATIONS = [
    Notification(),
    Notification(mode="always"),
    Notification(mode="always", failure_recipients=("a@example.org",)),
    Notification(mode="failure", failure_recipients=("a@example.org",)),
    Notification(mode="failure", webhooks=(AlertWebhook(url="https://example.org", secret="secret://s"),)),
]
LAST_DAYS = [None, "2026-11-30", "2026-12-01", "2026-12-08", "2026-12-09", "2027-06-01"]
STATES = ["draft", "active", "active", "inactive", "deleted", "expired"]
GROUPS = 150


@pytest.fixture(scope="module")
async def mixed(database_url: str) -> AsyncIterator[TimedPool]:
    """Jobs and groups of every sort, the later half of them otherwise before."""
    random = Random(7)
    async with await open_pool(database_url, role=APP_ROLE, min_size=1, max_size=1, settings=SESSION) as pool:
        await pool.execute("INSERT INTO view_workspaces_1 VALUES ('acme', 1, 'Europe/Berlin', 'automation', now(), 1)")
        for suffix, position, ending in (("_past", BEFORE, [AFTER]), ("", AFTER, [])):
            for table, rows in _rows(random):
                await _insert(pool, f"{table}{suffix}", [[*row, position, *ending] for row in rows])
        yield pool


def _rows(random: Random) -> Iterator[tuple[str, Sequence[Sequence[Any]]]]:
    jobs = [
        (f"job-{place:03}", *sort)
        for place, sort in enumerate(product(("import", "feed", "partner", "export"), STATES, SCHEDULES[:2], (0, 1, 2)))
    ]
    random.shuffle(jobs)
    names = [f"group-{number:03}" for number in range(GROUPS)]
    homes = {job: random.choice(names) if where else None for job, _, _, _, where in jobs}
    yield "view_connect_jobs_1", [_connect_job(job, kind, homes[job]) for job, kind, _, _, _ in jobs]
    owners = [_owner("job", job, state, schedule, random) for job, _, state, schedule, _ in jobs]
    owners += [_owner("group", name, random.choice(STATES), random.choice(SCHEDULES), random) for name in names]
    yield "view_slot_owners_1", owners
    well = [job for job, kind, state, schedule, _ in jobs if (kind, state) == ("import", "active")]
    tables = []
    for name in names:
        own = [job for job, home in homes.items() if home == name][:3]
        some = own or random.sample(well, 2)
        members = [
            Member(job=Ref(kind="import", id=job)) for job in (*some, *random.sample(["nobody"], name < "group-020"))
        ]
        tables.append(["acme", name, json_text(members)])
    yield "view_groups_1", tables
    due = (NOW + timedelta(days=1), "2026-12-02T12:00:00", 0, None, "2026a", None)
    kinds = [("group", name) for name in names] + [("job", job) for job, *_ in jobs]
    yield (
        "view_slot_next_1",
        [["acme", kind, one, *(due if random.random() < 0.5 else (None,) * 6)] for kind, one in kinds],
    )
    yield (
        "view_slot_runs_1",
        [
            ["acme", kind, one, "a-run" if random.random() < 0.2 else None, None, None, None, None]
            for kind, one in kinds
        ],
    )


def _owner(kind: str, the_id: str, state: str, schedule: SlotSchedule, random: Random) -> Sequence[Any]:
    last = random.choice(LAST_DAYS)
    gone = NOW if state == "deleted" or (state == "expired" and random.random() < 0.5) else None
    ends = None if last is None else datetime.fromisoformat(f"{last}T23:00:00+00:00")
    activity = (state == "draft", state == "active", json_text(schedule))
    alike = (json_text(random.choice(NOTIFICATIONS)), json_text(POLICIES), "delete", 1, NOW, gone)
    return ["acme", kind, the_id, 1, the_id.title(), "", *activity, *alike, last, ends, state == "expired"]


def _connect_job(job: str, kind: str, home: str | None) -> Sequence[Any]:
    policy = json_text(AttemptPolicy(delivery="at_least_once"))
    return ["acme", job, kind, None, "csv.import", "{}", policy, "[]", home]


async def _insert(pool: TimedPool, table: str, rows: Sequence[Sequence[Any]]) -> None:
    async with pool.acquire() as connection:
        await connection.copy_records_to_table(table, records=rows)


Read = Callable[[TimedPool, str, WantedRows, int, Seen], Awaitable[dict[str, Any]]]


async def _items(pool: TimedPool, read: Read, position: int, **wanted: Any) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await read(pool, "acme", WantedRows(limit=37, cursor=cursor, **wanted), position, SEEN)
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


@pytest.mark.parametrize("position", [PRESENT, BEFORE], ids=["now", "as it was"])
@pytest.mark.parametrize(
    ("read", "name", "value", "says"),
    [
        (list_groups, "invalid", True, lambda row: bool(row["invalid"])),
        (list_groups, "invalid", False, lambda row: not row["invalid"]),
        (list_groups, "expiring", True, lambda row: row["expires_soon"]),
        (list_groups, "expiring", False, lambda row: not row["expires_soon"]),
        (list_groups, "running", True, lambda row: row["running"]),
        (list_groups, "state", "inactive", lambda row: row["state"] == "inactive"),
        (list_connect_jobs, "expiring", True, lambda row: row["expires_soon"]),
        (list_connect_jobs, "running", False, lambda row: not row["running"]),
        (list_connect_jobs, "kind", "partner", lambda row: row["kind"] == "partner"),
        (list_connect_jobs, "grouped", True, lambda row: row["group"] is not None),
        (list_connect_jobs, "schedule_type", "daily", lambda row: row["schedule"]["type"] == "daily"),
        (list_candidates, "qualified", True, lambda row: row["qualified"]),
        (list_candidates, "qualified", False, lambda row: not row["qualified"]),
    ],
)
async def test_a_filter_finds_those_that_say_so(
    mixed: TimedPool, position: int, read: Read, name: str, value: Any, says: Callable[[dict[str, Any]], bool]
) -> None:
    whole = await _items(mixed, read, position)
    expected = [row["id"] for row in whole if says(row)]
    assert 0 < len(expected) < len(whole)
    assert [row["id"] for row in await _items(mixed, read, position, **{name: value})] == expected


async def test_candidates_for_a_group_are_its_own_jobs_besides(mixed: TimedPool) -> None:
    whole = await _items(mixed, list_candidates, PRESENT, group="group-001")
    free = {row["id"] for row in await _items(mixed, list_candidates, PRESENT, qualified=True)}
    found = await _items(mixed, list_candidates, PRESENT, group="group-001", qualified=True)
    assert [row["id"] for row in found] == [row["id"] for row in whole if row["qualified"]]
    assert {row["id"] for row in found} >= free


@pytest.mark.parametrize("read", [list_connect_jobs, list_candidates])
async def test_a_job_that_one_of_the_views_does_not_have_ends_no_list(mixed: TimedPool, read: Read) -> None:
    whole = [row["id"] for row in await _items(mixed, read, PRESENT)]
    moved = "UPDATE view_connect_jobs_1 SET workspace = $1 WHERE id = $2"
    await mixed.execute(moved, "other", whole[3])
    try:
        assert [row["id"] for row in await _items(mixed, read, PRESENT)] == [*whole[:3], *whole[4:]]
    finally:
        await mixed.execute(moved, "acme", whole[3])
