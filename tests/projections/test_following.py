"""What holds for every history: batches do not matter, the past is what it was."""

import pytest

from eventjobs.projections.registry import PROJECTIONS
from tests.projections.conftest import Fresh
from tests.support.history import History
from tests.support.views import append_all, new_log, project_all, projector_on, rows_as_of, view_rows


@pytest.mark.parametrize("seed", range(3))
async def test_the_rows_are_the_same_in_batches_of_any_size(fresh: Fresh, seed: int) -> None:
    log = new_log()
    await append_all(log, History(seed, workspaces=("acme", "other")).appends(60))
    in_one, by_one, live = await fresh(), await fresh(), await fresh()
    await project_all(projector_on(log, in_one))
    await project_all(projector_on(log, by_one, batch=1))
    await project_all(projector_on(log, live, batch=7))
    expected = await view_rows(in_one)
    empty = [table.name for projection in PROJECTIONS for table in projection.tables if not expected[table.name]]
    assert seed or not empty
    assert await view_rows(by_one) == expected
    assert await view_rows(live) == expected


async def test_as_of_every_position_shows_what_a_projection_stopped_there_shows(fresh: Fresh) -> None:
    log = new_log()
    head = await append_all(log, History(11).appends(25))
    whole, growing = await fresh(), await fresh()
    await project_all(projector_on(log, whole))
    stepping = projector_on(log, growing, batch=1)
    for position in range(1, head + 1):
        assert await stepping.step()
        assert stepping.position() == position
        present = await rows_as_of(growing, 2**63 - 1)
        assert await rows_as_of(whole, position) == present, position
