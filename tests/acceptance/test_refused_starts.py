"""What the service does not start with, and says why."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.database import data_folder, database, embedded_server, set_up
from tests.support.program import eventjobs_beside


async def serve(data_dir: Path, *options: str, env: Mapping[str, str] | None = None) -> tuple[int, list[str]]:
    """Start it where it cannot start; returns its exit code and what it told people."""
    ended = await eventjobs_beside("serve", "--data-dir", str(data_dir), "--port", "0", *options, env=env)
    return ended.code, [line for line in ended.err.splitlines() if "[info" not in line]


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
