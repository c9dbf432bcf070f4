"""The service as its users run it, a process with its own Postgres, and what both of them cost."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.over_http import free_port, ready
from benchmarks.pages import KEY

_TICKS: int = os.sysconf("SC_CLK_TCK")
SETTLED = 0.05
"""A service that costs less than this share of a core has nothing left to do."""
SETTLING_S = 1_800


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds of a core: of the service's process, and of all of its Postgres."""

    service: float
    postgres: float

    def since(self, before: "Cpu", seconds: float) -> "Cpu":
        """Return what was used since, as shares of a core."""
        return Cpu((self.service - before.service) / seconds, (self.postgres - before.postgres) / seconds)


@dataclass(frozen=True, slots=True)
class Served:
    """A service that answers."""

    url: str
    pid: int
    postmaster: int

    def cpu(self) -> Cpu:
        """Return what it has used up to now; of backends that are gone the postmaster knows."""
        backends = sum(_used(pid) for pid in _children(self.postmaster))
        return Cpu(_used(self.pid), _used(self.postmaster, with_gone=True) + backends)

    async def settled(self) -> None:
        """Wait until it has nothing left to do."""
        for _ in range(SETTLING_S):
            before = self.cpu()
            await asyncio.sleep(1)
            if self.cpu().since(before, 1).service < SETTLED:
                return
        raise RuntimeError("the service does not come to rest")


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Served]:
    """Serve a data folder from a process of its own."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "eventjobs", "serve", "--data-dir", str(folder), "--port", str(port),
        env={**os.environ, "EVENTJOBS_ADMIN_KEY": KEY},
        stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        await ready(f"{url}/readyz")
        postmaster = next(pid for pid in _children(process.pid) if list(_children(pid)))
        yield Served(url, process.pid, postmaster)
    finally:
        process.terminate()
        await process.wait()


def _used(pid: int, *, with_gone: bool = False) -> float:
    """Return the seconds of a core that a process has used, with those of its children that are gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11 : 15 if with_gone else 13])) / _TICKS


def _children(of: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except FileNotFoundError:
                continue
            if parent == of:
                yield int(entry.name)
