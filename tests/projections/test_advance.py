"""Where a view stands after facts, and where it stops: no database is needed for that (P15, P16)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from eventjobs.errors import ForkedHistory
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.events.workspace import WorkspaceCreated
from eventjobs.log import chain
from eventjobs.log.port import ZERO_CHAIN
from eventjobs.projections.advance import advance, gather
from eventjobs.projections.checkpoints import Checkpoint
from eventjobs.projections.temporal import Projection, Put, Table, Write

SEEN = Table(name="seen", key={"id": "text"}, columns={"n": "bigint"})


def facts(*types: str) -> list[Recorded[Any]]:
    """Facts from position 1 on, chained; their data is their position."""
    made: list[Recorded[Any]] = []
    before = ZERO_CHAIN
    for position, type_ in enumerate(types, 1):
        leaf = position.to_bytes(32, "big")
        before = chain.link(before, position, leaf)
        made.append(
            Recorded(
                position=position,
                stream=StreamId("acme", "workspace:acme"),
                stream_version=position,
                type=type_,
                schema=1,
                at=datetime(2026, 12, 1, tzinfo=UTC),
                actor="nobody",
                command_id="",
                causation=None,
                correlation=None,
                data=str(position).encode(),
                leaf=leaf,
                chain=before,
                decode=lambda _type, _schema, data: int(data),
            )
        )
    return made


def view(name: str, poison: int | None = None) -> Projection:
    """A view of every `workspace.created`, which cannot take the fact at `poison`."""

    def project(fact: Recorded[Any]) -> Iterator[Write]:
        if fact.position == poison:
            raise ArithmeticError("too much")
        yield Put(SEEN, (name,), {"n": fact.position})

    return Projection(name=name, version=1, tables=[SEEN], events=[WorkspaceCreated], project=project)


KNOWN = WorkspaceCreated.TYPE


class Untouched:
    """A connection that nothing may be written to."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was called")


def points(history: list[Recorded[Any]], *views: Projection) -> list[Checkpoint]:
    begin = {one: Checkpoint(name=one.name, version=1) for one in views}
    return list(gather(list(views), history).points(begin))


def test_P16_a_fact_that_a_view_cannot_take_stops_it_before_that_fact_and_no_other_view() -> None:
    history = facts(KNOWN, KNOWN, KNOWN)
    poisoned, well = points(history, view("a", poison=2), view("b"))

    assert (poisoned.position, poisoned.stopped_at, poisoned.chain) == (1, 2, history[0].chain)
    assert poisoned.reason is not None
    assert "ArithmeticError: too much" in poisoned.reason
    assert (well.position, well.stopped_at, well.chain) == (3, None, history[2].chain)


def test_P16_what_a_stopped_view_would_have_written_later_is_not_written() -> None:
    poisoned = view("a", poison=2)
    batch = gather([poisoned], facts(KNOWN, KNOWN, KNOWN)).batch
    batch.load(SEEN, [])

    assert [row for moved in batch.fold() for row in moved.created()] == [["a", 1, 1]]


def test_P16_a_type_that_this_version_does_not_know_stops_every_view_before_it() -> None:
    history = facts(KNOWN, "workspace.sublimated", KNOWN)
    for point in points(history, view("a"), view("b")):
        assert (point.position, point.stopped_at) == (1, 2)
        assert point.reason is not None
        assert "does not know the type" in point.reason


@pytest.mark.parametrize("known", [b"another history's".ljust(32), bytes(32)])
async def test_P15_facts_that_do_not_continue_what_was_read_are_another_history(known: bytes) -> None:
    history, a_view = facts(KNOWN, KNOWN), view("a")
    point = Checkpoint(name="a", version=1, position=1, chain=known)
    with pytest.raises(ForkedHistory):
        await advance(cast(Any, Untouched()), {a_view: point}, gather([a_view], history[1:]))


async def test_P15_facts_that_leave_a_position_out_are_a_mistake_of_the_caller() -> None:
    history, a_view = facts(KNOWN, KNOWN), view("a")
    with pytest.raises(ValueError, match="do not follow"):
        await advance(cast(Any, Untouched()), {a_view: Checkpoint(name="a", version=1)}, gather([a_view], history[1:]))
