"""`eventjobs do`: any command, made from its description."""

import difflib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
from cyclopts import App, Parameter

from eventjobs.audit.sentences import Narrator
from eventjobs.audit.sentences.words import instant
from eventjobs.cli import exits
from eventjobs.cli.client import Answer, Client
from eventjobs.cli.do_fields import field_lines, parse_fields
from eventjobs.cli.output import console, print_json, say, table
from eventjobs.cli.target import Where, find_target
from eventjobs.commands import PUBLIC
from eventjobs.commands.spec import CommandSpec
from eventjobs.errors import UsageWrong
from eventjobs.ids import SystemIds

do: Final = App(name="do", help_flags=[], version_flags=[], help="Send a command.")

BY_NAME: Final[Mapping[str, CommandSpec[Any]]] = {spec.name: spec for spec in PUBLIC}
NEXT_SHOWN: Final = 3


@do.default
async def send(
    command: str | None = None,
    /,
    *fields: Annotated[str, Parameter(allow_leading_hyphen=True, show=False)],
    where: Where = Where(),  # noqa: B008 a frozen value
    data: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    if_match: int | None = None,
    idempotency_key: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
    help: Annotated[bool, Parameter(name=["--help", "-h"], negative="")] = False,  # noqa: A002 the option's name
) -> int:
    """Send a command; its fields are options of the same name."""
    if command is None or help:
        return tell_usage(command)
    spec = find_command(command)
    body = {**_given(data), **parse_fields(fields, schema_of(spec))}
    async with Client(find_target(where)) as client:
        answer = await post_command(
            client, spec, body, dry_run=dry_run, if_match=if_match, idempotency_key=idempotency_key
        )
    if json:
        print_json(answer.document)
    elif dry_run:
        _tell_trial(answer.document)
    else:
        _tell_answer(answer)
    return exits.OK


async def post_command(
    client: Client,
    spec: CommandSpec[Any],
    body: Mapping[str, Any],
    *,
    dry_run: bool = False,
    if_match: int | None = None,
    idempotency_key: str | None = None,
) -> Answer:
    """Send one command, always with a key, so that a repetition after a lost answer is safe."""
    headers = {"Idempotency-Key": idempotency_key or SystemIds().new()}
    if if_match is not None:
        headers["If-Match"] = f'"{if_match}"'
    params = {"dry_run": True} if dry_run else None
    path = "/v1/workspaces" if spec.everywhere else f"/v1/{client.target.need_workspace()}/commands/{spec.name}"
    return await client.post(path, body, params=params, headers=headers)


def find_command(name: str) -> CommandSpec[Any]:
    """Return the command of that name, in any spelling of it; raises `UsageWrong`."""
    plain = {known.lower(): spec for known, spec in BY_NAME.items()}
    spec = plain.get(name.replace("-", "").replace("_", "").lower())
    if spec is None:
        close = difflib.get_close_matches(name, BY_NAME, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(BY_NAME)}"
        raise UsageWrong(f"there is no command {name}: {hint}")
    return spec


def schema_of(spec: CommandSpec[Any]) -> Mapping[str, Any]:
    """Return the JSON schema of a command's fields."""
    schema: Mapping[str, Any] = spec.command.model_json_schema()
    return schema


def tell_usage(command: str | None) -> int:
    """Print how `do` is used, or which fields a command has."""
    if command is None:
        say("Usage: eventjobs do COMMAND --field value … [--data JSON|@file|-] [--dry-run] [--if-match N]")
        say("       [--idempotency-key KEY] [-w WORKSPACE] [--url URL] [--key KEY] [--data-dir FOLDER] [--json]\n")
        table(["command", "what it does"], [(spec.name, spec.summary) for spec in PUBLIC])
        say("\neventjobs do COMMAND --help shows its fields.")
        return exits.OK
    spec = find_command(command)
    say(f"eventjobs do {spec.name} --field value …\n\n{spec.summary}. Needs one of: {', '.join(sorted(spec.roles))}.\n")
    lines = field_lines(schema_of(spec))
    table(["field", "holds", "needed"], [(f"--{name}", holds, "yes" if must else "") for name, holds, must in lines])
    if spec.example is not None:
        say(f"\nFor example: eventjobs do {spec.name} --data '{orjson.dumps(dict(spec.example)).decode()}'")
    return exits.OK


def _given(data: str | None) -> dict[str, Any]:
    if data is None:
        return {}
    try:
        text = sys.stdin.read() if data == "-" else Path(data[1:]).read_text("utf-8") if data[:1] == "@" else data
        document = orjson.loads(text)
    except OSError as error:
        raise UsageWrong(f"--data {data}: {error.strerror}") from None
    except (orjson.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageWrong(f"--data is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise UsageWrong("--data is a JSON object")
    return document


def _tell_answer(answer: Answer) -> None:
    document = answer.document
    if answer.replayed:
        say("This was done before, with the same key; the answer is the one of then.")
    elif not document["events"]:
        say("Nothing was to do.")
    for event in document["events"]:
        console().print(f"{event['position']:>8}  {event['stream']}  {event['type']}", markup=False)
    _tell_warnings(document)
    if document.get("run"):
        say(f"Run {document['run']}; watch it with: eventjobs history --live, or eventjobs runs {document['run']}")
    if "secret" in document:
        shown = document["secret"] or "was shown when it was issued, and never again"
        say(f"Key {document.get('id')}: {shown}")
    if document.get("version") is not None:
        say(f"{document['stream']} is at version {document['version']}, the log at position {document['position']}.")


def _tell_trial(document: Mapping[str, Any]) -> None:
    say(f"Nothing was written. At position {document['position']} it would mean:")
    narrator = Narrator()
    for event in document["events"]:
        say(f"  {narrator.tell(event)}")
    if not document["events"]:
        say("  nothing to do")
    _tell_warnings(document)
    for run in document.get("runs_now") or ():
        due = f", due {instant(str(run['due']))}" if run.get("due") else ""
        say(f"Runs at once: {run['owner']['kind']} {run['owner']['id']} ({run['cause']}{due})")
    for owner, moments in (document.get("next") or {}).items():
        coming = ", ".join(instant(str(moment["due"])) for moment in moments[:NEXT_SHOWN])
        say(f"Next of {owner}: {coming or 'none'}")


def _tell_warnings(document: Mapping[str, Any]) -> None:
    for warning in document.get("warnings") or ():
        say(f"Note: {warning['detail']}", "yellow")
