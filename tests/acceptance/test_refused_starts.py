"""What the service does not start with, and says why."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.database import data_folder, database, embedded_server, set_up

PATIENCE_S = 60.0


async def serve(data_dir: Path, *options: str, env: Mapping[str, str] | None = None) -> tuple[int, list[str]]:
    """Start it where it cannot start; returns its exit code and what it told people."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EVENTJOBS_")}
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "eventjobs", "serve", "--data-dir", str(data_dir), "--port", "0", *options],
        env={**clean, **(env or {})},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, [line for line in said.decode().splitlines() if "[info" not in line]


@pytest.mark.parametrize("name", ["admin.key", "demo.json"])
async def test_a_key_that_others_can_read_is_refused(name: str) -> None:
    with data_folder() as folder:
        folder.mkdir()
        (folder / name).write_text("secret\n")
        (folder / name).chmod(0o644)

        code, said = await serve(folder)

        assert code == 2
        assert f"chmod 600 {folder / name}" in " ".join(said)
        assert "Traceback" not in " ".join(said)
        assert not (folder / "pg").exists()


async def test_a_server_that_may_forget_commits_is_refused_before_anything_is_written() -> None:
    with data_folder() as folder:
        async with embedded_server() as owner, database(owner, "careless") as url:
            await set_up(url)
            code, said = await serve(folder, env={"EVENTJOBS_DATABASE_URL": url})

        assert code == 2, said
        assert "fsync is off" in " ".join(said)
        assert "--unsafe" in " ".join(said)
        assert "Traceback" not in " ".join(said)
        assert not (folder / "admin.key").exists()


def test_every_package_that_is_installed_is_pinned_by_its_hash() -> None:
    lock = (Path(__file__).parents[2] / "requirements.lock").read_text("utf-8")
    packages = [part for part in lock.replace("\\\n", " ").splitlines() if part and not part.startswith((" ", "#"))]
    assert len(packages) > 50
    assert [line.split()[0] for line in packages if "==" not in line or "--hash=sha256:" not in line] == []
