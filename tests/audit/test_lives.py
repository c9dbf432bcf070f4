"""Whatever happens to a deployment, its log shows one outcome for every moment that was due."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventjobs.audit.occurrences import audit_facts
from tests.audit.life import DAILY, ONCE, QUARTERLY, Act, lived

OWNERS = ("a", "b", "c")
NEVER = {"catch_up": "never"}
POLICIES: list[dict[str, Any]] = [
    {},
    NEVER,
    {"catch_up": "always_on_tighten"},
    {"timing": "grid"},
    {"timing": "wall_clock"},
    {"timing": "wall_clock", "gap": "skip", "repeat": "both"},
    {"catch_up_window": "PT30M"},
    {"overlap": "queue_one"},
    {"overlap": "queue_all"},
    {"overlap": "cancel_running"},
    {"overlap": "allow"},
    {"timing": "grid", "overlap": "queue_all", "catch_up_window": "PT2H"},
]
CADENCES: list[dict[str, Any]] = [
    QUARTERLY,
    {**QUARTERLY, "every": 1, "unit": "hour"},
    {**QUARTERLY, "start_time": "11:20"},
    {**QUARTERLY, "start_time": "16:00", "every": 40},
    DAILY,
    {**DAILY, "time_zone": "America/Chicago"},
    {**DAILY, "start_date": "2027-03-27"},
    {**DAILY, "start_date": "2026-12-31", "unit": "month"},
    ONCE,
    {"cron": "*/30 * * * *", "time_zone": "America/Chicago"},
    {"cron": "15 2,14 * * *", "time_zone": "Europe/Berlin"},
]
SPANS = st.sampled_from([0.4, 1, 7, 61, 900, 3_700, 7 * 3_600, 86_400, 3.3 * 86_400])
JOBS = [[{"job": {"kind": "service", "id": name}}] for name in ("quick", "slow")]
owners = st.sampled_from(OWNERS)


def of(word: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Act]:
    return st.tuples(st.just(word), st.fixed_dictionaries(fields))


by_reference = st.fixed_dictionaries({"kind": st.just("schedule"), "id": owners})
ACTS = st.one_of(
    st.tuples(st.just("wait"), SPANS),
    st.tuples(st.just("wait"), SPANS),
    st.tuples(st.just("down"), SPANS),
    st.tuples(st.just("run"), owners),
    st.tuples(st.just("step"), st.sampled_from([-5_000.0, -30.0, 30.0, 5_000.0, 90_000.0])),
    of("EditCadence", id=owners, cadence=st.sampled_from(CADENCES)),
    of("EditSchedulePolicies", id=owners, policies=st.sampled_from(POLICIES)),
    of("EditScheduleJobs", id=owners, jobs=st.sampled_from(JOBS)),
    of("InactivateSchedule", id=owners),
    of("ActivateSchedule", id=owners, run_if_behind=st.booleans()),
    of("PauseOwner", owner=by_reference),
    of("UnpauseOwner", owner=by_reference),
    of("HoldStarts", everywhere=st.booleans()),
    of("ReleaseStarts", everywhere=st.booleans()),
    of("DeleteSchedule", id=owners),
)
TIMINGS = {
    "once": {"elapsed"},
    "minute": {"elapsed", "grid"},
    "hour": {"elapsed", "grid"},
    "day": {"elapsed", "grid", "wall_clock"},
    "month": {"elapsed", "grid", "wall_clock"},
    "cron": {"wall_clock"},
}
"""What each unit may be read as."""


def is_possible(body: dict[str, Any]) -> bool:
    timing = body["policies"].get("timing")
    return timing is None or timing in TIMINGS[body["cadence"].get("unit", "cron")]


SCHEDULES = st.lists(
    st.fixed_dictionaries(
        {"cadence": st.sampled_from(CADENCES), "policies": st.sampled_from(POLICIES), "jobs": st.sampled_from(JOBS)}
    ).filter(is_possible),
    min_size=1,
    max_size=3,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schedules=SCHEDULES, acts=st.lists(ACTS, min_size=3, max_size=14), at_once=st.sampled_from([None, None, 1, 2]))
def test_the_audit_of_a_life_finds_nothing(
    schedules: list[dict[str, Any]], acts: list[Act], at_once: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = [{"schedule_id": name, **body} for name, body in zip(OWNERS, schedules, strict=False)]
    report = audit_facts(lived(named, acts, monkeypatch, at_once=at_once))
    assert report.findings == ()
