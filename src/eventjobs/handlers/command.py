"""
`command`: runs a program that the deployment allows, without a shell.

The program reads one JSON document on stdin (the job, its input, earlier outputs, `params`) and may write JSON objects
as lines on stdout: `{"progress": 0.5, "text": "…"}`, `{"counts": {…}}`, `{"output": …}`. Every other line is a line of
the log. Its exit code says how it ended. It has its own process group, which gets TERM and, after a grace, KILL.
"""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Annotated, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationInfo, field_validator

from eventjobs.errors import JobFailed
from eventjobs.handlers.command_output import CommandOutput
from eventjobs.handlers.context import HandlerContext, Result
from eventjobs.handlers.ports import CommandRules
from eventjobs.handlers.process import run_process
from eventjobs.handlers.registry import Handler

_VARIABLE: Final = re.compile(r"^JOB_[A-Z0-9_]{1,60}$")
_INHERITED: Final = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")

Argument = Annotated[str, StringConstraints(max_length=4096, pattern=r"^[^\x00]*$")]


class CommandConfig(BaseModel):
    """A program, its arguments, and what it finds on stdin (`params`) and in its environment (`JOB_…` names only)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    program: Argument = Field(min_length=1)
    args: Sequence[Argument] = Field(default=(), max_length=100)
    params: Mapping[str, JsonValue] = Field(default_factory=dict)
    env: Mapping[str, Argument] = Field(default_factory=dict)
    success: Sequence[int] = Field(default=(0,), min_length=1, description="exit codes that mean success")

    @field_validator("program")
    @classmethod
    def _on_the_list(cls, program: str, info: ValidationInfo) -> str:
        # Without rules this is a run, which asks the context's own list.
        rules = (info.context or {}).get("commands")
        if rules is not None and program not in rules:
            raise ValueError(f"the program {program!r} is not on the list EVENTJOBS_COMMANDS")
        return program

    @field_validator("env")
    @classmethod
    def _own_names_only(cls, env: Mapping[str, str]) -> Mapping[str, str]:
        # Names such as LD_PRELOAD or BASH_ENV would run other code than the program that was allowed.
        for name in env:
            if not _VARIABLE.fullmatch(name):
                raise ValueError(f"{name[:64]!r} is not a name such as JOB_REGION")
        return env


async def run(context: HandlerContext, config: CommandConfig) -> Result:
    """Start the program and wait for its end."""
    path = _allowed(config.program, context.commands)
    output = CommandOutput(context)
    code = await run_process(
        [path, *config.args],
        environment=_environment(config, context.commands),
        stdin=_document(context, config),
        output=output,
        grace_s=context.commands.grace_s,
    )
    output.close()
    details = {"exit_code": code}
    if code in config.success:
        return Result(counts=output.counts, output=output.result, details=details)
    ended = f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    raise JobFailed(f"{config.program} {ended}", counts=output.counts, output=output.result)


def _allowed(program: str, rules: CommandRules) -> str:
    """Return the absolute path; a program is on the list by the very text by which the job names it."""
    if program not in rules.programs:
        raise JobFailed(f"the program {program!r} is not on the list EVENTJOBS_COMMANDS", retryable=False)
    if PurePosixPath(program).is_absolute():
        return program
    found = None if "/" in program else shutil.which(program, path=_inherited(rules).get("PATH", os.defpath))
    if found is None:
        raise JobFailed(f"the program {program!r} is not installed", retryable=False)
    return found


def _inherited(rules: CommandRules) -> Mapping[str, str]:
    return os.environ if rules.environment is None else rules.environment


def _environment(config: CommandConfig, rules: CommandRules) -> Mapping[str, str]:
    """Give the few plain variables and the job's own; the service's settings and secrets stay with it."""
    inherited = _inherited(rules)
    return {name: inherited[name] for name in _INHERITED if name in inherited} | dict(config.env)


def _document(context: HandlerContext, config: CommandConfig) -> bytes:
    return orjson.dumps(
        {
            "workspace": context.workspace,
            "run": context.run,
            "row": context.row,
            "job": {"kind": context.job.kind, "id": context.job.id},
            "attempt": context.attempt,
            "term": context.term,
            "idempotency_key": context.idempotency_key,
            "input": context.input,
            "due": context.due,
            "outputs": {str(row): output for row, output in context.outputs.items()},
            "params": config.params,
        },
        option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z,
    )


HANDLER: Final = Handler(name="command", summary="Runs an allowed program", config=CommandConfig, run=run)
