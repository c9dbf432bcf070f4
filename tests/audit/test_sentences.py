"""Every event as a sentence."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from eventjobs.audit.sentences import TELLERS, Narrator
from eventjobs.events import EVENT_TYPES
from eventjobs.events.cadence import Cadence, TimingState, Unit
from eventjobs.events.schedule import ScheduleCadenceEdited

BY_TYPE = {cls.TYPE: cls for cls in EVENT_TYPES}


def test_every_type_has_its_sentence() -> None:
    assert set(TELLERS) == set(BY_TYPE)


@pytest.mark.parametrize("event_type", sorted(BY_TYPE))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_an_event_holds_it_is_told_in_one_sentence(event_type: str, data: st.DataObject) -> None:
    event = data.draw(values(BY_TYPE[event_type]))
    sentence = Narrator().tell(document(event, f"{event_type.partition('.')[0]}:x"))
    assert sentence.endswith(".")
    assert len(sentence.splitlines()) == 1


def test_a_row_is_called_by_its_job_once_the_opening_was_told() -> None:
    narrator = Narrator()
    opened = {
        "owner": {"kind": "schedule", "id": "nightly"},
        "cause": "manual",
        "jobs": [{"row": 2, "seq": 1, "skip_wait": False, "job": {"kind": "service", "id": "load"}}],
    }
    started = {"position": 2, "stream": "run:r", "type": "attempt.started", "data": {"row": 2, "attempt": 1, "term": 1}}
    assert narrator.tell(started) == "Attempt 1 of row 2 began."
    told = narrator.tell({"position": 1, "stream": "run:r", "type": "run.opened", "data": opened})
    assert told == "Run r of schedule nightly opened by hand: 1 job in 1 stage."
    assert narrator.tell(started) == "Attempt 1 of load began."


def test_a_cron_is_told_by_its_fields_and_its_zone() -> None:
    cadence = Cadence(time_zone="Europe/Berlin", unit=Unit.CRON, cron="0 3 * * 1")
    edited = ScheduleCadenceEdited(cadence=cadence, cadence_version=2, timing=TimingState())
    told = Narrator().tell(document(edited, "schedule:nightly"))
    assert told == "Schedule nightly now runs by the cron 0 3 * * 1 in Europe/Berlin."


def test_a_type_that_is_not_known_here_is_told_by_its_name() -> None:
    event = {"position": 1, "stream": "group:g", "type": "group.melted", "data": {}}
    assert Narrator().tell(event) == "Group g: group.melted."


def document(event: Any, stream: str) -> dict[str, Any]:
    data = TypeAdapter(type(event)).dump_python(event, mode="json")
    return {"position": 1, "at": "2026-12-01T20:00:00Z", "stream": stream, "type": event.TYPE, "data": data}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type that a fact's field may have."""
    parts = get_args(hint)
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.builds(hint, **{field.name: values(hints[field.name]) for field in fields(hint)})
    if hint is Any:
        return st.none() | st.text(max_size=5)
    if get_origin(hint) in (Union, UnionType):
        return st.one_of(*map(values, parts))
    if get_origin(hint) is Mapping:
        return st.dictionaries(st.text(max_size=5), values(parts[1]), max_size=3)
    if get_origin(hint) is tuple:
        return st.lists(values(parts[0]), max_size=3).map(tuple)
    return st.from_type(hint)
