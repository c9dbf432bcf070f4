"""The memory of a load does not grow with its source, nor that of an export with its rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from eventjobs.handlers.csv_export import HANDLER
from eventjobs.handlers.perform import perform
from eventjobs.handlers.workbench import Workbench
from tests.handlers.conftest import Attempt

ROWS = 250_000
EXPORTED = 1_000_000
MIB_MAX = 30
STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")

pytestmark = pytest.mark.skipif(not CLEAR.exists(), reason="only Linux tells a process's peak memory")


def peak_mib() -> float:
    (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize("last", ["", "x\n"], ids=["clean", "with a reject"])
async def test_memory_stays_flat(
    loading: Workbench,
    attempt: Callable[..., Attempt],
    acme: "asyncpg.Connection[Any]",
    put: Any,
    last: str,
) -> None:
    with put("large.csv", "id,text\n").open("a") as file:
        for number in range(ROWS):
            file.write(f"{number},{'text ' * 30}\n")
        file.write(last)
    CLEAR.write_text("5")
    before = peak_mib()
    config = {"source": "large.csv", "table": "large", "columns": {"id": "integer"}}
    result = await attempt(loading, run=f"large{len(last)}").perform("csv.import", config)
    assert result.counts["added"] == ROWS == await acme.fetchval("SELECT count(*) FROM large")
    assert peak_mib() - before < MIB_MAX


@pytest.mark.usefixtures("acme")
async def test_memory_stays_flat_when_rows_are_written(
    loading: Workbench, attempt: Callable[..., Attempt], tmp_path: Path
) -> None:
    made = attempt(loading, run="large export")
    query = f"SELECT n AS id, repeat('text ', 30) AS text FROM generate_series(1, {EXPORTED}) AS n"
    CLEAR.write_text("5")
    before = peak_mib()
    result = await perform(HANDLER, {"query": query, "target": "large.csv"}, made.context, loading.secrets)
    assert result.counts == {"processed": EXPORTED}
    assert peak_mib() - before < MIB_MAX
    assert (tmp_path / "files/acme/large.csv").stat().st_size == result.output["bytes"] > 150 * EXPORTED
