"""The command line as a whole: what it imports, what it answers, how it ends."""

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from aiohttp import web

from eventjobs.cli.main import COMMANDS
from tests.support.database import data_folder
from tests.support.program import eventjobs, eventjobs_beside

HEAVY = ("aiohttp", "asyncpg", "pydantic", "orjson", "asyncio", "structlog", "prometheus_client", "uvloop")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom eventjobs.cli.main import run\n"
        f"try:\n    run({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "[]"
    assert done.stdout


@pytest.mark.parametrize("command", [name for name, _, _ in COMMANDS])
def test_every_command_has_a_help_that_says_more_than_its_name(command: str) -> None:
    program = [sys.executable, "-m", "eventjobs", command, "--help"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage: eventjobs" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["nope"],
        ["runs", "--nope"],
        ["serve", "--port", "x"],
        ["do", "RunNo", "-w", "a"],
        ["do", "RunNow", "--owner.sort", "x", "-w", "a"],
        ["do", "RunNow", "-w", "a", "--data", "{"],
        ["do", "RunNow", "-w", "a", "--data", "@/nowhere/at-all"],
        ["runs"],
        ["runs", "-w", "a", "--url", "ftp://x"],
        ["history", "-w", "a", "--live", "--before", "3"],
        ["audit", "verify"],
        ["audit", "verify", "--export", "/nowhere/at-all"],
        ["audit", "verify", "--export", "x", "--data-dir", "y"],
        ["audit", "occurrences"],
        ["audit", "occurrences", "--database-url", "x", "--data-dir", "y"],
    ],
    ids=" ".join,
)
def test_wrong_usage_leaves_with_2_and_says_what_is_wrong(arguments: list[str]) -> None:
    done = eventjobs(*arguments)
    assert done.code == 2, done.out
    assert done.err.strip()
    assert "Traceback" not in done.err


def test_a_wrong_setting_leaves_with_2_and_names_it() -> None:
    done = eventjobs("config", "show", env={"EVENTJOBS_PORT": "many"})
    assert done.code == 2
    assert "EVENTJOBS_PORT" in done.err


def test_an_address_where_nobody_answers_leaves_with_3(unused_tcp_port: int) -> None:
    done = eventjobs("runs", "-w", "a", "--url", f"http://127.0.0.1:{unused_tcp_port}")
    assert done.code == 3
    assert "nobody answers at http://127.0.0.1" in done.err


@pytest.mark.parametrize("command", [["audit", "verify"], ["migrate"], ["serve", "--port", "0"]], ids=" ".join)
def test_a_database_that_is_away_leaves_with_3(command: list[str], unused_tcp_port: int, tmp_path: Path) -> None:
    url = f"postgresql://me:pw0rd@127.0.0.1:{unused_tcp_port}/x"
    done = eventjobs(*command, env={"EVENTJOBS_DATABASE_URL": url, "EVENTJOBS_DATA_DIR": str(tmp_path)})
    assert done.code == 3, done.err
    assert "the database cannot be used" in done.err
    assert "Traceback" not in done.err
    assert "pw0rd" not in done.err


def test_the_settings_are_shown_with_secrets_masked() -> None:
    env = {"EVENTJOBS_ADMIN_KEY": "s3cret-s3cret-s3cret", "EVENTJOBS_DATABASE_URL": "postgresql://me:pw0rd@db/x"}
    done = eventjobs("config", "show", "--json", env=env)
    shown = orjson.loads(done.out)["settings"]
    assert shown["EVENTJOBS_ADMIN_KEY"] == "********"
    assert shown["EVENTJOBS_DATABASE_URL"] == "postgresql://me:********@db/x"
    assert "s3cret" not in done.out
    assert "pw0rd" not in done.out


def test_a_name_that_is_no_setting_is_told() -> None:
    done = eventjobs("config", "show", env={"EVENTJOBS_PROT": "1", "EVENTJOBS_URL": "http://x:1"})
    assert done.code == 0
    assert "did you mean EVENTJOBS_PORT" in done.err
    assert "EVENTJOBS_URL" not in done.err


PROBLEM = {
    "status": 409,
    "code": "already_running",
    "title": "The state forbids it",
    "detail": "run r1 is open",
    "errors": [],
    "request_id": "q1",
    "open_run": "r1",
}


class TestRefused:
    """A service that says no."""

    @pytest.fixture
    async def url(self) -> AsyncIterator[str]:
        async def refuse(_: web.Request) -> web.Response:
            body = orjson.dumps(PROBLEM)
            return web.Response(status=409, body=body, content_type="application/problem+json")

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", refuse)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        await runner.cleanup()

    async def test_a_refusal_leaves_with_1_and_tells_title_detail_and_the_way_out(self, url: str) -> None:
        code, out, err = await eventjobs_beside("do", "RunNow", "--owner.kind", "schedule", "-w", "a", "--url", url)
        assert code == 1
        assert out == ""
        for told in ("The state forbids it", "already_running", "run r1 is open", "open_run: r1", "request q1"):
            assert told in err

    async def test_with_json_a_refusal_is_the_only_thing_on_standard_output(self, url: str) -> None:
        code, out, err = await eventjobs_beside("runs", "-w", "a", "--json", "--url", url)
        assert code == 1
        assert orjson.loads(out) == PROBLEM
        assert err == ""


def test_an_export_that_was_changed_leaves_with_1_and_names_the_first_position(tmp_path: Path) -> None:
    export = tmp_path / "log.ndjson"
    export.write_text('{"position": 1}\n')
    done = eventjobs("audit", "verify", "--json", "--export", str(export))
    assert done.code == 1
    assert orjson.loads(done.out)["position"] == 1


def test_a_database_that_cannot_be_run_here_is_told_apart_from_a_refusal() -> None:
    with data_folder() as folder:
        (folder / "pg").mkdir(parents=True)
        (folder / "pg" / "PG_VERSION").write_text("9\n")
        done = eventjobs("migrate", "--data-dir", str(folder))
    assert done.code == 3, done.err
    assert "no PostgreSQL 9 binaries found" in done.err
