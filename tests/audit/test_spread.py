"""R36: the places of a herd's starts are kept by real workers, through a kill, and proven by the audit."""

from datetime import timedelta
from typing import Any

import pytest

from eventjobs.audit.findings import Kind
from eventjobs.audit.occurrences import audit_facts
from eventjobs.domain.spread import offset_of
from tests.audit.life import QUARTERLY, Act, lived
from tests.audit.spoiling import Facts, changed, where
from tests.support.story import WORKSPACE

PAST = {**QUARTERLY, "start_time": "10:00"}
SCHEDULES: list[dict[str, Any]] = [
    {"schedule_id": f"s{number}", "cadence": PAST, "policies": {"spread": "PT10M", "overlap": "queue_one"}}
    for number in range(8)
]
BEGINNINGS = ("attempt.started", "job_run.waiting")
"""All of them want the same job, so some of them wait for it."""
ACTS: list[Act] = [("wait", 100), ("down", 60), ("wait", 2_000), ("down", 5_000), ("wait", 2_000)]


@pytest.fixture(scope="module")
def clean() -> Facts:
    with pytest.MonkeyPatch.context() as patch:
        return lived(SCHEDULES, ACTS, patch)


def test_R36_a_herd_begins_in_its_places_also_after_a_kill(clean: Facts) -> None:
    assert audit_facts(clean).findings == ()
    spread = [fact for fact in clean if fact.type == "run.opened" and fact.event.not_before is not None]
    assert len(spread) == 2 * len(SCHEDULES), "at the first activation and after the outage"
    for fact in spread:
        place = offset_of(WORKSPACE, fact.event.owner.id, 600)
        assert abs(fact.event.not_before - fact.at - place) < timedelta(seconds=1)
        begun = next(one for one in clean if one.stream == fact.stream and one.type in BEGINNINGS)
        taken = [one.at for one in clean if one.stream == fact.stream and one.type == "run.taken_over"]
        may = max([fact.event.not_before, *(at for at in taken if at < begun.at)])
        assert timedelta(0) <= begun.at - may < timedelta(seconds=2), (fact, begun)


@pytest.mark.parametrize("by", [timedelta(minutes=5), -timedelta(minutes=2), None])
def test_R36_a_start_in_another_place_is_found(clean: Facts, by: timedelta | None) -> None:
    first = where(clean, lambda fact: fact.type == "run.opened" and fact.event.not_before is not None, place=-1)
    moved = None if by is None else clean[first].event.not_before + by
    found = audit_facts([*clean[:first], changed(clean[first], not_before=moved), *clean[first + 1 :]]).findings
    assert [(one.kind, one.position) for one in found] == [(Kind.NOT_THE_RULE, clean[first].position)]
