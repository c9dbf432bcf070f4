"""`eventjobs serve`: the service itself."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from eventjobs.cli import exits
from eventjobs.cli.hosting import hosted, run
from eventjobs.cli.output import say
from eventjobs.settings import Settings, load_settings


def serve(
    *,
    data_dir: Annotated[Path | None, Parameter(help="where everything lives [EVENTJOBS_DATA_DIR]")] = None,
    port: Annotated[int | None, Parameter(help="port to listen on, 0 for a free one [EVENTJOBS_PORT]")] = None,
    host: Annotated[str | None, Parameter(help="address to listen on [EVENTJOBS_BIND]")] = None,
    unsafe: Annotated[
        bool, Parameter(negative="", help="accept a server that may lose what it acknowledged [EVENTJOBS_UNSAFE]")
    ] = False,
) -> int:
    """
    Run the service until Ctrl-C or SIGTERM; then it drains and stops everything that it started.

    Without EVENTJOBS_DATABASE_URL it runs a private Postgres in the data folder.
    """
    settings = load_settings({"data_dir": data_dir, "port": port, "bind": host, "unsafe": unsafe or None})
    return run(_serve(settings))


async def _serve(settings: Settings) -> int:
    async with hosted(settings) as service:
        if service.admin_key is not None:
            say(f"The first key, with every role; it is also in {settings.data_dir / 'admin.key'}:")
            say(service.admin_key, "bold")
        say(f"Ready at {service.url} (documentation at {service.url}/docs). Ctrl-C stops.")
        await service.run_until_stopped()
    return exits.OK
