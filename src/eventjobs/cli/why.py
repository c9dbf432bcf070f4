"""`eventjobs why`: why an owner did or did not run, at any past moment."""

from typing import Annotated

from cyclopts import Parameter

from eventjobs.audit.sentences.words import instant
from eventjobs.cli import exits
from eventjobs.cli.output import print_json, say, table
from eventjobs.cli.target import Where
from eventjobs.cli.view import NOW, AsOf, Json, fetch


async def why(
    owner: Annotated[str, Parameter(help="whom it is about, e.g. schedule/nightly")],
    /,
    *,
    at: Annotated[str | None, Parameter(help="an instant such as 2026-12-01T20:00:00Z; now, if left out")] = None,
    as_of: AsOf = None,
    where: Where = NOW,
    json: Json = False,
) -> int:
    """Tell why an owner did or did not run at an instant, with every fact that led to it."""
    document = await fetch(where, "why", {"owner": owner, "at": at, "as_of": as_of})
    if json:
        print_json(document)
        return exits.OK
    say(document["sentence"], "bold")
    say("")
    rows = [
        (fact["position"], instant(fact["at"]), fact["about"].replace("_", " "), fact["sentence"])
        for fact in document["facts"]
    ]
    table(("position", "at", "about", "what the log says"), rows)
    return exits.OK
