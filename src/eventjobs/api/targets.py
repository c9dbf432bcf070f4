"""Commands for many registrations: one answer with what became of each (R70)."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from eventjobs.api.answers import POSITION, json_answer
from eventjobs.api.changes import changes
from eventjobs.api.dry_run import runs_now
from eventjobs.api.problems import problem_of
from eventjobs.api.registry import Call
from eventjobs.commands import clear_cadence_override, sync_registration
from eventjobs.commands.batch import Entry
from eventjobs.commands.context import Context
from eventjobs.commands.outcomes import Outcome
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.commands.target_fields import Targets
from eventjobs.commands.targets import KeyIn, Target, find_targets, run_targets
from eventjobs.domain.streams import definition_stream
from eventjobs.errors import LogFault, Rejected

CREATED: Final = 201
OK: Final = 200


def targets_of(command: CommandFields) -> Targets | None:
    """Return the registrations that a command is for, where it is for many."""
    match command:
        case sync_registration.SyncRegistration():
            return sync_registration.targets_of(command)
        case clear_cadence_override.ClearCadenceOverride():
            return clear_cadence_override.targets_of(command)
        case _:
            return None


async def run_for_targets(
    call: Call, spec: CommandSpec[Any], targets: Targets, context: Context, key_in: KeyIn
) -> web.Response:
    """Run a command for each of the registrations and answer with what became of each."""
    found = await find_targets(call.deps.dispatcher, spec, targets, context, key_in)
    answers = await run_targets(call.deps.dispatcher, found)
    decided = any(isinstance(one, Outcome) and one.decided for one in answers)
    position = max([one.answer["position"] for one in answers if isinstance(one, Outcome)], default=0)
    document = {
        "command_id": context.command_id,
        "stream": definition_stream(context.workspace, targets.definition).name,
        "version": None,
        "position": position or call.deps.dispatcher.log.known_head.position,
        "events": [],
        "warnings": [],
        "results": [_result(call, target, answer) for target, answer in zip(found, answers, strict=True)],
    }
    headers = {POSITION: str(document["position"])}
    return json_answer(call.request_id, document, status=CREATED if decided else OK, headers=headers)


async def dry_run_for_targets(call: Call, spec: CommandSpec[Any], targets: Targets, context: Context) -> web.Response:
    """Answer with what a command would do to each of the registrations, and which runs it would cause."""
    found = await find_targets(call.deps.dispatcher, spec, targets, context)
    results = [await _tried(call, target) for target in found]
    document = {
        "dry_run": True,
        "position": call.deps.dispatcher.log.known_head.position,
        "events": [],
        "warnings": [],
        "diff": [change for result in results for change in result.get("diff", ())],
        "runs_now": [run for result in results for run in result.get("runs_now", ())],
        "next": {},
        "before": {},
        "results": results,
    }
    return json_answer(call.request_id, document)


async def _tried(call: Call, target: Target) -> Mapping[str, Any]:
    if not isinstance(target.entry, Entry):
        return _refused(call, target, target.entry)
    entry = target.entry
    try:
        trial = await call.deps.dispatcher.try_out(entry.spec, entry.command, entry.context)
    except Rejected as refusal:
        return _refused(call, target, refusal)
    warnings = [warn.document for warn in trial.world.warnings]
    there = {"workspace": target.workspace}
    shown = {"diff": changes(trial.world), "runs_now": [{**there, **run} for run in runs_now(trial, entry.context)]}
    return {**there, "status": CREATED if trial.world.emitted else OK, "warnings": warnings, **shown}


def _result(call: Call, target: Target, answer: Outcome | Rejected | LogFault) -> Mapping[str, Any]:
    if isinstance(answer, Outcome):
        return {
            "workspace": target.workspace,
            "status": CREATED if answer.decided else OK,
            "position": answer.answer["position"],
            "version": answer.answer["version"],
            "warnings": answer.answer["warnings"],
        }
    return _refused(call, target, answer)


def _refused(call: Call, target: Target, answer: Rejected | LogFault) -> Mapping[str, Any]:
    return {"workspace": target.workspace, **problem_of(answer).document(call.request_id)}
