"""What operators and their machines ask: alive, ready, how much."""

from typing import Any

from aiohttp import web

from eventjobs.api.answers import headers_for, json_answer
from eventjobs.api.registry import Call
from eventjobs.telemetry.metrics import CONTENT_TYPE

UNAVAILABLE = 503


async def healthz(call: Call) -> web.StreamResponse:
    """Say that the process answers, what it is, and what the audit of occurrences found."""
    document: dict[str, Any] = {"status": "ok", "version": call.deps.version, "instance": call.deps.instance}
    audited = None if call.deps.ledger is None else call.deps.ledger()
    if audited is not None:
        document["ledger"] = audited
    return json_answer(call.request_id, document)


async def livez(call: Call) -> web.StreamResponse:
    """Say that the event loop turns; a restart helps when this does not answer."""
    return json_answer(call.request_id, {"status": "ok"})


async def readyz(call: Call) -> web.StreamResponse:
    """Say whether writes are accepted and the views are at most a second behind."""
    problems = ["draining"] if call.deps.draining.is_set() else list(await call.deps.readiness.problems())
    document = {"status": "unready" if problems else "ready", "problems": problems}
    return json_answer(call.request_id, document, status=UNAVAILABLE if problems else 200)


async def metrics(call: Call) -> web.StreamResponse:
    """Answer with the process's numbers."""
    headers = headers_for(call.request_id, Content_Type=CONTENT_TYPE)
    return web.Response(body=call.deps.metrics.render(), headers=headers)
