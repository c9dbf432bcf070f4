"""
`eventjobs restore`: a backup into an empty database, with nothing in it that would happen again by itself.

What was outside meanwhile (files loaded, calls made) the copy does not know, so all starts are held and the runs that
were open are asked to stop, before the first instance sees them. A person looks, and releases the starts.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from eventjobs.audit.verify import Broken, verify_log
from eventjobs.cli import exits
from eventjobs.cli.audit import CLUSTERS
from eventjobs.cli.copying import Reached, reached
from eventjobs.cli.databases import reaching_the_database
from eventjobs.cli.offline import Offline, offline
from eventjobs.cli.output import print_json, say
from eventjobs.commands import SPECS
from eventjobs.commands.hold_starts import HoldStarts
from eventjobs.commands.stop_run import StopRun
from eventjobs.errors import CopyRefused, UsageWrong
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import RunEnded, RunOpened
from eventjobs.ids import EVERYWHERE
from eventjobs.log.port import Filter
from eventjobs.log.setup import set_up
from eventjobs.postgres.copies import copy_in, end_restore
from eventjobs.settings import Settings, load_settings

PAGE: Final = 1_000
LIVES: Final = Filter(types=(RunOpened.TYPE, RunEnded.TYPE))
NOTE: Final = "restored from a backup: look at what happened since, then release the starts"

RELEASE: Final = "eventjobs do ReleaseStarts --everywhere -w '*'"

_SPEC_OF: Final = {spec.command: spec for spec in SPECS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore left: the copy's last position, the log's now, and the runs that were open (`workspace/run`)."""

    log_id: str
    copied_to: int
    position: int
    stopping: tuple[str, ...]


async def restore(
    file: Annotated[Path, Parameter(help="what `eventjobs backup` wrote")],
    /,
    *,
    data_dir: Annotated[Path | None, Parameter(help="into this new data folder [EVENTJOBS_DATA_DIR]")] = None,
    database_url: Annotated[
        str | None, Parameter(help="into this empty database, as its owner and superuser [EVENTJOBS_DATABASE_URL]")
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="print what was restored as JSON")] = False,
) -> int:
    """
    Read a backup into an empty database, prove that its log is whole, and hold all starts.

    Runs that were open in it are asked to stop. Put the data folder's files and secrets back, start the service, look,
    and release: `eventjobs do ReleaseStarts --everywhere -w '*'`.
    """
    if data_dir is not None and database_url is not None:
        raise UsageWrong("give one of --data-dir and --database-url")
    if not file.is_file():
        raise UsageWrong(f"there is no file {file}")
    settings = load_settings({"data_dir": data_dir, "database_url": database_url})
    url = database_url or (None if data_dir is not None else settings.server_url)
    if url is None and any((settings.data_dir / name).exists() for name in CLUSTERS):
        raise UsageWrong(f"there is a database in {settings.data_dir} already; give a new --data-dir")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with reaching_the_database():
        async with reached(settings, url) as place:
            restored = await _restore(settings, place, file.absolute())
    _tell(restored, as_json=json)
    return exits.OK


async def _restore(settings: Settings, place: Reached, file: Path) -> Restored:
    await copy_in(
        place.programs, file, owner_url=place.owner_url, reader_url=place.whole_url, app_role=settings.app_role
    )
    log_id = await set_up(place.owner_url, app_role=settings.app_role, restoring=True)
    async with offline(place.owner_url, settings.app_role) as log:
        verdict = await verify_log(log.read)
        if isinstance(verdict, Broken):
            raise CopyRefused(f"the copy's log is broken at position {verdict.position}: {verdict.what}")
        await log.do(EVERYWHERE, _SPEC_OF[HoldStarts], HoldStarts(note=NOTE, everywhere=True))
        stopping = await _open_runs(log)
        for stream in stopping:
            await log.do(stream.workspace, _SPEC_OF[StopRun], StopRun(run=stream.id))
        restored = Restored(
            log_id=log_id,
            copied_to=verdict.positions,
            position=log.position,
            stopping=tuple(f"{stream.workspace}/{stream.id}" for stream in stopping),
        )
    await end_restore(place.owner_url)
    return restored


async def _open_runs(log: Offline) -> list[StreamId]:
    """Return the runs that began and did not end, in order."""
    runs: dict[StreamId, None] = {}
    after = 0
    while facts := await log.facts(after, PAGE, LIVES):
        for fact in facts:
            if fact.type == RunOpened.TYPE:
                runs[fact.stream] = None
            else:
                runs.pop(fact.stream, None)
        after = facts[-1].position
    return list(runs)


def _tell(restored: Restored, *, as_json: bool) -> None:
    if as_json:
        document: dict[str, Any] = {
            "log_id": restored.log_id,
            "copied_to": restored.copied_to,
            "position": restored.position,
            "held": True,
            "stopping": list(restored.stopping),
        }
        print_json(document)
        return
    say(f"Restored: {restored.copied_to:,} events, each as it was written. All starts are held.")
    for run in restored.stopping:
        say(f"  {run} was open and is asked to stop")
    say(f"Put files and secrets back, start the service, look, then: {RELEASE}")
