"""`eventjobs rebuild`: views built again from the log, beside the ones that answer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from eventjobs.cli import exits
from eventjobs.cli.audit import CLUSTERS
from eventjobs.cli.copying import reached
from eventjobs.cli.databases import reaching_the_database
from eventjobs.cli.offline import offline
from eventjobs.cli.output import console, print_json, say, table
from eventjobs.errors import UsageWrong
from eventjobs.postgres.pool import TimedPool, open_pool
from eventjobs.projections.digest import Digest, digests
from eventjobs.projections.registry import PROJECTIONS
from eventjobs.projections.temporal import Projection
from eventjobs.runner.rebuilder import Rebuilder
from eventjobs.settings import load_settings
from eventjobs.telemetry.tasks import Tasks

BATCH: Final = 2_000
PATIENT: Final = {"statement_timeout": "0"}
"""All rows of a large view are not sorted within the time that a request has."""


async def rebuild(
    *views: Annotated[str, Parameter(help="names of views, such as runs; --all for every one")],
    all_: Annotated[bool, Parameter(name="--all", negative="", help="every view")] = False,
    data_dir: Annotated[Path | None, Parameter(help="the views of this data folder [EVENTJOBS_DATA_DIR]")] = None,
    database_url: Annotated[str | None, Parameter(help="the views in this database [EVENTJOBS_DATABASE_URL]")] = None,
    json: Annotated[bool, Parameter(negative="", help="print the digests as JSON")] = False,
) -> int:
    """
    Build views again from the first event on, and switch to them in one moment; readers are answered all the while.

    Shown is the SHA-256 of each view's rows before and after. Where both are of one position, a view that was right has
    the same one again: exit code 1 says that it had not, or that an event cannot be projected and the old view stays.
    """
    wanted = _wanted(views, every=all_)
    if data_dir is not None and database_url is not None:
        raise UsageWrong("give one of --data-dir and --database-url")
    settings = load_settings({"data_dir": data_dir, "database_url": database_url})
    url = database_url or (None if data_dir is not None else settings.server_url)
    if url is None and not any((settings.data_dir / name).exists() for name in CLUSTERS):
        raise UsageWrong(f"there are no views in {settings.data_dir}; give --data-dir or --database-url")
    with reaching_the_database():
        async with reached(settings, url) as place:
            before, after = await _rebuild(place.owner_url, settings.app_role, wanted)
    return _tell(before, after, as_json=json)


def _wanted(views: Sequence[str], *, every: bool) -> Sequence[Projection]:
    known = {projection.name: projection for projection in PROJECTIONS}
    if bool(views) == every:
        raise UsageWrong(f"name views, or --all; there are {', '.join(known)}")
    unknown = [name for name in views if name not in known]
    if unknown:
        raise UsageWrong(f"there is no view {unknown[0]!r}; there are {', '.join(known)}")
    return [projection for projection in PROJECTIONS if every or projection.name in views]


async def _rebuild(url: str, role: str, wanted: Sequence[Projection]) -> tuple[Sequence[Digest], Sequence[Digest]]:
    tasks = Tasks()
    async with (
        offline(url, role) as place,
        await open_pool(url, role=role, min_size=1, max_size=2, settings=PATIENT) as pool,
    ):
        before = await _digests(pool, wanted)
        with _progress(place.position) as on_progress:
            rebuilder = Rebuilder(place.log, pool, tasks, wanted, batch=BATCH, on_progress=on_progress)
            await rebuilder.rebuild()
        after = await _digests(pool, wanted)
        await tasks.cancel_all()
        return before, after


async def _digests(pool: TimedPool, wanted: Sequence[Projection]) -> Sequence[Digest]:
    async with pool.acquire() as connection:
        return await digests(connection, wanted)


@contextmanager
def _progress(head: int) -> Iterator[Callable[[int], None]]:
    """Show how far the log has been read; away from a terminal nothing is shown."""
    shown = console(to_error=True)
    columns = (TextColumn("building"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=shown, disable=not shown.is_terminal) as progress:
        task = progress.add_task("building", total=head)
        yield lambda position: progress.update(task, completed=position, total=max(head, position))


def _tell(before: Sequence[Digest], after: Sequence[Digest], *, as_json: bool) -> int:
    was = {digest.view: digest for digest in before}
    verdicts = {digest.view: _verdict(was.get(digest.view), digest) for digest in after}
    if as_json:
        print_json([{**digest.document(), "verdict": verdicts[digest.view]} for digest in after])
    else:
        rows = [(one.view, one.version, one.position, one.rows, one.sha256, verdicts[one.view]) for one in after]
        table(("view", "version", "position", "rows", "sha256", ""), rows)
        say(f"{len(after)} views are built again.")
    return exits.REFUSED if "other rows" in verdicts.values() else exits.OK


def _verdict(was: Digest | None, now: Digest) -> str:
    """`same` and `other rows` compare one position; `went on` says that the views before were at another one."""
    if was is None or was.position != now.position:
        return "went on"
    return "same" if was.sha256 == now.sha256 else "other rows"
