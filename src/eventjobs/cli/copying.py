"""Which database a copy is made of or read into, and with which programs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from eventjobs.postgres.binaries import Binaries, find_binaries
from eventjobs.postgres.embedded import EmbeddedPostgres
from eventjobs.postgres.server import OWNER, cluster_version, url_of
from eventjobs.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A database: its owner's URL, that of whoever sees every table in it, and the programs of its version."""

    owner_url: str
    whole_url: str
    programs: Binaries


@asynccontextmanager
async def reached(settings: Settings, url: str | None) -> AsyncIterator[Reached]:
    """Yield the database behind `url`, or the embedded one, which is started if it does not run."""
    if url is not None:
        yield Reached(owner_url=url, whole_url=url, programs=find_binaries(settings.pg_bin))
        return
    embedded = EmbeddedPostgres(settings.data_dir, pg_bin=settings.pg_bin)
    try:
        owner_url = await embedded.start()
        version = cluster_version(embedded.placement.cluster)
        # Its superuser is reached over the socket alone, which nobody else can open.
        whole_url = url_of(embedded.placement, "postgres", OWNER)
        yield Reached(owner_url=owner_url, whole_url=whole_url, programs=find_binaries(settings.pg_bin, major=version))
    finally:
        await embedded.stop()
