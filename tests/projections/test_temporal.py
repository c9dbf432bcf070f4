"""How a batch moves rows: present, past, conditions, sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventjobs.projections.temporal import Batch, Keeps, Put, Remove, Table, Write

VERSIONED = Table(name="v", key={"id": "text"}, columns={"a": "integer", "b": "text"})
CURRENT = Table(name="c", key={"id": "text"}, columns={"a": "integer", "b": "text"}, keeps=Keeps.LAST)

Stored = dict[str, list[object]]


def apply(stored: Stored, past: list[tuple[object, ...]], writes: list[tuple[int, Write]], table: Table) -> None:
    """Fold a batch over rows kept in memory."""
    batch = Batch()
    for position, write in writes:
        batch.extend(position, [write])
    if not writes:
        return
    batch.load(table, [stored[key] for (key,) in batch.keys(table) if key in stored])
    for moved in batch.fold():
        past += moved.past
        for row in (*moved.created(), *moved.updated()):
            stored[str(row[0])] = list(row)
        for (key,) in moved.removed():
            del stored[key]


def folded(*writes: tuple[int, Write], table: Table = VERSIONED) -> tuple[Stored, list[tuple[object, ...]]]:
    stored: Stored = {}
    past: list[tuple[object, ...]] = []
    apply(stored, past, list(writes), table)
    return stored, past


def test_columns_are_merged_and_every_version_is_kept() -> None:
    stored, past = folded(
        (1, Put(VERSIONED, ("x",), {"a": 1})),
        (4, Put(VERSIONED, ("x",), {"b": "two"})),
        (9, Put(VERSIONED, ("x",), {"a": 3})),
    )
    assert stored == {"x": ["x", 3, "two", 9]}
    assert past == [("x", 1, None, 1, 4), ("x", 1, "two", 4, 9)]


def test_one_fact_makes_one_version_however_often_it_writes() -> None:
    stored, past = folded(
        (1, Put(VERSIONED, ("x",), {"a": 1})), (1, Put(VERSIONED, ("x",), {"b": "b"})), (2, Put(VERSIONED, ("x",), {}))
    )
    assert stored == {"x": ["x", 1, "b", 2]}
    assert past == [("x", 1, "b", 1, 2)]


def test_a_condition_that_does_not_hold_makes_no_version() -> None:
    stored, past = folded(
        (1, Put(VERSIONED, ("x",), {"a": 1})),
        (2, Put(VERSIONED, ("x",), {"b": "first"}, only_if={"b": None})),
        (3, Put(VERSIONED, ("x",), {"b": "second"}, only_if={"b": None})),
        (4, Put(VERSIONED, ("y",), {"b": "nobody"}, only_if={"b": None})),
    )
    assert stored == {"x": ["x", 1, "first", 2]}
    assert past == [("x", 1, None, 1, 2)]


def test_numbers_are_raised_from_nothing() -> None:
    stored, _ = folded(*((n, Put(VERSIONED, ("x",), {}, add={"a": 1})) for n in (1, 2, 3)))
    assert stored == {"x": ["x", 3, None, 3]}


def test_what_is_not_versioned_has_no_past_and_can_go_and_come() -> None:
    stored, past = folded(
        (1, Put(CURRENT, ("x",), {"a": 1})),
        (2, Put(CURRENT, ("x",), {"a": 2})),
        (3, Remove(CURRENT, ("x",))),
        (4, Put(CURRENT, ("y",), {"a": 1})),
        (5, Remove(CURRENT, ("z",))),
        (6, Remove(CURRENT, ("y",))),
        (7, Put(CURRENT, ("y",), {"b": "new"})),
        table=CURRENT,
    )
    assert (stored, past) == ({"y": ["y", None, "new", 7]}, [])


def test_rows_of_versioned_tables_are_never_removed() -> None:
    with pytest.raises(TypeError, match="marked, not removed"):
        folded((1, Put(VERSIONED, ("x",), {})), (2, Remove(VERSIONED, ("x",))))


puts = st.builds(
    lambda table, key, a, b, only, add: Put(table, (key,), {**a, **b}, only, add),
    st.shared(st.sampled_from([VERSIONED, CURRENT]), key="table"),
    st.sampled_from(["x", "y", "z"]),
    st.sampled_from([{}, {"a": 1}, {"a": None}]),
    st.sampled_from([{}, {"b": "b"}]),
    st.sampled_from([None, None, {"a": None}, {"a": 1}]),
    st.sampled_from([None, {"a": 1}]),
)
removes = st.builds(lambda key: Remove(CURRENT, (key,)), st.sampled_from(["x", "y", "z"]))


@given(st.data())
def test_rows_are_the_same_however_facts_are_cut_into_batches(data: st.DataObject) -> None:
    table = data.draw(st.shared(st.sampled_from([VERSIONED, CURRENT]), key="table"))
    one = puts if table is VERSIONED else st.one_of(puts, removes)
    drawn = data.draw(st.lists(st.lists(one, max_size=3), max_size=12))
    facts = [(position, write) for position, writes in enumerate(drawn, 1) for write in writes]
    expected = folded(*facts, table=table)
    stored: Stored = {}
    past: list[tuple[object, ...]] = []
    begin = 1
    while begin <= len(drawn):
        end = begin + data.draw(st.integers(1, 4))
        apply(stored, past, [fact for fact in facts if begin <= fact[0] < end], table)
        begin = end
    assert (stored, sorted(past, key=repr)) == (expected[0], sorted(expected[1], key=repr))
