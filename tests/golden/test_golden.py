"""Every fact that was ever stored can be read, and what is written today looks as it did."""

from typing import Any

import pytest

from eventjobs.events import EVENT_TYPES
from eventjobs.log.codec import Codec
from tests.golden.examples import FOLDER, example, file_of

CODEC = Codec(EVENT_TYPES)
VERSIONS = [(cls, schema) for cls in EVENT_TYPES for schema in range(1, cls.SCHEMA + 1)]

every_type = pytest.mark.parametrize("cls", EVENT_TYPES, ids=lambda cls: cls.TYPE)


@pytest.mark.parametrize(("cls", "schema"), VERSIONS, ids=lambda part: getattr(part, "TYPE", part))
def test_every_version_of_every_type_has_a_readable_example(cls: type[Any], schema: int) -> None:
    file = file_of(cls, schema)
    assert file.exists(), "write it with: python -m tests.golden.examples"
    assert isinstance(CODEC.decode(cls.TYPE, schema, file.read_bytes()), cls)


@every_type
def test_what_is_written_today_is_the_example_byte_for_byte(cls: type[Any]) -> None:
    stored = file_of(cls, cls.SCHEMA).read_bytes()
    assert CODEC.encode(CODEC.decode(cls.TYPE, cls.SCHEMA, stored)) == stored


@every_type
def test_a_fact_reads_back_as_itself(cls: type[Any]) -> None:
    fact = example(cls, cls.TYPE)
    assert CODEC.decode(cls.TYPE, cls.SCHEMA, CODEC.encode(fact)) == fact


@every_type
def test_a_type_is_named_by_its_kind_and_a_past_participle(cls: type[Any]) -> None:
    kind, _, what = cls.TYPE.partition(".")
    assert kind.replace("_", "").isalpha()
    assert what.replace("_", "").isalpha()
    assert cls.TYPE.lower() == cls.TYPE


def test_no_example_is_left_of_a_type_that_was_taken_out() -> None:
    assert {file.name for file in FOLDER.glob("*.json")} == {file_of(cls, schema).name for cls, schema in VERSIONS}
