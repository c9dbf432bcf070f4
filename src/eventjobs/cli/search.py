"""`eventjobs search`: find whatever has a text in its id or name."""

from typing import Annotated

from cyclopts import Parameter

from eventjobs.cli import exits
from eventjobs.cli.output import print_json
from eventjobs.cli.pages import tell_list
from eventjobs.cli.target import Where
from eventjobs.cli.view import NOW, AsOf, Cursor, Json, Limit, fetch

SHOWN = 20


async def search(
    text: Annotated[str, Parameter(help="a part of an id or a name, or how a run's id begins")],
    /,
    *,
    as_of: AsOf = None,
    cursor: Cursor = None,
    limit: Limit = SHOWN,
    where: Where = NOW,
    json: Json = False,
) -> int:
    """Find anything by id or text, and runs by the beginning of their id."""
    document = await fetch(where, "search", {"q": text, "as_of": as_of, "cursor": cursor, "limit": limit})
    if json:
        print_json(document)
    else:
        tell_list(document)
    return exits.OK
