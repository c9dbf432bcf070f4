"""
A process that has read what every test run needs, and forks into one test run after the other.

A line in: `{"build", "tests", "report"}`; two lines out: the run's process id, then its exit code. Nothing of the
service may be read here: each run reads it from the build that it is told.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import aiohttp.web
import asyncpg
import hypothesis
import orjson
import prometheus_client
import pydantic_settings
import pytest
import pytest_asyncio
import structlog.testing

READ = (aiohttp.web, asyncpg, hypothesis, orjson, prometheus_client, pydantic_settings, pytest_asyncio, structlog)
OPTIONS = ("-x", "-q", "--no-header", "--tb=short", "-p", "no:cacheprovider")
# Only the plugins that these tests need; they are here before pytest can look into their asserts, which nobody needs.
PLUGINS = ("-p", "pytest_asyncio.plugin", "-p", "pytest_timeout", "-W", "ignore::pytest.PytestAssertRewriteWarning")


def main() -> None:
    assert "eventjobs" not in sys.modules
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            become_a_run(Path(asked["build"]), asked["tests"], Path(asked["report"]))
        tell(child)
        tell(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def become_a_run(build: Path, tests: Sequence[str], report: Path) -> NoReturn:
    """Run tests of this tree against a build, and end."""
    os.setsid()
    source = str(build / "src")
    sys.path.insert(0, source)
    os.environ.update(PYTHONPATH=source, COLUMNS="200", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    with report.open("wb") as said, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    code = int(pytest.main([*OPTIONS, *PLUGINS, *tests]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
