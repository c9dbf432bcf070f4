"""
One command a request.

`dry_run=true` decides and appends nothing; `Idempotency-Key` makes a repetition answer with what was; `If-Match`
refuses what was decided on an older definition.
"""

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import orjson
from aiohttp import web
from structlog.contextvars import bind_contextvars

from eventjobs.api.answers import POSITION, json_answer
from eventjobs.api.body import read_body
from eventjobs.api.deps import ApiDeps
from eventjobs.api.dry_run import dry_run
from eventjobs.api.field_errors import validated
from eventjobs.api.json_text import read_json
from eventjobs.api.problems import RETRY_AFTER_S, HttpRefusal
from eventjobs.api.registry import Call, Query
from eventjobs.api.targets import dry_run_for_targets, run_for_targets, targets_of
from eventjobs.commands import PUBLIC
from eventjobs.commands.context import Context
from eventjobs.commands.outcomes import Keyed, Outcome
from eventjobs.commands.spec import CommandSpec
from eventjobs.commands.target_fields import Targets
from eventjobs.errors import Forbidden, Rejected

KEY_CHARS_MAX: Final = 255
CREATED: Final = 201
OK: Final = 200

_SPECS: Final[Mapping[str, CommandSpec[Any]]] = {spec.name: spec for spec in PUBLIC}
_VERSION: Final = re.compile(r'"(\d{1,18})"')
_SORTED: Final = orjson.OPT_SORT_KEYS


class CommandQuery(Query):
    """How a command is run."""

    dry_run: bool = False


def find_command(name: str) -> CommandSpec[Any]:
    """Return the command; raises 404 for an unknown one."""
    spec = _SPECS.get(name)
    if spec is None:
        raise HttpRefusal(404, "unknown_command", "there is no such command")
    return spec


async def named_command(call: Call) -> web.StreamResponse:
    """Run the command that the path names."""
    return await run_command(call, find_command(call.parameter("command")))


async def create_workspace(call: Call) -> web.StreamResponse:
    """Make a workspace."""
    return await run_command(call, find_command("CreateWorkspace"))


async def run_command(call: Call, spec: CommandSpec[Any]) -> web.StreamResponse:
    """Run one command from a request's body and answer with what became of it."""
    refuse_while_draining(call.deps)
    context = call.context(call.workspace)
    bind_contextvars(command_id=context.command_id)
    await call.deps.dispatcher.authorise(spec, context, record=not call.query.dry_run)
    key, if_match = idempotency_key(call.request), _if_match(call.request)
    body = await read_body(call.request, call.deps.body_timeout_s)
    document = read_json(body)
    command = validated(spec.command, body)
    targets = targets_of(command)
    if targets is not None:
        return await _for_targets(call, spec, targets, context, key, canonical(document))
    if call.query.dry_run:
        return json_answer(call.request_id, await dry_run(call, spec, command, context, if_match))
    keyed = None if key is None else in_scope(context, key, spec, canonical(document))
    try:
        outcome = await call.deps.dispatcher.dispatch(spec, command, context, if_match=if_match, keyed=keyed)
    except Rejected as refusal:
        call.deps.count_command(spec.name, "refused")
        await record_forbidden(call.deps, spec, context, refusal)
        raise
    call.deps.count_command(spec.name, "replayed" if outcome.replayed else "accepted")
    return _answer(call, outcome)


async def _for_targets(
    call: Call, spec: CommandSpec[Any], targets: Targets, context: Context, key: str | None, content: bytes
) -> web.StreamResponse:
    if call.query.dry_run:
        return await dry_run_for_targets(call, spec, targets, context)

    def key_in(there: Context) -> Keyed | None:
        return None if key is None else in_scope(there, key, spec, content)

    return await run_for_targets(call, spec, targets, context, key_in)


def refuse_while_draining(deps: ApiDeps) -> None:
    """Raise 503 when this instance is on its way out."""
    if deps.draining.is_set():
        raise HttpRefusal(
            503,
            "draining",
            "this instance is stopping; nothing was written",
            extra={"outcome": "none"},
            headers={"Retry-After": RETRY_AFTER_S},
            close=True,
        )


def idempotency_key(request: web.Request) -> str | None:
    """Return the request's key; raises 400 for one that cannot be kept."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and (not is_key(key) or len(request.headers.getall("Idempotency-Key")) > 1):
        raise HttpRefusal(
            400, "bad_idempotency_key", f"a key is 1 to {KEY_CHARS_MAX} visible ASCII characters without a space"
        )
    return key


def is_key(key: str) -> bool:
    """Tell whether a text can be an idempotency key."""
    return 0 < len(key) <= KEY_CHARS_MAX and key.isascii() and key.isprintable() and " " not in key


def canonical(document: Any) -> bytes:
    """Return a document as JSON that is the same whatever the order of its fields."""
    return orjson.dumps(document, option=_SORTED)


def in_scope(context: Context, key: str, spec: CommandSpec[Any], content: bytes) -> Keyed:
    """Return the key in its scope (workspace and actor), and what it stands for: a command with its canonical body."""
    body_hash = hashlib.sha256(spec.name.encode() + b"\n" + content).digest()
    return Keyed(key=f"{context.workspace} {context.actor} {key}", body_hash=body_hash)


def outcome_status(outcome: Outcome) -> int:
    """201 where something was decided, 200 where nothing was to do."""
    return CREATED if outcome.decided else OK


def outcome_document(outcome: Outcome) -> Mapping[str, Any]:
    """Return what is answered to a command."""
    return {**outcome.answer, **outcome.secrets}


async def record_forbidden(deps: ApiDeps, spec: CommandSpec[Any], context: Context, refusal: Exception) -> None:
    """Record an attempt that the decision itself refused; the dispatcher's own refusals name roles and are recorded."""
    if isinstance(refusal, Forbidden) and "needed" not in refusal.extra:
        with suppress(Forbidden):
            await deps.dispatcher.refuse(spec.name, sorted(spec.roles), context)


def _answer(call: Call, outcome: Outcome) -> web.Response:
    status = outcome_status(outcome)
    headers = {POSITION: str(outcome.answer["position"])}
    if outcome.replayed:
        headers["Idempotency-Replayed"] = "true"
    return json_answer(call.request_id, outcome_document(outcome), status=status, headers=headers)


def _if_match(request: web.Request) -> int | None:
    given = request.headers.get("If-Match")
    if given is None:
        return None
    found = _VERSION.fullmatch(given.strip())
    if found is None or len(request.headers.getall("If-Match")) > 1:
        raise HttpRefusal(400, "bad_if_match", 'send the version of the thing\'s ETag, e.g. If-Match: "3"')
    return int(found[1])
