import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import asyncpg
import pytest

from eventjobs.errors import EmbeddedUnavailable
from eventjobs.postgres.binaries import Binaries, find_binaries
from eventjobs.postgres.child import Child
from eventjobs.postgres.embedded import EmbeddedPostgres
from eventjobs.postgres.pid_file import foreign_pid, holder, read_pid_file
from eventjobs.postgres.placement import Account, place, reachable
from tests.support.database import data_folder, execute
from tests.support.waiting import eventually

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server under another account")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


@asynccontextmanager
async def running(data_dir: Path, **options: Any) -> AsyncIterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(data_dir, durable=False, **options)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


async def ask(url: str, question: str) -> Any:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close(timeout=5)


async def answers(url: str) -> bool:
    try:
        return await ask(url, "SELECT 1") == 1
    except (asyncpg.PostgresError, asyncpg.InterfaceError):
        return False


def has_ended(pid: int | None) -> bool:
    """Ended processes may wait for whoever has to reap them."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return True


async def test_what_was_written_is_there_after_the_next_start(data_dir: Path) -> None:
    async with running(data_dir) as server:
        await execute(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
        first_url, first_pid = server.url, server.pid
    assert not (data_dir / "pg" / "postmaster.pid").exists()
    assert has_ended(first_pid)
    async with running(data_dir) as server:
        assert server.url == first_url
        assert await ask(server.url, "SELECT answer FROM kept") == 42


async def test_it_is_durable_private_and_its_owner_no_superuser(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    try:
        url = await server.start()
        wanted = {
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "jit": "off",
            "server_encoding": "UTF8",
        }
        assert {name: await ask(url, f"SHOW {name}") for name in wanted} == wanted
        assert await ask(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        cluster = data_dir / "pg"
        assert cluster.stat().st_mode & 0o777 == 0o700
        assert data_dir.stat().st_uid == os.geteuid()
        assert (data_dir / "postgres.log").stat().st_mode & 0o777 == 0o600
    finally:
        await server.stop()


async def test_a_killed_server_is_started_again_with_all_that_was_committed(data_dir: Path) -> None:
    async with running(data_dir) as server:
        await execute(server.url, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        killed = server.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await eventually(lambda: server.pid not in {None, killed})
        await eventually(lambda: answers(server.url), timeout_s=5)
        assert await ask(server.url, "SELECT count(*) FROM kept") == 1000
        assert server.is_keeper


async def test_a_second_user_of_the_folder_shares_the_server_and_takes_over_when_the_first_goes(data_dir: Path) -> None:
    first, second = EmbeddedPostgres(data_dir, durable=False), EmbeddedPostgres(data_dir, durable=False)
    try:
        await first.start()
        assert await second.start() == first.url
        assert (first.is_keeper, second.is_keeper) == (True, False)
        await first.stop()
        await eventually(lambda: second.is_keeper)
        assert await ask(second.url, "SELECT 1") == 1
    finally:
        await second.stop()
        await first.stop()


async def test_a_sharer_that_stops_leaves_the_server_to_its_keeper(data_dir: Path) -> None:
    async with running(data_dir) as keeper:
        pid = keeper.pid
        async with running(data_dir) as sharer:
            assert not sharer.is_keeper
        assert keeper.pid == pid
        assert await answers(keeper.url)


async def test_two_that_start_at_once_get_one_server(data_dir: Path) -> None:
    both = [EmbeddedPostgres(data_dir, durable=False) for _ in range(2)]
    try:
        urls = await asyncio.gather(*(server.start() for server in both))
        assert urls[0] == urls[1]
        assert sorted(server.is_keeper for server in both) == [False, True]
    finally:
        for server in both:
            await server.stop()


async def test_a_pid_file_whose_pid_is_another_program_s_now_is_no_obstacle(data_dir: Path) -> None:
    async with running(data_dir) as server:
        account = server.placement.account
        left = (data_dir / "pg" / "postmaster.pid").read_text("utf-8").splitlines()
    stranger = Child.spawn(["/bin/sleep", "60"], account=account, output=subprocess.DEVNULL)
    try:
        await eventually(lambda: Path(f"/proc/{stranger.pid}/comm").read_text("utf-8") == "sleep\n")
        stale = data_dir / "pg" / "postmaster.pid"
        stale.write_text("\n".join([str(stranger.pid), *left[1:], ""]), "utf-8")
        stale.chmod(0o600)
        if account:
            os.chown(stale, account.uid, account.gid)
        assert (holder(data_dir / "pg"), foreign_pid(data_dir / "pg")) == (None, stranger.pid)
        async with running(data_dir) as server:
            assert await answers(server.url)
        assert stranger.exit_code is None
    finally:
        os.kill(stranger.pid, signal.SIGKILL)  # what stops a server it need not heed: a shell's job ignores SIGINT
        await stranger.wait()


async def test_the_server_ends_with_a_keeper_that_was_killed_and_the_next_start_finds_the_data(data_dir: Path) -> None:
    script = dedent("""
        import asyncio, sys
        from pathlib import Path
        from eventjobs.postgres.embedded import EmbeddedPostgres

        async def main():
            server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
            await server.start()
            print(server.pid, flush=True)
            await asyncio.Event().wait()

        asyncio.run(main())
    """)
    keeper = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(data_dir), stdout=subprocess.PIPE)
    assert keeper.stdout is not None
    orphan = int(await keeper.stdout.readline())
    keeper.kill()
    assert await keeper.wait() == -signal.SIGKILL
    async with running(data_dir) as server:
        assert server.pid != orphan
        assert server.is_keeper
        assert await answers(server.url)
    assert has_ended(orphan)


async def test_a_server_that_was_left_behind_is_replaced_by_our_own(data_dir: Path) -> None:
    async with running(data_dir) as server:
        placement, binaries = server.placement, server.binaries
    await _start_detached(binaries.program("pg_ctl"), placement.cluster, placement.account)
    left_behind = holder(placement.cluster)
    assert left_behind is not None
    async with running(data_dir) as server:
        assert server.is_keeper
        assert server.pid != left_behind
        assert await answers(server.url)


async def test_a_start_that_was_cancelled_leaves_nothing_behind(data_dir: Path) -> None:
    async with running(data_dir):
        pass
    server = EmbeddedPostgres(data_dir, durable=False)
    starting = asyncio.ensure_future(server.start())
    await eventually(lambda: read_pid_file(data_dir / "pg") is not None or starting.done(), every_s=0)
    starting.cancel()
    await asyncio.wait([starting])
    await eventually(lambda: holder(data_dir / "pg") is None)
    async with running(data_dir) as again:
        assert again.is_keeper


async def test_a_cluster_that_was_half_made_is_made_again(data_dir: Path) -> None:
    partial = data_dir / "pg.partial"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("18\n", "utf-8")
    data_dir.chmod(0o711)
    async with running(data_dir) as server:
        assert await answers(server.url)
    assert not partial.exists()


async def test_what_the_server_says_when_it_cannot_start_is_in_the_error(data_dir: Path) -> None:
    with pytest.raises(EmbeddedUnavailable, match="shared_buffers"):
        await EmbeddedPostgres(data_dir, settings={"shared_buffers": "many"}).start()


async def test_a_cluster_of_another_version_is_not_touched(data_dir: Path) -> None:
    cluster = data_dir / "pg"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("9\n", "utf-8")
    with pytest.raises(EmbeddedUnavailable, match="no PostgreSQL 9 binaries"):
        await EmbeddedPostgres(data_dir).start()
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]


async def test_a_folder_with_a_long_name_has_its_socket_in_a_short_private_one(data_dir: Path) -> None:
    long_dir = data_dir.parent / ("long" * 30)
    async with running(long_dir) as server:
        socket_folder = server.placement.socket_folder
        assert server.placement.cluster == long_dir / "pg"
        assert socket_folder.parent == Path("/tmp")
        assert socket_folder.stat().st_mode & 0o777 == 0o700
        assert await answers(server.url)
    socket_folder.rmdir()


async def test_a_socket_folder_of_somebody_else_is_refused(data_dir: Path) -> None:
    long_dir = data_dir.parent / ("long" * 30)
    socket_folder = place(long_dir).socket_folder
    socket_folder.chmod(0o777)
    try:
        with pytest.raises(EmbeddedUnavailable, match="not a private folder"):
            place(long_dir)
    finally:
        socket_folder.rmdir()


@as_root
async def test_a_cluster_lives_elsewhere_where_its_account_cannot_enter_and_nobody_s_mode_is_changed(
    data_dir: Path,
) -> None:
    private = data_dir.parent / "private"
    private.mkdir(mode=0o700)
    elsewhere = data_dir.parent / "elsewhere"
    async with running(private / "data", elsewhere=elsewhere) as server:
        cluster = server.placement.cluster
        assert cluster.is_relative_to(elsewhere)
        assert (private / "data" / "pg.path").read_text("utf-8") == f"{cluster}\n"
        await execute(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert private.stat().st_mode & 0o777 == 0o700
    async with running(private / "data", elsewhere=data_dir.parent / "moved") as server:
        assert await ask(server.url, "SELECT answer FROM kept") == 42


@as_root
async def test_a_cluster_whose_account_was_locked_out_is_not_replaced_by_an_empty_one(data_dir: Path) -> None:
    async with running(data_dir):
        pass
    data_dir.chmod(0o700)
    with pytest.raises(EmbeddedUnavailable, match="cannot enter"):
        await EmbeddedPostgres(data_dir).start()


@as_root
async def test_binaries_that_the_account_cannot_reach_are_copied_once(data_dir: Path) -> None:
    private = data_dir.parent / "private"
    private.mkdir(mode=0o700)
    installed = find_binaries()
    package = installed.folder.parents[1]
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.is_dir():
            shutil.copytree(folder, private / folder.name, symlinks=True)
    inside = Path(*installed.folder.parts[-3:])
    unreachable = Binaries(private / inside, installed.major, installed.version)
    for _ in range(2):
        async with running(data_dir, binaries=unreachable) as server:
            assert server.binaries.folder == data_dir / f"postgres-{installed.version}" / inside
            assert await answers(server.url)
    assert private.stat().st_mode & 0o777 == 0o700


def test_a_path_is_reachable_only_through_folders_that_may_be_entered() -> None:
    with tempfile.TemporaryDirectory(prefix="ej-") as name:
        above, inner = Path(name), Path(name) / "inner"
        inner.mkdir(mode=0o755)
        stranger, owner = Account(54321, 54321), Account(above.stat().st_uid, 54321)
        assert not reachable(inner, stranger)
        assert reachable(inner, owner)
        above.chmod(0o711)
        assert reachable(inner, stranger)


async def _start_detached(pg_ctl: Path, cluster: Path, account: Account | None) -> None:
    options = f"-c listen_addresses='' -c unix_socket_directories={cluster}"
    command = [str(pg_ctl), "start", "-w", "-s", "-D", str(cluster), "-o", options, "-l", str(cluster / "detached.log")]
    code = await Child.spawn(command, account=account, output=subprocess.DEVNULL).wait()
    assert code == 0
