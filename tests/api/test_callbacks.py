"""The signed callback of a suspended flow, over HTTP: no key, its signature is the right."""

from datetime import timedelta
from typing import Any

import pytest

from eventjobs.auth.callbacks import Callback
from eventjobs.commands import advance_run
from eventjobs.commands.advance_run import AdvanceRun
from eventjobs.commands.context import Context
from eventjobs.commands.ending import AttemptResult
from eventjobs.events.run import JobRunAnswered
from eventjobs.outbound.secrets import SecretStore, variable
from tests.api.rig import Answered, Rig, started, with_workspace

OK = {"state": "succeeded", "output": {"approved": True}, "counts": {"approved": 1}}


def path(rig: Rig, *, run: str = "r1", attempt: int = 1, workspace: str = "acme", ahead_s: float = 60) -> str:
    until = rig.deps.clock.now() + timedelta(seconds=ahead_s)
    callback = Callback(workspace=workspace, run=run, row=1, attempt=attempt, until=until)
    return f"/v1/acme/callbacks/{rig.deps.callbacks.token(callback)}"


async def suspend(rig: Rig, **config: Any) -> None:
    """Let the flow `approve` be suspended in the run `r1`, as its worker would."""
    await rig.command("AddFlow", {"id": "approve", "handler": "python", "config": config})
    opened = await rig.command("RunNow", {"owner": {"kind": "flow", "id": "approve"}, "id": "r1"})
    assert opened.status == 201, opened.body
    for ended in ((), (AttemptResult(row=1, attempt=1, state="suspended"),)):
        command = AdvanceRun(run="r1", term=1, ended=ended)
        await rig.deps.dispatcher.dispatch(advance_run.SPEC, command, _context(rig))


def _context(rig: Rig) -> Context:
    deps = rig.deps
    return Context(
        workspace="acme",
        now=deps.clock.now(),
        actor="instance:one",
        command_id=deps.ids.new(),
        ids=deps.ids,
        random=deps.random,
        instance="one",
        catalog=deps.catalog,
        limits=deps.limits,
    )


async def say(rig: Rig, where: str, body: Any = None) -> Answered:
    return await rig.post(where, OK if body is None else body, key=None)


async def test_an_answer_needs_no_key_and_is_recorded_once(rig: Rig) -> None:
    await suspend(rig)
    where = path(rig)
    first, again, other = await say(rig, where), await say(rig, where), await say(rig, where, {"state": "failed"})

    assert (first.status, [event["type"] for event in first.json["events"]]) == (201, ["job_run.answered"])
    assert (again.status, again.json["events"]) == (200, [])
    assert (other.status, other.code) == (409, "callback_over")
    fact = next(fact for fact in reversed(await rig.facts()) if isinstance(fact.event, JobRunAnswered))
    assert (fact.actor, fact.event.output, fact.event.counts) == ("callback", {"approved": True}, {"approved": 1})


async def test_REL90_secrets_of_the_flow_and_its_address_are_blanked_also_where_one_of_them_is_gone() -> None:
    async with started(secrets=SecretStore(environment={variable("acme", "token"): "open-sesame"})) as rig:
        await with_workspace(rig)
        await suspend(rig, params={"gone": "secret://gone", "key": "secret://token"})
        where = path(rig)
        body = {"state": "errored", "detail": f"no open-sesame at {where}", "output": {"tried": ["open-sesame"]}}

        assert [(await say(rig, where, body)).status for _ in range(2)] == [201, 200]
        fact = next(fact for fact in reversed(await rig.facts()) if isinstance(fact.event, JobRunAnswered))
        assert fact.event.detail == "no *** at /v1/acme/callbacks/***"
        assert fact.event.output == {"tried": ["***"]}


async def test_what_was_not_signed_here_is_not_there(rig: Rig) -> None:
    await suspend(rig)
    good = path(rig)
    for where in (
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good.replace("~1~1~", "~1~2~"),
        path(rig, workspace="other"),
        path(rig, ahead_s=-5),
        "/v1/acme/callbacks/x",
        good.replace("/acme/", "/absent/"),
    ):
        answered = await say(rig, where)
        assert (answered.status, answered.code) == (404, "not_found"), where
    assert (await say(rig, path(rig, run="absent"))).status == 404
    assert (await say(rig, path(rig, attempt=2))).status == 409


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"state": "done"}, "unknown_value"),
        ({}, "missing"),
        ({**OK, "counts": {"n": -1}}, "number_out_of_range"),
        ({**OK, "row": 2}, "unknown_field"),
        ({**OK, "output": "x" * 70_000}, "too_long"),
    ],
)
async def test_a_wrong_body_says_what_is_wrong_and_loses_nothing(rig: Rig, body: dict[str, Any], code: str) -> None:
    await suspend(rig)
    answered = await say(rig, path(rig), body)
    assert (answered.status, answered.code) == (422, code)
    assert (await say(rig, path(rig))).status == 201


async def test_an_address_asks_as_fast_as_a_key_and_no_faster() -> None:
    async with started(requests_per_second=1.5) as rig:
        answers = [await say(rig, "/v1/acme/callbacks/x") for _ in range(3)]
        assert [answered.status for answered in answers] == [404, 404, 429]


async def test_an_instance_on_its_way_out_sends_the_caller_to_another(rig: Rig) -> None:
    await suspend(rig)
    rig.deps.draining.set()
    answered = await say(rig, path(rig))
    assert (answered.status, answered.json["outcome"]) == (503, "none")
