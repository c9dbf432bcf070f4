"""`eventjobs view`: pages and things, now or as of a past moment."""

from typing import Annotated, Any, Final, Literal

from cyclopts import App, Parameter

from eventjobs.cli import exits
from eventjobs.cli.client import Client
from eventjobs.cli.connect_page import Filters, tell_tab
from eventjobs.cli.output import print_json
from eventjobs.cli.pages import tell_jobs_page, tell_list, tell_thing
from eventjobs.cli.target import Where, find_target

view: Final = App(name="view", help="Show a page or a thing, now or as of a past moment.")

NOW: Final = Where()
ALL: Final = Filters()
AsOf = Annotated[str | None, Parameter(help="a position of the log, or an instant such as 2026-12-01T20:00:00Z")]
Json = Annotated[bool, Parameter(negative="", help="print the document as JSON")]
Limit = Annotated[int | None, Parameter(help="at most so many, up to 1000")]
Cursor = Annotated[str | None, Parameter(help="go on after an earlier answer")]
Owner = Annotated[str | None, Parameter(help="of one owner only, e.g. schedule/nightly")]


@view.command(name="jobs-page")
async def jobs_page(
    *,
    as_of: AsOf = None,
    q: Annotated[str | None, Parameter(help="only what has this text in its id or name")] = None,
    state: Annotated[str | None, Parameter(help="only things in this state")] = None,
    section: Annotated[str | None, Parameter(help="one section only, e.g. active or services")] = None,
    cursor: Cursor = None,
    limit: Limit = None,
    where: Where = NOW,
    json: Json = False,
) -> int:
    """Show the Jobs page: schedules by section, services and flows."""
    asked = {"as_of": as_of, "q": q, "state": state, "section": section, "cursor": cursor, "limit": limit}
    document = await fetch(where, "jobs-page", asked)
    if json:
        print_json(document)
    elif "items" in document:
        tell_list(document)
    else:
        tell_jobs_page(document)
    return exits.OK


@view.command
async def schedule(schedule_id: str, /, *, as_of: AsOf = None, where: Where = NOW, json: Json = False) -> int:
    """Show one schedule: its cadence, policies, jobs, and when it is due next."""
    return await _thing(where, f"schedules/{schedule_id}", as_of, json=json)


@view.command
async def service(service_id: str, /, *, as_of: AsOf = None, where: Where = NOW, json: Json = False) -> int:
    """Show one service: its handler, configuration, and who uses it."""
    return await _thing(where, f"services/{service_id}", as_of, json=json)


@view.command(name="manage-connect")
async def manage_connect(
    tab: Literal["group-jobs", "all-jobs", "completed-jobs", "group-candidates"] = "group-jobs",
    /,
    *,
    filters: Filters = ALL,
    as_of: AsOf = None,
    cursor: Cursor = None,
    limit: Limit = None,
    where: Where = NOW,
    json: Json = False,
) -> int:
    """Show a tab of the Manage Connect page: groups, all jobs, completed ones, or who may be in a group."""
    asked = {**filters.asked(), "as_of": as_of, "cursor": cursor, "limit": limit}
    document = await fetch(where, tab if tab == "group-candidates" else f"manage-connect/{tab}", asked)
    if json:
        print_json(document)
    else:
        tell_tab(tab, document)
    return exits.OK


@view.command
async def group(group_id: str, /, *, as_of: AsOf = None, where: Where = NOW, json: Json = False) -> int:
    """Show one group: its jobs, its schedule, what is wrong with it, and its runs."""
    return await _thing(where, f"groups/{group_id}", as_of, json=json)


@view.command
async def job(job_id: str, /, *, as_of: AsOf = None, where: Where = NOW, json: Json = False) -> int:
    """Show one job of any kind."""
    return await _thing(where, f"jobs/{job_id}", as_of, json=json)


@view.command
async def occurrences(
    *,
    owner: Owner = None,
    as_of: AsOf = None,
    cursor: Cursor = None,
    limit: Limit = None,
    where: Where = NOW,
    json: Json = False,
) -> int:
    """List what was due, with its outcome."""
    document = await fetch(where, "occurrences", {"owner": owner, "as_of": as_of, "cursor": cursor, "limit": limit})
    if json:
        print_json(document)
    else:
        tell_list(document)
    return exits.OK


@view.command
async def workspace(*, as_of: AsOf = None, where: Where = NOW, json: Json = False) -> int:
    """Show the workspace itself."""
    return await _thing(where, "", as_of, json=json)


async def fetch(where: Where, path: str, params: dict[str, Any]) -> Any:
    """Return a document of the workspace."""
    async with Client(find_target(where)) as client:
        return await client.get(f"/v1/{client.target.need_workspace()}/{path}".rstrip("/"), params)


async def _thing(where: Where, path: str, as_of: str | None, *, json: bool) -> int:
    document = await fetch(where, path, {"as_of": as_of})
    if json:
        print_json(document)
    else:
        tell_thing(document)
    return exits.OK
