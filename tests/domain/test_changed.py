"""A state with some fields changed is what `dataclasses.replace` makes of it."""

from dataclasses import fields, replace

import pytest

from eventjobs.domain.changed import changed
from eventjobs.domain.connect_job import ConnectJob
from eventjobs.domain.flow import Flow
from eventjobs.domain.group import Group
from eventjobs.domain.run import Run, State
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.service import Service


@pytest.mark.parametrize(
    "state",
    [Run(term=3), Schedule(active=True), Service(definition_version=2), Flow(), Group(active=True), ConnectJob()],
)
def test_each_field_can_be_changed_and_the_others_stay(state: object) -> None:
    for field in fields(state):  # type: ignore[arg-type]
        one = changed(state, **{field.name: "another"})
        assert type(one) is type(state)
        assert one == replace(state, **{field.name: "another"})  # type: ignore[type-var]
    assert changed(state) == state


def test_a_field_that_there_is_not_is_refused_and_the_state_stays_as_it_was() -> None:
    run = Run(term=3)
    assert changed(run, state=State.RUNNING, term=4) == Run(state=State.RUNNING, term=4)
    assert run == Run(term=3)
    with pytest.raises(TypeError, match="Run has no field terms"):
        changed(run, terms=4)
