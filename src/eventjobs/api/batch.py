"""
Up to 1,000 commands in one request, in order, each on the state that the earlier ones left.

Each is accepted or refused by itself; with `atomic=true` all are, or none and the first refusal is the answer.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eventjobs.api.answers import POSITION, json_answer
from eventjobs.api.body import read_body
from eventjobs.api.commands import (
    KEY_CHARS_MAX,
    canonical,
    find_command,
    in_scope,
    is_key,
    outcome_document,
    outcome_status,
    record_forbidden,
    refuse_while_draining,
)
from eventjobs.api.deps import ApiDeps
from eventjobs.api.dry_run import dry_run_all
from eventjobs.api.field_errors import invalid, validated
from eventjobs.api.json_text import read_json
from eventjobs.api.problems import RETRY_AFTER_S, HttpRefusal, Problem, problem_of
from eventjobs.api.registry import Call, Query
from eventjobs.commands.batch import STRETCH, AtomicRefusal, Entry, run_all, run_each
from eventjobs.commands.outcomes import Outcome
from eventjobs.errors import Invalid, Rejected

ENTRIES_MAX: Final = 1_000
TURN_S_MAX: Final = 5.0


class BatchQuery(Query):
    """Whether the commands stand and fall together, and whether they are only previewed, which is for those that do."""

    atomic: bool = False
    dry_run: bool = False


class BatchEntry(BaseModel):
    """
    One command of a batch; `key` is its Idempotency-Key.

    `if_match` is the definition version that its thing had before an atomic batch: another one refuses all with 412.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    command: Annotated[str, Field(max_length=64)]
    data: dict[str, Any] = {}
    key: Annotated[str, Field(min_length=1, max_length=KEY_CHARS_MAX)] | None = None
    if_match: Annotated[int, Field(ge=0)] | None = None


async def command_batch(call: Call) -> web.StreamResponse:
    """Run the commands of a request's body."""
    refuse_while_draining(call.deps)
    if call.query.dry_run and not call.query.atomic:
        raise Invalid.at("dry_run", "missing", "a batch is previewed as a whole: with atomic=true as well")
    for header in ("Idempotency-Key", "If-Match"):
        if header in call.request.headers:
            raise Invalid("header_on_batch", f"{header} is for one command; an entry of a batch has its `key`")
    items = _items(read_json(await read_body(call.request, call.deps.body_timeout_s)))
    async with turn(call.deps, len(items)):
        record = not call.query.dry_run
        entries = [await _attempted(call, place, item, record=record) for place, item in enumerate(items)]
        if call.query.dry_run:
            return json_answer(call.request_id, await _previewed(call, entries))
        outcomes = await (_all(call, entries) if call.query.atomic else _each(call, entries))
        return _answer(call, items, outcomes)


async def preview_all(call: Call, items: Sequence[Any]) -> Mapping[str, Any]:
    """Return what commands would do as one; raises the first refusal, with its entry's place."""
    return await _previewed(
        call, [await _attempted(call, place, item, record=False) for place, item in enumerate(items)]
    )


@asynccontextmanager
async def turn(deps: ApiDeps, commands: int) -> AsyncIterator[None]:
    """
    Wait until few enough commands of batches are worked on; raises 503 when that takes too long.

    A batch has the event loop for as long as its commands take. If many had it at once, runs would start late.
    """
    async with AsyncExitStack() as taken:
        try:
            await taken.enter_async_context(deps.batch_places.take(commands, TURN_S_MAX))
        except TimeoutError:
            raise HttpRefusal(
                503,
                "busy",
                "others' batches were first; nothing was written",
                extra={"outcome": "none"},
                headers={"Retry-After": RETRY_AFTER_S},
            ) from None
        yield


async def _each(call: Call, entries: Sequence[Entry | Exception]) -> Sequence[Outcome | Exception]:
    good = [entry for entry in entries if isinstance(entry, Entry)]
    outcomes = await run_each(call.deps.dispatcher, good)
    for entry, outcome in zip(good, outcomes, strict=True):
        if isinstance(outcome, Exception):
            await record_forbidden(call.deps, entry.spec, entry.context, outcome)
    in_order = iter(outcomes)
    return [next(in_order) if isinstance(entry, Entry) else entry for entry in entries]


