"""Facts to bytes and back, strictly."""

import tracemalloc
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventjobs.errors import Invalid, UnknownEvent
from eventjobs.log.codec import Codec


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    number: int
    weight: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A fact that was once stored as `{"name", "part"}` (1) and then as `{"name", "parts": [number]}` (2)."""

    TYPE: ClassVar[str] = "thing.built"
    SCHEMA: ClassVar[int] = 3

    name: str
    parts: tuple[Part, ...] = ()
    colour: Colour = Colour.RED
    at: datetime | None = None
    more: Mapping[str, Any] | None = None


def _one_part_becomes_many(document: dict[str, Any]) -> dict[str, Any]:
    return {"name": document["name"], "parts": [document["part"]]}


def _numbers_become_parts(document: dict[str, Any]) -> dict[str, Any]:
    return {"name": document["name"], "parts": [{"number": number} for number in document["parts"]]}


UPCASTS = {("thing.built", 1): _one_part_becomes_many, ("thing.built", 2): _numbers_become_parts}
CODEC = Codec((Built,), UPCASTS)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc\\u0", max_size=3), inner, max_size=3),
    max_leaves=10,
)


def test_a_fact_is_read_as_it_was_written() -> None:
    event = Built(
        name='é\n"\\',
        parts=(Part(number=1, weight=0.5), Part(number=2)),
        at=datetime(2026, 12, 1, 20, tzinfo=UTC),
        more={"a": [1, None]},
    )
    data = CODEC.encode(event)
    assert (
        data
        == (
            '{"name":"é\\n\\"\\\\","parts":[{"number":1,"weight":0.5},{"number":2,"weight":null}],"colour":"red",'
            '"at":"2026-12-01T20:00:00Z","more":{"a":[1,null]}}'
        ).encode()
    )
    read = CODEC.decode("thing.built", 3, data)
    assert read == event
    assert read.colour is Colour.RED
    assert CODEC.encode(read) == data


@given(more=st.dictionaries(st.text("abc", max_size=3), json_values, max_size=4))
def test_what_json_has_is_carried_unchanged(more: dict[str, Any]) -> None:
    data = CODEC.encode(Built(name="n", more=more))
    assert b"\n" not in data
    read = CODEC.decode("thing.built", 3, data)
    assert read.more == more
    assert CODEC.encode(read) == data


def test_a_mapping_need_not_be_a_dict() -> None:
    assert b'"more":{"a":1}' in CODEC.encode(Built(name="n", more=MappingProxyType({"a": 1})))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("a\0b", "nul_character"),
        ("\\\0", "nul_character"),
        ("\ud800", "not_json"),
        (2**64, "not_json"),
        ({1: 2}, "not_json"),
        (object(), "not_json"),
        (float("nan"), "not_a_number"),
        ([{"deep": (float("inf"),)}], "not_a_number"),
        (Part(number=1, weight=float("-inf")), "not_a_number"),
    ],
)
def test_what_json_does_not_have_is_refused(value: Any, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        CODEC.encode(Built(name="n", more={"value": value}))
    assert refused.value.code == code


def test_a_document_too_deep_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    with pytest.raises(Invalid):
        CODEC.encode(Built(name="n", more={"deep": deep}))


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "null"])
def test_what_only_looks_odd_is_carried(text: str) -> None:
    assert CODEC.decode("thing.built", 3, CODEC.encode(Built(name=text, more={"a": None}))).name == text


def test_an_odd_number_beside_an_honest_null_is_refused() -> None:
    with pytest.raises(Invalid):
        CODEC.encode(Built(name="n", parts=(Part(number=1), Part(number=2, weight=float("nan")))))


@pytest.mark.parametrize(
    "data",
    [
        b'{"name":"n","surplus":1}',
        b'{"name":"n","parts":[{"number":1,"surplus":1}]}',
        b'{"parts":[]}',
        b'{"name":1}',
        b'{"name":"n","parts":[{"number":"1"}]}',
        b'{"name":"n","colour":"blue"}',
        b'{"name":"n","at":1700000000}',
        b'{"name":"n"',
        b"[]",
    ],
)
def test_another_shape_is_not_guessed_at(data: bytes) -> None:
    with pytest.raises(UnknownEvent):
        CODEC.decode("thing.built", 3, data)


@pytest.mark.parametrize(("type_", "schema"), [("thing.unknown", 1), ("thing.built", 4), ("thing.built", 0)])
def test_a_type_or_schema_of_another_version_is_unknown(type_: str, schema: int) -> None:
    with pytest.raises(UnknownEvent):
        CODEC.decode(type_, schema, orjson.dumps({"name": "n"}))


def test_a_fact_that_is_kept_takes_little_more_room_than_its_bytes() -> None:
    codec, fact = Codec([Built]), Built(name="thing")
    _ = codec.encode(fact)
    tracemalloc.start()
    try:
        kept = [codec.encode(fact) for _ in range(1_000)]
        room, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert room < 2 * 1_000 * (len(kept[0]) + 100)


def test_old_facts_are_lifted_step_by_step() -> None:
    wanted = Built(name="n", parts=(Part(number=7),))
    assert CODEC.decode("thing.built", 1, b'{"name":"n","part":7}') == wanted
    assert CODEC.decode("thing.built", 2, b'{"name":"n","parts":[7]}') == wanted


def test_a_missing_step_makes_a_fact_unknown() -> None:
    with pytest.raises(UnknownEvent, match="from version 1"):
        Codec((Built,), {("thing.built", 2): _numbers_become_parts}).decode("thing.built", 1, b'{"name":"n","part":7}')


def test_only_registered_classes_are_written() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Twin:
        TYPE: ClassVar[str] = "thing.built"
        SCHEMA: ClassVar[int] = 3

    with pytest.raises(UnknownEvent):
        CODEC.encode(Twin())
    with pytest.raises(ValueError, match="share"):
        Codec((Built, Twin))
