"""
Requests drawn from the published document, sent as each role: no surprise, and no event after a refusal.

Half of them keep to the document and half do not. `EVENTJOBS_TEST_EXAMPLES` draws more of them, at random.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from eventjobs.api.openapi import build
from eventjobs.domain.access import ROLES
from eventjobs.runner.projector import Projector
from tests.api.elsewhere import Elsewhere, elsewhere
from tests.api.rig import schedule, with_workspace

EXAMPLES = int(os.environ.get("EVENTJOBS_TEST_EXAMPLES", "3"))
DOCUMENT = schemathesis.openapi.from_dict(build("0.0.0"))
ENDLESS = {"/v1/{workspace}/live"}
OPERATIONS = {
    f"{operation.method.upper()} {operation.path}": operation
    for operation in (found.ok() for found in DOCUMENT.get_all_operations())
    if operation.path not in ENDLESS
}
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
KNOWN = {
    "workspace": ["acme", "acme", "acme", "*", "other"],
    "id": ["load", "nap", "nightly", "weekly", "run-1", "acme"],
    "run": ["run-1", "run-2"],
    "stream": ["schedule:nightly", "run:run-1", "service:load"],
}
YES = {True, "true", "1"}
WAIT_S = 0.1
BY_THE_WAY = {"everything", "reader", "nobody"}
"""Who sends what does not keep to the document: it is refused before or after the roles are asked for."""
CASES = [
    pytest.param(name, mode, id=f"{name} {mode.value}")
    for name, operation in OPERATIONS.items()
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or operation.path_parameters or operation.query or operation.body
]


@pytest.fixture(scope="module")
def served(database_url: str) -> Iterator[Elsewhere]:
    """A server that waits for no view, with two workspaces, two services, two schedules and two runs."""
    with pytest.MonkeyPatch.context() as patch, elsewhere(database_url, body_timeout_s=2.0) as here:
        patch.setattr("eventjobs.api.moment.WAIT_S_MAX", WAIT_S)
        here.ask(_furnish(here))
        yield here


async def _furnish(here: Elsewhere) -> None:
    rig = here.rig
    await with_workspace(rig)
    assert (await rig.post("/v1/workspaces", {"id": "other"})).status == 201
    batch: list[dict[str, Any]] = [{"command": "AddService", "data": {"id": "nap", "handler": "noop"}}]
    batch += [{"command": "CreateSchedule", "data": schedule(name)} for name in ("nightly", "weekly")]
    batch += [{"command": "RunNow", "data": {"owner": {"kind": "schedule", "id": "nightly"}, "id": "run-1"}}]
    batch += [{"command": "RunNow", "data": {"owner": {"kind": "service", "id": "nap"}, "id": "run-2"}}]
    assert {one["status"] for one in (await rig.post("/v1/acme/commands", batch)).json} == {201}


@pytest.fixture(scope="module")
def keys(served: Elsewhere) -> dict[str, str]:
    """A key of each role in `acme`, of one that only reads there, of one that may everything, and none."""
    of_roles = {role: served.ask(served.rig.issue(role, id=f"as-{role}")) for role in ROLES}
    read_only = served.ask(served.rig.issue("administrator", id="as-read-only", read_only=True))
    return {**of_roles, "read_only": read_only, "everything": served.rig.key, "nobody": "ej_nobody_at_all"}


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_it_is_answered_as_the_document_says(
    served: Elsewhere, keys: dict[str, str], name: str, mode: GenerationMode
) -> None:
    operation = OPERATIONS[name]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize="EVENTJOBS_TEST_EXAMPLES" not in os.environ,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def answered(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if mode is GenerationMode.POSITIVE:
            _meet_what_is_there(data, case)
        for who, key in keys.items():
            if mode is GenerationMode.POSITIVE or who in BY_THE_WAY:
                _send(served, case, key)

    answered()


def _meet_what_is_there(data: st.DataObject, case: schemathesis.Case) -> None:
    """Put names of things that there are into most of the places that name one."""
    bodies = [case.body] if isinstance(case.body, dict) else []
    bodies += [body["owner"] for body in bodies if isinstance(body.get("owner"), dict)]
    for place in (case.path_parameters, *bodies):
        for field in sorted(KNOWN.keys() & place.keys()):
            if data.draw(st.integers(0, 4)):
                place[field] = data.draw(st.sampled_from(KNOWN[field]))


def _send(served: Elsewhere, case: schemathesis.Case, key: str) -> None:
    before = served.head
    headers = {"Authorization": f"Bearer {key}", "Origin": served.rig.url}
    response = case.call(base_url=served.rig.url, headers=headers)
    case.validate_response(response, checks=CHECKS)
    if response.status_code < 400:
        assert case.method != "GET" or served.head == before
        return
    problem = response.json()
    assert response.status_code < 500 or (response.status_code, problem["code"]) == (503, "view_behind"), problem
    left = [fact.type for fact in served.ask(served.rig.log.read(before, 10))]
    is_tried = case.query.get("dry_run") in YES or "/plans/" in case.path
    is_recorded = response.status_code == 403 and not is_tried
    assert left == (["access.attempt_refused"] if is_recorded else []), problem
    assert (problem["status"], problem["request_id"]) == (response.status_code, response.headers["x-request-id"][0])


def test_the_views_hold_whatever_was_accepted(served: Elsewhere) -> None:
    following = served.rig.deps.following
    assert isinstance(following, Projector)
    assert following.trouble() is None
    assert served.ask(following.wait_for(served.head, 20.0)), f"they stopped at {following.position()}"
