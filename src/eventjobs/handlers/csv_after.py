"""
What becomes of a file once it is known how its load ended (G82).

It follows the committed load: an attempt that was killed between the commit and the move is followed by one that finds
the load, knows the file by its checksum, and moves it. Marker and count file go first, so that the file itself says
whether all is done, and no new file is taken for complete by an old marker.
"""

import posixpath
from collections.abc import Iterator

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext
from eventjobs.handlers.csv_config import CsvImportConfig, Fate
from eventjobs.handlers.csv_folder import FileFacts
from eventjobs.handlers.csv_place import Place
from eventjobs.handlers.csv_source import Pass, open_source


async def loaded_file(context: HandlerContext, config: CsvImportConfig, place: Place, sha256: str) -> FileFacts | None:
    """Return what the source is like if it is still the one that was loaded, else `None`."""
    facts = None if place.name is None else await place.folder.facts(place.name)
    if facts is None:
        return None
    async with open_source(context, config, place, facts) as source:
        return facts if await Pass(source, _nobody).digest() == sha256 else None


async def put_away(
    context: HandlerContext, config: CsvImportConfig, place: Place, facts: FileFacts | None, fate: Fate
) -> str | None:
    """
    Archive or delete the source that had these `facts`; returns where it is then, if it was moved.

    What was loaded stays loaded: a file that cannot be moved is told in the log, and is known again by the next run.
    """
    if fate == "keep" or place.name is None or facts is None:
        return None
    try:
        return await _all_away(context, config, place, place.name, facts, fate)
    except JobFailed as failure:
        context.log("warning", f"the source stays where it is: {failure.detail}")
        return None


async def _all_away(
    context: HandlerContext, config: CsvImportConfig, place: Place, source: str, facts: FileFacts, fate: Fate
) -> str | None:
    if await place.folder.facts(source) == facts:
        for name in _beside(config, place):
            if await place.folder.facts(name) is not None:
                await _away(context, config, place, name, fate)
        # Looked at again: the marker's going may be what the next file was waiting for.
        if await place.folder.facts(source) == facts:
            return await _away(context, config, place, source, fate)
    context.log("warning", "another file has the name of the source by now; it stays where it is")
    return None


def _beside(config: CsvImportConfig, place: Place) -> Iterator[str]:
    if config.ready and config.ready.marker is not None:
        yield place.beside(config.ready.marker)
    if config.count_file is not None:
        yield place.count_file(config.count_file)


async def _away(context: HandlerContext, config: CsvImportConfig, place: Place, name: str, fate: Fate) -> str | None:
    if fate == "delete" or config.after is None:
        await place.folder.remove(name)
        context.log("info", f"{name} was deleted")
        return None
    folder, file = posixpath.split(name)
    to = posixpath.join(folder, config.after.archive, f"{context.run}-{context.row}", file)
    await place.folder.move(name, to)
    context.log("info", f"{name} was archived as {to}")
    return to


async def _nobody(_share: float, _lines: int) -> None:
    """Nobody is told about this reading."""
