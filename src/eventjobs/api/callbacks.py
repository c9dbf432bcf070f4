"""
Callbacks of suspended flows: nobody's key is asked for, the signature in the path is the right.

A token that is none of ours, or whose time is over, is answered like one that never was.
"""

from typing import Final

from aiohttp import web

from eventjobs.api.answers import POSITION, json_answer
from eventjobs.api.body import read_body
from eventjobs.api.commands import outcome_document, outcome_status, refuse_while_draining
from eventjobs.api.field_errors import validated
from eventjobs.api.json_text import read_json
from eventjobs.api.registry import Call
from eventjobs.auth.callbacks import Callback
from eventjobs.commands import answer_callback
from eventjobs.commands.answer_callback import AnswerCallback, CallbackFields
from eventjobs.commands.context import Context
from eventjobs.domain.streams import run_stream
from eventjobs.errors import NotFound
from eventjobs.outbound.secrets import Blanker

ACTOR: Final = "callback"


async def callback(call: Call) -> web.StreamResponse:
    """Record how a suspended flow ended; `201`, or `200` where the same was said before."""
    refuse_while_draining(call.deps)
    deps = call.deps
    found = deps.callbacks.read(call.workspace, call.parameter("token"), deps.clock.now())
    if found is None:
        raise NotFound("not_found", "there is no such callback, or its time is over")
    body = await read_body(call.request, deps.body_timeout_s)
    _ = read_json(body)
    command = _said(found, await _blanked(call, found, validated(CallbackFields, body)))
    outcome = await deps.dispatcher.dispatch(answer_callback.SPEC, command, _context(call, found))
    headers = {POSITION: str(outcome.answer["position"])}
    return json_answer(call.request_id, outcome_document(outcome), status=outcome_status(outcome), headers=headers)


async def _blanked(call: Call, found: Callback, fields: CallbackFields) -> CallbackFields:
    """Return what is said without the secrets that the flow was given, as what its handler says (SPEC decision 12)."""
    deps, stream = call.deps, run_stream(found.workspace, found.run)
    _ = await deps.dispatcher.states.refresh([stream])
    row = (await deps.dispatcher.states.load([stream]))[stream].state.rows.get(found.row)
    values = deps.secrets.known(found.workspace, {} if row is None else row.job.config)
    blanker = Blanker(values | {call.parameter("token")})
    return fields.model_copy(
        update={
            "detail": blanker.text(fields.detail),
            "counts": blanker.deep(fields.counts),
            "output": blanker.deep(fields.output),
        }
    )


def _said(found: Callback, fields: CallbackFields) -> AnswerCallback:
    return AnswerCallback(run=found.run, row=found.row, attempt=found.attempt, **dict(fields))


def _context(call: Call, found: Callback) -> Context:
    deps = call.deps
    return Context(
        workspace=found.workspace,
        now=deps.clock.now(),
        actor=ACTOR,
        command_id=call.request_id,
        ids=deps.ids,
        random=deps.random,
        instance=deps.instance,
        catalog=deps.catalog,
        limits=deps.limits,
        correlation=call.request_id,
    )
