"""`eventjobs backup`: the whole database as one file, while the service runs."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from eventjobs.cli import exits
from eventjobs.cli.audit import CLUSTERS
from eventjobs.cli.copying import reached
from eventjobs.cli.databases import reaching_the_database
from eventjobs.cli.output import print_json, say
from eventjobs.errors import UsageWrong
from eventjobs.postgres.copies import copy_out
from eventjobs.settings import load_settings


async def backup(
    file: Annotated[Path, Parameter(help="the file to write; it may not exist")],
    /,
    *,
    data_dir: Annotated[Path | None, Parameter(help="the database of this data folder [EVENTJOBS_DATA_DIR]")] = None,
    database_url: Annotated[
        str | None, Parameter(help="this database, as a role that sees every table [EVENTJOBS_DATABASE_URL]")
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="print what was written as JSON")] = False,
) -> int:
    """
    Copy the log, the views and the loaded tables as they are at one moment.

    The service goes on meanwhile. The data folder's files, secrets and `admin.key` are not in the copy.
    """
    if data_dir is not None and database_url is not None:
        raise UsageWrong("give one of --data-dir and --database-url")
    target = file.absolute()
    if target.exists():
        raise UsageWrong(f"{file} exists; a backup overwrites nothing")
    if not target.parent.is_dir():
        raise UsageWrong(f"there is no folder {target.parent}")
    settings = load_settings({"data_dir": data_dir, "database_url": database_url})
    url = database_url or (None if data_dir is not None else settings.server_url)
    if url is None and not any((settings.data_dir / name).exists() for name in CLUSTERS):
        raise UsageWrong(f"there is no database in {settings.data_dir}; give --data-dir or --database-url")
    with reaching_the_database():
        async with reached(settings, url) as place:
            copied = await copy_out(place.programs, place.whole_url, target)
    if json:
        print_json({"file": str(target), "position": copied.position, "bytes": copied.size})
    else:
        say(f"{file}: the log up to position {copied.position:,}, with all tables, {copied.size:,} bytes.")
    return exits.OK
