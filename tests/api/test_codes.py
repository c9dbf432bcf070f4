"""The list of codes holds every code that is raised anywhere."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from eventjobs.api.codes import CODES, stable
from eventjobs.api.problems import TITLES
from tests.api.rig import Rig

SOURCE = Path(__file__).parents[2] / "src" / "eventjobs"
STATUSES = {"Invalid": 422, "NotFound": 404, "Conflict": 409, "Forbidden": 403, "Stale": 412, "Rejected": 422}
AT_START_ONLY = {"handler_name_taken"}


def raised() -> Iterator[tuple[str, int, str]]:
    """Find the codes in calls of the errors' constructors: file, status, code."""
    for part in ("api", "auth", "commands", "domain", "handlers", "log", "projections"):
        for file in sorted((SOURCE / part).rglob("*.py")):
            for call in ast.walk(ast.parse(file.read_text())):
                if isinstance(call, ast.Call):
                    yield from ((file.name, status, code) for status, code in _codes(call))


def _codes(call: ast.Call) -> Iterator[tuple[int, str]]:
    name = ast.unparse(call.func)
    arguments = [one.value if isinstance(one, ast.Constant) else None for one in call.args]
    if name in STATUSES and isinstance(arguments[0], str):
        yield STATUSES[name], arguments[0]
    elif name in ("Invalid.at", "FieldError") and isinstance(arguments[1], str):
        yield 422, arguments[1]
    elif name == "HttpRefusal" and isinstance(arguments[0], int) and isinstance(arguments[1], str):
        yield arguments[0], arguments[1]
    elif name == "Problem":
        given = {one.arg: one.value.value for one in call.keywords if isinstance(one.value, ast.Constant)}
        if isinstance(given.get("status"), int) and isinstance(given.get("code"), str):
            yield given["status"], given["code"]


def test_every_code_that_is_raised_is_listed() -> None:
    found = list(raised())
    everywhere = {code for codes in CODES.values() for code in codes} | AT_START_ONLY

    missing = [one for one in found if one[2] not in everywhere]
    elsewhere = [one for one in found if one[2] in everywhere - AT_START_ONLY and one[2] not in CODES[one[1]]]
    assert missing == []
    assert [one for one in elsewhere if one[2] != "bad_cursor"] == []
    assert len(found) > 80


def test_every_status_with_a_title_has_codes() -> None:
    assert set(TITLES) == set(CODES)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("extra_forbidden", "unknown_field"),
        ("string_type", "wrong_type"),
        ("url_scheme", "invalid_value"),
        ("too_long", "too_long"),
        ("already_running", "already_running"),
        ("not_json_type", "not_json_type"),
    ],
)
def test_a_models_own_kinds_do_not_get_out(code: str, shown: str) -> None:
    assert stable(code) == shown


def test_the_kinds_that_models_raise_have_codes() -> None:
    class Odd(BaseModel):
        number: int

    with pytest.raises(ValidationError) as raised_error:
        Odd.model_validate_json('{"number": "x"}')
    assert stable(raised_error.value.errors()[0]["type"]) in CODES[422]


async def test_a_configuration_is_refused_with_the_same_codes(rig: Rig) -> None:
    refused = await rig.command("AddService", {"handler": "noop", "config": {"bad": 1}})

    assert (refused.status, refused.code) == (422, "unknown_field")
    assert refused.json["errors"] == [{"path": "config.bad", "code": "unknown_field", "detail": "no such field"}]
