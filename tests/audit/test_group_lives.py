"""Whatever happens to groups and Connect jobs, their log shows one outcome for every moment that was due."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventjobs.audit.occurrences import audit_facts
from tests.audit.life import Act, lived
from tests.audit.test_lives import SPANS, of

GROUPS = {"lists": ["contacts", "slow-extension"], "orders": ["slow-orders", "bad"]}
JOBS = sorted(job for jobs in GROUPS.values() for job in jobs)
SCHEDULES: list[dict[str, Any]] = [
    {"type": "hourly", "every": 1, "slot": "15-29"},
    {"type": "hourly", "every": 2, "slot": "45-59", "redraw": "per_occurrence"},
    {"type": "daily", "at": "02:10", "time_zone": "America/New_York", "redraw": "per_occurrence"},
    {"type": "weekly", "days": ["wed", "thu"], "at": "03:20"},
    {"type": "once", "date": "2026-12-05", "at": "10:00"},
    {"type": "on_demand"},
]
POLICIES: list[dict[str, Any]] = [
    {},
    {"catch_up": "never"},
    {"overlap": "queue_one"},
    {"overlap": "queue_all", "catch_up_window": "P1D"},
    {"overlap": "cancel_running"},
]
groups, jobs = st.sampled_from(sorted(GROUPS)), st.sampled_from(JOBS)
schedules, policies = st.sampled_from(SCHEDULES), st.sampled_from(POLICIES)
last_days = st.sampled_from(["2026-12-02", "2026-12-04", "2026-12-20", "never"])
DEFINITIONS = {
    "name": st.sampled_from(["Lists", "Orders"]),
    "jobs": st.lists(jobs, min_size=2, max_size=3, unique=True),
    "schedule": schedules,
    "policies": policies,
    "on_expiry": st.sampled_from(["delete", "deactivate"]),
}
a_group = st.fixed_dictionaries({"kind": st.just("group"), "id": groups})
a_job = st.fixed_dictionaries({"kind": st.just("import"), "id": jobs})
ACTS = st.one_of(
    st.tuples(st.just("wait"), SPANS),
    st.tuples(st.just("wait"), SPANS),
    st.tuples(st.just("down"), SPANS),
    st.tuples(st.just("run_group"), groups),
    of("RunNow", owner=a_job),
    of("SaveGroup", id=groups, **DEFINITIONS),
    of("ActivateGroup", id=groups),
    of("ActivateGroup", id=groups, **DEFINITIONS),
    of("DeactivateGroup", id=groups),
    of("DeleteGroup", id=groups),
    of("SetExpiration", owner=a_group, expires_on=last_days, members=st.booleans()),
    of("SetExpiration", owner=a_job, expires_on=last_days),
    of("DeactivateJob", id=jobs, force=st.booleans()),
    of("ActivateJob", id=jobs),
    of("SetJobSchedule", id=jobs, schedule=schedules, force=st.booleans()),
    of("PauseOwner", owner=a_group),
    of("UnpauseOwner", owner=a_group),
    of("HoldStarts"),
    of("ReleaseStarts"),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bodies=st.lists(st.fixed_dictionaries({"schedule": schedules, "policies": policies}), min_size=2, max_size=2),
    acts=st.lists(ACTS, min_size=3, max_size=14),
    at_once=st.sampled_from([None, None, 1]),
)
def test_the_audit_of_a_life_of_groups_finds_nothing(
    bodies: list[dict[str, Any]], acts: list[Act], at_once: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = [
        {"id": name, "name": name, "jobs": GROUPS[name], **body} for name, body in zip(GROUPS, bodies, strict=True)
    ]
    report = audit_facts(lived([], acts, monkeypatch, groups=named, at_once=at_once))
    assert report.findings == ()
