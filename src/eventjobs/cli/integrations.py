"""`eventjobs integrations`: a definition as a file, shown before it is done; and what is registered where."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

import orjson
from cyclopts import App, Parameter

from eventjobs.audit.sentences.words import instant
from eventjobs.cli import exits
from eventjobs.cli.client import Client
from eventjobs.cli.definition_file import DefinitionFile, read_definition, write_definition
from eventjobs.cli.output import print_json, say, table
from eventjobs.cli.pages import tell_more
from eventjobs.cli.target import Where, find_target
from eventjobs.cli.view import NOW, Cursor, Json, Limit, fetch
from eventjobs.errors import ServiceRefused
from eventjobs.ids import SystemIds

integrations: Final = App(name="integrations", help="Definitions as files, and what is registered where.")

Document = dict[str, Any]
Features = Annotated[
    list[str] | None, Parameter(name="--feature", negative="", help="register it here, with this feature in Onboarding")
]
MARKS: Final = {"added": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}
NOT_FOUND: Final = "not_found"
PROBLEM: Final = 400
"""From this status on an answer is a refusal."""


@integrations.command
async def plan(file: str, /, *, feature: Features = None, where: Where = NOW, json: Json = False) -> int:
    """Show what `apply` would change, and which runs that would cause; nothing is written."""
    definition = read_definition(file)
    async with Client(find_target(where)) as client:
        batch = await _batch(client, definition, feature)
        trial = await _send(client, definition, batch, dry_run=True)
    if json:
        print_json(trial)
    else:
        _tell_plan(trial, definition)
    return exits.OK


@integrations.command
async def apply(file: str, /, *, feature: Features = None, where: Where = NOW, json: Json = False) -> int:
    """Publish the file's definition, and bring this workspace's registration to it: all of it or nothing."""
    definition = read_definition(file)
    async with Client(find_target(where)) as client:
        batch = await _batch(client, definition, feature)
        trial = await _send(client, definition, batch, dry_run=True)
        results = await _send(client, definition, batch, dry_run=False)
    if json:
        print_json(results)
        return exits.OK
    _tell_plan(trial, definition)
    version = results[0]["definition_version"]
    say(f"Version {version} of {definition.content['id']} is published, the log at position {results[-1]['position']}.")
    return exits.OK


@integrations.command
async def export(integration: str, /, *, where: Where = NOW, json: Json = False) -> int:
    """Print a definition that this workspace publishes, as the file that `apply` takes."""
    async with Client(find_target(where)) as client:
        path = f"/v1/{client.target.need_workspace()}/definitions/{integration}"
        content = (await client.get(path))["content"]
    if json:
        print_json(content)
    else:
        say(write_definition(content).rstrip())
    return exits.OK


@integrations.command(name="list")
async def list_(*, cursor: Cursor = None, limit: Limit = None, where: Where = NOW, json: Json = False) -> int:
    """List the registrations of this workspace."""
    document = await fetch(where, "integrations", {"cursor": cursor, "limit": limit})
    if json:
        print_json(document)
        return exits.OK
    rows = [
        (
            one["id"],
            f"{one['definition']['workspace']}, version {one['definition']['version']}",
            one["status"],
            f"{one['sync']['state']}, version {one['sync']['version']}",
            ", ".join(f"{feature['id']} {feature['status']}" for feature in one["features"]),
        )
        for one in document["items"]
    ]
    table(("integration", "definition", "status", "sync", "features"), rows)
    tell_more(document)
    return exits.OK


@integrations.command
async def sync(
    integration: str,
    workspaces: Annotated[tuple[str, ...], Parameter(help="workspaces that have it registered")] = (),
    /,
    *,
    all_of_them: Annotated[bool, Parameter(name="--all", negative="", help="in all workspaces that have it")] = False,
    dry_run: Annotated[bool, Parameter(negative="", help="show it; nothing is written")] = False,
    where: Where = NOW,
    json: Json = False,
) -> int:
    """Sync the registration of this workspace, or those of others from the workspace that publishes the definition."""
    body: Document = {"id": integration}
    if all_of_them or workspaces:
        body["targets"] = "all" if all_of_them else list(workspaces)
    async with Client(find_target(where)) as client:
        path = f"/v1/{client.target.need_workspace()}/commands/SyncRegistration"
        headers = {"Idempotency-Key": SystemIds().new()}
        params = {"dry_run": True} if dry_run else None
        answer = (await client.post(path, body, params=params, headers=headers)).document
    if json:
        print_json(answer)
    elif dry_run:
        _tell_plan(answer)
    else:
        _tell_synced(answer)
    refused = [one for one in answer.get("results") or () if one["status"] >= PROBLEM]
    return exits.REFUSED if refused else exits.OK


async def _batch(client: Client, definition: DefinitionFile, features: Sequence[str] | None) -> list[Document]:
    """Return the commands of an apply: all of them are decided as one."""
    commands: list[tuple[str, Document]] = [("PublishDefinition", definition.content)]
    the_id = definition.content["id"]
    if await _is_registered(client, the_id):
        commands.append(("SyncRegistration", {"id": the_id}))
    elif features:
        commands.append(("RegisterIntegration", {"definition": the_id, "features": features}))
    return [{"command": name, "data": data, "key": SystemIds().new()} for name, data in commands]


async def _is_registered(client: Client, the_id: str) -> bool:
    try:
        await client.get(f"/v1/{client.target.need_workspace()}/integrations/{the_id}")
    except ServiceRefused as refusal:
        if refusal.problem.get("code") == NOT_FOUND:
            return False
        raise
    return True


async def _send(client: Client, definition: DefinitionFile, batch: list[Document], *, dry_run: bool) -> Any:
    path = f"/v1/{client.target.need_workspace()}/commands"
    try:
        return (await client.post(path, batch, params={"atomic": True, "dry_run": dry_run})).document
    except ServiceRefused as refusal:
        raise ServiceRefused(_placed(definition, refusal.problem)) from None


def _placed(definition: DefinitionFile, problem: Mapping[str, Any]) -> Mapping[str, Any]:
    """Say where in the file each wrong field stands."""
    errors = [
        {**error, "path": _place(definition, str(error.get("path", "")))} for error in problem.get("errors") or ()
    ]
    return {**problem, "errors": errors}


def _place(definition: DefinitionFile, path: str) -> str:
    """Return where in the file a field stands: the first command is the file, the second one names parts of it."""
    inside = re.fullmatch(r"(?:0\.data|(?:1\.data\.)?definition)\.(.+)", path)
    if inside is None:
        return path
    line = definition.line(inside[1])
    return f"{definition.name}{'' if line is None else f':{line}'}: {inside[1]}"


def _tell_plan(trial: Document, definition: DefinitionFile | None = None) -> None:
    changed = [change for change in trial["diff"] if change["what"] != "changed" or change["fields"]]
    for change in changed:
        mark, style = MARKS[change["what"]]
        say(f"{mark} {change['kind']} {change['id']}", style)
        for name, both in change["fields"].items():
            say(f"    {name}: {_short(both['before'])} -> {_short(both['after'])}")
    for run in trial["runs_now"]:
        place = f" in {run['workspace']}" if run.get("workspace") else ""
        due = f", due {instant(str(run['due']))}" if run.get("due") else ""
        say(f"Runs at once{place}: {run['owner']['kind']} {run['owner']['id']} ({run['cause']}{due})")
    for warning in _warnings(trial, definition):
        say(f"Note: {warning}", "yellow")
    for result in trial.get("results") or ():
        if result["status"] >= PROBLEM:
            say(f"Refused in {result['workspace']}: {result.get('detail')}", "red")
    say(f"{len(changed)} changes, {len(trial['runs_now'])} runs at once." if changed else "No change.")


def _warnings(trial: Document, definition: DefinitionFile | None) -> Iterator[str]:
    for warning in trial["warnings"]:
        path = warning.get("path") or ""
        place = path if definition is None else _place(definition, path)
        yield warning["detail"] if place == path else f"{place}: {warning['detail']}"
    for result in trial.get("results") or ():
        yield from (f"{result['workspace']}: {warning['detail']}" for warning in result.get("warnings") or ())


def _tell_synced(answer: Document) -> None:
    results = answer.get("results")
    if results is None:
        say("In sync already." if not answer["events"] else f"Synced, the log at position {answer['position']}.")
        for warning in answer["warnings"]:
            say(f"Note: {warning['detail']}", "yellow")
        return
    said = {200: "in sync already", 201: "synced"}
    rows = [
        (one["workspace"], said.get(one["status"], one.get("detail", "")), "; ".join(_notes(one))) for one in results
    ]
    table(("workspace", "what became of it", "notes"), rows)


def _notes(result: Document) -> Iterator[str]:
    yield from (warning["detail"] for warning in result.get("warnings") or ())


def _short(value: Any) -> str:
    return "-" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
