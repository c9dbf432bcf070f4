"""`eventjobs runs`: what ran, runs now, and how it went."""

from typing import Annotated, Final

from cyclopts import Parameter

from eventjobs.audit.sentences.words import instant
from eventjobs.cli import exits
from eventjobs.cli.output import print_json, say, text_of
from eventjobs.cli.pages import Document, tell_more, tell_run, tell_runs
from eventjobs.cli.target import Where
from eventjobs.cli.view import NOW, AsOf, Cursor, Json, Limit, Owner, fetch
from eventjobs.errors import UsageWrong

SHOWN: Final = 20


async def runs(
    run: Annotated[str | None, Parameter(help="a run's id, for its stages, jobs and attempts")] = None,
    /,
    *,
    owner: Owner = None,
    as_of: AsOf = None,
    log: Annotated[bool, Parameter(negative="", help="print the lines that the run's jobs logged")] = False,
    cursor: Cursor = None,
    limit: Limit = SHOWN,
    where: Where = NOW,
    json: Json = False,
) -> int:
    """List runs, the latest first, or show one in detail."""
    if run is None:
        if log:
            raise UsageWrong("--log needs the id of a run")
        document = await fetch(where, "runs", {"owner": owner, "as_of": as_of, "cursor": cursor, "limit": limit})
        tell = tell_runs
    elif log:
        document = await fetch(where, f"runs/{run}/log", {"cursor": cursor, "limit": limit})
        tell = _tell_log
    else:
        document = await fetch(where, f"runs/{run}", {"as_of": as_of})
        tell = tell_run
    if json:
        print_json(document)
    else:
        tell(document)
    return exits.OK


def _tell_log(document: Document) -> None:
    for line in document["items"]:
        fields = f"  {text_of(line['fields'])}" if line["fields"] else ""
        say(f"{instant(line['at'])}  {line['row']}.{line['attempt']}  {line['level']}: {line['text']}{fields}")
    if not document["items"]:
        say("No lines.")
    tell_more(document)
