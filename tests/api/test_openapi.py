"""The document: valid, current, and no promise in it that the service does not keep."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import pytest
from openapi_spec_validator import validate

from eventjobs.api.openapi import build, document
from eventjobs.api.problems import TITLES
from eventjobs.api.registry import Scope
from eventjobs.api.routes import ROUTES
from eventjobs.commands import PUBLIC
from tests.api.rig import Rig, started

STORED = Path(__file__).parents[2] / "docs" / "openapi.json"
DOCUMENT = build("0.0.0")
WRITE_NO_FACTS = ("signIn", "beginSignIn", "finishSignIn", "planCalendar", "planCrontab", "planDefinition")


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, one) for path, methods in DOCUMENT["paths"].items() for method, one in methods.items()]


def test_it_is_a_valid_openapi_3_1_document() -> None:
    validate(orjson.loads(orjson.dumps(DOCUMENT)))
    assert DOCUMENT["openapi"].startswith("3.1")


def test_the_stored_copy_is_current() -> None:
    assert STORED.read_bytes() == document(version("eventjobs")), (
        "write it anew: python -m eventjobs.api.openapi > docs/openapi.json"
    )


def test_every_route_and_every_command_is_in_it_and_nothing_else() -> None:
    expected = {(route.method.lower(), route.path) for route in ROUTES if not route.is_command}
    expected |= {("post", f"/v1/{{workspace}}/commands/{spec.name}") for spec in PUBLIC}

    assert {(method, path) for path, method, _ in operations()} == expected


def test_no_internal_command_is_named() -> None:
    text = document("0.0.0").decode()

    assert "AdvanceRun" not in text
    assert "AnswerDue" not in text


def test_names_are_told_once() -> None:
    names = [one["operationId"] for _, _, one in operations()]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("spec", PUBLIC, ids=lambda spec: spec.name)
def test_every_commands_example_is_a_command(spec: Any) -> None:
    assert spec.example is not None
    assert spec.summary
    spec.command.model_validate_json(orjson.dumps(spec.example))


@pytest.mark.parametrize(("path", "method", "operation"), operations(), ids=lambda value: str(value)[:60])
def test_every_operation_lists_its_answers_and_its_problems(path: str, method: str, operation: dict[str, Any]) -> None:
    statuses = set(operation["responses"])

    assert {"421", "500"} <= statuses
    if operation["security"]:
        assert {"400", "401", "503"} <= statuses
    if "{workspace}" in path:
        assert "404" in statuses
    if method == "post":
        assert {"408", "413", "415", "422", "503"} <= statuses
        assert {"409", "507"} <= statuses or operation["operationId"] in WRITE_NO_FACTS
    if method == "post" and operation["security"] and operation["operationId"] not in WRITE_NO_FACTS:
        assert {"403", "412"} <= statuses
    assert all(int(status) in TITLES or status in ("200", "201", "204") for status in statuses)


def test_parameters_in_paths_are_declared() -> None:
    for path, _, operation in operations():
        declared = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
        assert [f"{{{name}}}" in path for name in declared] == [True] * path.count("{")


def test_only_operations_routes_are_open() -> None:
    open_ones = {route.path for route in ROUTES if route.scope is Scope.OPEN}

    assert open_ones == {"/healthz", "/livez", "/readyz", "/metrics"}


async def test_it_is_served_to_anybody() -> None:
    async with started() as rig:
        answered = await rig.get("/openapi.json", key=None)

        assert (answered.status, answered.json) == (200, orjson.loads(document("0.0.0")))


async def test_statuses_that_were_answered_are_in_it(rig: Rig) -> None:
    answers = [
        await rig.command("AddService", {"handler": "noop"}),
        await rig.command("AddService", {}),
        await rig.command("AddService", b"{"),
        await rig.command("AddService", {}, headers={"Content-Type": "text/plain"}),
        await rig.command("AddService", {}, key=None),
        await rig.command("AddService", {}, workspace="absent"),
    ]

    listed = DOCUMENT["paths"]["/v1/{workspace}/commands/AddService"]["post"]["responses"]
    assert [str(answered.status) in listed for answered in answers] == [True] * len(answers)
