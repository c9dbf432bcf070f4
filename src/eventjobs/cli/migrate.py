"""`eventjobs migrate`: the database's schema, and the log's first position."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from eventjobs.cli import exits
from eventjobs.cli.databases import reaching_the_database
from eventjobs.cli.output import print_json, say
from eventjobs.log.setup import set_up
from eventjobs.postgres.embedded import EmbeddedPostgres
from eventjobs.settings import Settings, load_settings


async def migrate(
    *,
    pooler: Annotated[bool, Parameter(negative="", help="store role and limits in the database, for a pooler")] = False,
    data_dir: Annotated[Path | None, Parameter(help="whose embedded server [EVENTJOBS_DATA_DIR]")] = None,
    json: Annotated[bool, Parameter(negative="", help="print what was done as JSON")] = False,
) -> int:
    """
    Bring the database to this version; done again it changes nothing. `serve` does it too.

    It is the one of EVENTJOBS_DIRECT_URL or EVENTJOBS_DATABASE_URL, else the embedded one of the data folder.
    """
    settings = load_settings({"data_dir": data_dir})
    with reaching_the_database():
        log_id = await _migrate(settings, pooler=pooler)
    if json:
        print_json({"log_id": log_id})
    else:
        say(f"The database is at this version; its log is {log_id}.")
    return exits.OK


async def _migrate(settings: Settings, *, pooler: bool) -> str:
    if settings.server_url is not None:
        return await set_up(settings.server_url, app_role=settings.app_role, pooler=pooler)
    embedded = EmbeddedPostgres(settings.data_dir, pg_bin=settings.pg_bin)
    try:
        return await set_up(await embedded.start(), app_role=settings.app_role, pooler=pooler)
    finally:
        await embedded.stop()
