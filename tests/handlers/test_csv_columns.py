from dataclasses import replace
from typing import Any

import pytest

from eventjobs.errors import JobFailed
from eventjobs.handlers.csv_columns import normalised, target_of
from eventjobs.handlers.csv_config import CsvImportConfig, RejectLimit
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.postgres.tables import canonical_type
from tests.handlers.conftest import REGISTRY


def config(**given: Any) -> CsvImportConfig:
    return CsvImportConfig.model_validate({"source": "x.csv", "table": "x", **given})


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("id", "id"),
        (" First Name ", "first_name"),
        ("E-Mail", "e_mail"),
        ("Straße", "strasse"),
        ("Café №1", "cafe_no1"),
        ("2nd", "_2nd"),
        ("a__b", "a_b"),
        ("日本", ""),
        ("'; DROP TABLE x", "drop_table_x"),
    ],
)
def test_a_header_becomes_a_plain_name(header: str, column: str) -> None:
    assert normalised(header) == column


def test_the_map_wins_over_the_rule_and_null_leaves_out() -> None:
    target = target_of(config(header={"日本": "japan", "Junk": None}), ["ID", "日本", "Junk"])
    assert (target.columns, target.loaded) == (["id", "japan", None], ["id", "japan"])


def test_without_a_header_the_columns_are_those_of_the_configuration_in_their_order() -> None:
    target = target_of(config(has_header=False, columns={"b": "int", "a": "text"}), None)
    assert (target.columns, target.types) == (["b", "a"], {"b": "integer", "a": "text"})


@pytest.mark.parametrize("header", [["日本"], ["x" * 64], [None], ["a", " A "], ["!"]])
def test_a_header_that_makes_no_name_or_the_same_twice_is_refused(header: list[str | None]) -> None:
    with pytest.raises(JobFailed) as failed:
        target_of(config(), header)
    assert not failed.value.retryable


def test_a_source_of_which_nothing_is_loaded_is_refused() -> None:
    with pytest.raises(JobFailed, match="1 to 1000"):
        target_of(config(header={"a": None}), ["a"])


@pytest.mark.parametrize(
    ("declared", "canonical"),
    [
        ("INT", "integer"),
        ("int8", "bigint"),
        ("numeric", "numeric"),
        ("Decimal( 12 , 2 )", "numeric(12,2)"),
        ("numeric(5)", "numeric(5,0)"),
        ("varchar(20)", "character varying(20)"),
        ("char(2)", "character(2)"),
        ("double  precision", "double precision"),
        ("timestamptz", "timestamp with time zone"),
        ("uuid", "uuid"),
        ("text; DROP TABLE x", None),
        ("text)", None),
        ("varchar", None),
        ("regclass", None),
        ("varchar(0)", None),
        ("integer[]", None),
        ("", None),
    ],
)
def test_only_plain_types_can_be_declared(declared: str, canonical: str | None) -> None:
    assert canonical_type(declared) == canonical


@pytest.mark.parametrize(
    ("limit", "rejected", "processed", "exceeded"),
    [
        (0, 0, 0, False),
        (0, 1, 10, True),
        (3, 3, 3, False),
        ("0%", 1, 1_000_000, True),
        ("0.57%", 57, 10_000, False),
        ("0.57%", 58, 10_000, True),
        ("5%", 1, 19, True),
        ("5%", 1, 20, False),
        ("100%", 3, 3, False),
        ({"count": 2, "percent": 50}, 2, 4, False),
        ({"count": 2, "percent": 50}, 3, 6, True),
        ({"count": 2, "percent": 50}, 2, 3, True),
        ({}, 9, 9, False),
    ],
)
def test_G50_rejects_up_to_the_limit_are_allowed(
    limit: int | str | dict[str, float], rejected: int, processed: int, exceeded: bool
) -> None:
    wanted = config(reject_limit=limit).reject_limit
    assert isinstance(wanted, RejectLimit)
    assert wanted.exceeded(rejected, processed) is exceeded


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "merge"},
        {"mode": "merge", "keys": ["a", "a"]},
        {"table": 'x"; DROP TABLE y; --'},
        {"table": "Übersicht"},
        {"table": "a" * 64},
        {"table": "eventjobs_loads"},
        {"table": ""},
        {"keys": ["a b"]},
        {"header": {"a": 'b"'}},
        {"database": "secret://warehouse", "schema": "a.b"},
        {"mode": "upsert"},
        {"columns": {}},
        {"columns": {"a b": "text"}},
        {"columns": {"a": "nope"}},
        {"has_header": False},
        {"source": "sftp://host/x.csv"},
        {"source": "file:///etc/passwd"},
        {"source": "http://127.0.0.1/x.csv"},
        {"dialect": {"delimiter": ";;"}},
        {"dialect": {"delimiter": '"'}},
        {"dialect": {"delimiter": "\n"}},
        {"dialect": {"null": "a,b"}},
        {"dialect": {"quote": "ü"}},
        {"encoding": "rot13"},
        {"reject_limit": -1},
        {"reject_limit": "5"},
        {"reject_limit": "101%"},
        {"reject_limit": {"percent": 101}},
        {"schema": "other"},
        {"database": "mysql://x"},
        {"database": "postgresql://user:password@host/db"},
        {"timeout": "PT0S"},
        {"unknown": 1},
    ],
)
def test_a_wrong_configuration_is_known_when_the_job_is_defined(wrong: dict[str, Any]) -> None:
    registry = replace(REGISTRY, rules={"outbound": OutboundRules()})
    assert registry.problems("csv.import", {"source": "x.csv", "table": "x", **wrong})
    assert not registry.problems("csv.import", {"source": "x.csv", "table": "x"})
