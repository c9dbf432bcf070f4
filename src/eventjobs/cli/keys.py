"""`eventjobs keys`: who may act."""

from datetime import datetime
from typing import Annotated, Final

from cyclopts import App, Parameter

from eventjobs.cli import exits
from eventjobs.cli.client import Client
from eventjobs.cli.do import BY_NAME, post_command
from eventjobs.cli.output import print_json, say
from eventjobs.cli.pages import tell_list
from eventjobs.cli.target import Where, find_target
from eventjobs.cli.view import NOW, Cursor, Json, Limit, fetch

keys: Final = App(name="keys", help="List, issue and revoke keys; a secret is shown once.")


@keys.command(name="list")
async def list_keys(*, cursor: Cursor = None, limit: Limit = None, where: Where = NOW, json: Json = False) -> int:
    """List the workspace's keys; no secret is ever among them."""
    document = await fetch(where, "keys", {"cursor": cursor, "limit": limit})
    if json:
        print_json(document)
    else:
        tell_list(document)
    return exits.OK


@keys.command
async def issue(
    *,
    id: Annotated[str | None, Parameter(help="the key's id; one is made where it is not given")] = None,  # noqa: A002
    role: Annotated[list[str], Parameter(negative="", help="a role: reader, operator, auditor, …; repeat it for more")],
    for_workspace: Annotated[
        list[str] | None, Parameter(negative="", help="where it may act, * for everywhere; repeat it for more")
    ] = None,
    read_only: Annotated[bool, Parameter(negative="", help="it may look, whatever its roles are")] = False,
    expires_at: Annotated[datetime | None, Parameter(help="when it ends, with its offset")] = None,
    where: Where = NOW,
    json: Json = False,
) -> int:
    """Issue a key and show its secret, which nobody can show again."""
    body = {
        "id": id,
        "roles": role,
        "workspaces": for_workspace or None,
        "read_only": read_only,
        "expires_at": None if expires_at is None else expires_at.astimezone().isoformat(),
    }
    async with Client(find_target(where)) as client:
        answer = await post_command(
            client, BY_NAME["IssueKey"], {name: value for name, value in body.items() if value is not None}
        )
    if json:
        print_json(answer.document)
    elif answer.document.get("secret"):
        say(f"Key {answer.document['id']}; this is shown once, keep it:")
        say(answer.document["secret"], "bold")
    else:
        say(f"Key {answer.document['id']} was issued before; its secret was shown then and never again.")
    return exits.OK


@keys.command
async def revoke(key_id: str, /, *, where: Where = NOW, json: Json = False) -> int:
    """Revoke a key: it may do nothing from the next request on."""
    async with Client(find_target(where)) as client:
        answer = await post_command(client, BY_NAME["RevokeKey"], {"id": key_id})
    if json:
        print_json(answer.document)
    else:
        say(f"Key {key_id} was revoked." if answer.document["events"] else f"Key {key_id} was revoked before.")
    return exits.OK
