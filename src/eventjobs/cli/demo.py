"""`eventjobs demo`: the service with an example that really runs."""

import asyncio
import os
import shlex
import shutil
import socket
import sys
from pathlib import Path
from typing import Annotated, Final

import orjson
from cyclopts import Parameter

from eventjobs.app import Service, write_private
from eventjobs.cli import exits
from eventjobs.cli.client import Client
from eventjobs.cli.example import make_example_files, make_workspace, read_example
from eventjobs.cli.first_runs import tell_first_run, tell_group_run
from eventjobs.cli.hosting import hosted, run
from eventjobs.cli.mailbox import Mailbox, mailing, tell_mail
from eventjobs.cli.output import say
from eventjobs.cli.target import ADMIN_KEY_FILE, DEMO_FILE, Target, Where, find_target
from eventjobs.errors import UsageWrong
from eventjobs.settings import DEFAULT_DATA_DIR, PREFIX, Settings, load_settings

ANY_ADDRESS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 compared, not bound
LOOPBACK: Final = "127.0.0.1"


def demo(
    *,
    data_dir: Annotated[Path | None, Parameter(help="where everything lives [EVENTJOBS_DATA_DIR]")] = None,
    port: Annotated[int | None, Parameter(help="port to listen on, 0 for a free one [EVENTJOBS_PORT]")] = None,
) -> int:
    """
    Run the service with an example: a schedule of four jobs and two groups of imports, each run once.

    The first start makes files and workspace and runs them; every later start goes on where the one before stopped
    and runs nothing again. Mails are shown here, unless EVENTJOBS_SMTP_URL is set. Ctrl-C stops the service and its
    Postgres.
    """
    return run(_demo(demo_settings(data_dir, port)))


def demo_settings(data_dir: Path | None, port: int | None) -> Settings:
    """Return the settings with the service's own address among those that jobs may call, and few log lines."""
    quiet = None if os.environ.get(f"{PREFIX}LOG_LEVEL") else "warning"
    plain = load_settings({"data_dir": data_dir, "port": port, "log_level": quiet})
    chosen = plain.port or _free_port(plain.bind)
    own = f"{_reachable(plain.bind)}:{chosen}"
    return plain.model_copy(update={"port": chosen, "outbound_allow": (*plain.outbound_allow, own)})


async def _demo(settings: Settings) -> int:
    async with mailing(settings) as (equipped, mailbox), hosted(equipped) as service:
        story = service.tasks.start(_tell(service, settings, mailbox), name="demo", joined=True)
        stopped = service.tasks.start(service.stopping.wait(), name="demo-stopped", joined=True)
        _ = await asyncio.wait({story, stopped}, return_when=asyncio.FIRST_COMPLETED)
        _ = stopped.cancel()
        if story.done():
            story.result()
        else:
            _ = story.cancel()
        await service.run_until_stopped()
        say("Stopped; the next start goes on from here.")
    return exits.OK


async def _tell(service: Service, settings: Settings, mailbox: Mailbox | None) -> None:
    url = f"http://{_reachable(settings.bind)}:{settings.port}"
    example = read_example(url)
    workspace = str(example.workspace["id"])
    key = _key(service, settings)
    say(f"Ready at {url}; everything lives in {settings.data_dir}.")
    target = Target(url=url, key=key, workspace=workspace)
    async with Client(target) as client:
        rows = await asyncio.to_thread(make_example_files, settings.data_dir / "files" / workspace)
        await make_workspace(client, example)
        left = {"url": url, "workspace": workspace, "key": key, "schedule": example.schedule["id"]}
        document = {**left, "tables": example.tables(rows)}
        write_private(
            settings.data_dir / DEMO_FILE,
            orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode(),
        )
        await tell_first_run(client, example, rows)
        for group in example.groups:
            await tell_group_run(client, example, group, rows, mailbox)
        _tell_addresses(settings, target, str(example.schedule["id"]))
    while mailbox is not None:
        tell_mail(await mailbox.next())


def _tell_addresses(settings: Settings, target: Target, schedule: str) -> None:
    pages = f"{target.url}/v1/{target.workspace}"
    say("\nWhere to look:", "bold")
    say(f"  the dashboard          {target.url}/")
    say(f"  the API, in a browser  {target.url}/docs")
    say(f"  the Jobs page          {pages}/jobs-page")
    say(f"  Manage Connect         {pages}/manage-connect/group-jobs")
    say(f"  the same with the key  curl -H 'Authorization: Bearer {target.key}' {pages}/jobs-page")
    say("\nAs it was made, the schedule is inactive, and only the group newsletter runs by itself, once a day.", "bold")
    say("In another terminal:", "bold")
    if settings.data_dir != DEFAULT_DATA_DIR.expanduser():
        say(f"  export EVENTJOBS_DATA_DIR={shlex.quote(str(settings.data_dir))}")
    for line in (
        "view jobs-page",
        "view manage-connect",
        "runs first-trade-fair",
        "history --live",
        f"do RunNow --owner.kind schedule --owner.id {schedule}",
        f"do ActivateSchedule --id {schedule}",
        "audit verify",
    ):
        say(f"  {_program()} {line}")
    say("\nCtrl-C stops everything.")


def _program() -> str:
    """How this program is called from where we are."""
    if shutil.which("eventjobs"):
        return "eventjobs"
    beside = Path(sys.executable).with_name("eventjobs")
    return os.path.relpath(beside) if beside.exists() else f"{sys.executable} -m eventjobs"


def _key(service: Service, settings: Settings) -> str:
    """Return a key with every role: the one just made, the operator's, or the one of an earlier start."""
    given = settings.admin_key
    known = service.admin_key or (None if given is None else given.get_secret_value())
    key = known or find_target(Where(data_dir=settings.data_dir), {}).key
    if key is None:
        raise UsageWrong(
            f"this log has keys, but {settings.data_dir / ADMIN_KEY_FILE} is gone; set EVENTJOBS_ADMIN_KEY"
        )
    return key


def _reachable(bind: str) -> str:
    return LOOPBACK if bind in ANY_ADDRESS else bind


def _free_port(bind: str) -> int:
    with socket.socket() as link:
        link.bind((_reachable(bind), 0))
        port: int = link.getsockname()[1]
        return port