async def _all(call: Call, entries: Sequence[Entry | Exception]) -> Sequence[Outcome | Exception]:
    """Run all or raise the first refusal, with its entry's place."""
    good = _whole(entries)
    try:
        return await run_all(call.deps.dispatcher, good)
    except AtomicRefusal as refused:
        entry = good[refused.place]
        await record_forbidden(call.deps, entry.spec, entry.context, refused.refusal)
        raise _placed(refused.refusal, refused.place) from None


async def _previewed(call: Call, entries: Sequence[Entry | Exception]) -> Mapping[str, Any]:
    """Return what all of them would do, or raise the first refusal, with its entry's place."""
    try:
        return await dry_run_all(call, _whole(entries))
    except AtomicRefusal as refused:
        raise _placed(refused.refusal, refused.place) from None


def _whole(entries: Sequence[Entry | Exception]) -> Sequence[Entry]:
    """Return the entries of an atomic batch, or raise the first that was refused, with its place."""
    for place, entry in enumerate(entries):
        if isinstance(entry, Exception):
            raise _placed(entry, place)
    return [entry for entry in entries if isinstance(entry, Entry)]


async def _attempted(call: Call, place: int, item: Any, *, record: bool) -> Entry | Exception:
    if place % STRETCH == STRETCH - 1:
        await asyncio.sleep(0)  # runs come first
    try:
        return await _entry(call, item, record=record)
    except Rejected as refusal:
        return refusal


async def _entry(call: Call, item: Any, *, record: bool) -> Entry:
    try:
        given = BatchEntry.model_validate(item)
    except ValidationError as error:
        raise invalid(error) from error
    if given.key is not None and not is_key(given.key):
        raise Invalid.at("key", "bad_idempotency_key", "visible ASCII characters without a space")
    if given.if_match is not None and not call.query.atomic:
        raise Invalid.at("if_match", "not_supported", "versions are compared in a batch with atomic=true")
    spec = find_command(given.command)
    context = call.context(call.workspace, call.deps.ids.new())
    await call.deps.dispatcher.authorise(spec, context, record=record)
    data = canonical(given.data)
    command = validated(spec.command, data)
    keyed = None if given.key is None else in_scope(context, given.key, spec, data)
    return Entry(spec=spec, command=command, context=context, keyed=keyed, if_match=given.if_match)


def _answer(call: Call, items: Sequence[Any], results: Sequence[Outcome | Exception]) -> web.Response:
    positions = [result.answer["position"] for result in results if isinstance(result, Outcome)]
    headers = {POSITION: str(max(positions))} if positions else {}
    for item, result in zip(items, results, strict=True):
        if isinstance(result, Outcome):
            call.deps.count_command(item["command"], "replayed" if result.replayed else "accepted")
    problems: dict[type, Problem] = {}
    return json_answer(call.request_id, [_shown(call, result, problems) for result in results], headers=headers)


def _items(document: Any) -> Sequence[Any]:
    if not isinstance(document, list):
        raise Invalid.at("", "wrong_type", "a batch is an array of {command, data, key?}")
    if not document:
        raise Invalid.at("", "too_few", "a batch has at least one command")
    if len(document) > ENTRIES_MAX:
        raise Invalid.at("", "too_many", f"a batch has at most {ENTRIES_MAX} commands")
    return document


def _placed(error: Exception, place: int) -> Exception:
    """Say which entry it was, in the problem and in the paths of its fields."""
    if isinstance(error, Rejected):
        error.extra = {**error.extra, "entry": place}
        error.errors = tuple(
            replace(one, path=f"{place}.data.{one.path}" if one.path else f"{place}.data") for one in error.errors
        )
    return error


def _shown(call: Call, result: Outcome | Exception, problems: dict[type, Problem]) -> dict[str, Any]:
    """Return an entry's answer; a fault of the log that many entries met is told, and logged, once for its kind."""
    if isinstance(result, Outcome):
        shown = {"status": outcome_status(result), **outcome_document(result)}
        return {**shown, "replayed": True} if result.replayed else shown
    if isinstance(result, Rejected):
        return problem_of(result).document(call.request_id)
    problem = problems.get(type(result)) or problems.setdefault(type(result), problem_of(result))
    return problem.document(call.request_id)
