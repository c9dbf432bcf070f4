"""Build mutants beside the source, and see whether the tests that own their promise notice."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.mutants.mutant import Mutant, Outgrown

ROOT = Path(__file__).parents[2]
AT_ONCE = 2
LIMIT_S = 60
CLEAN_LIMIT_S = 240
TESTS_FAILED = 1
# What a build says that does not even begin to work: that would prove nothing about the test.
BROKEN = re.compile(r"^E\s+(ImportError|ModuleNotFoundError|SyntaxError|NameError|IndentationError)\b", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """Whether a mutant was caught, and what was said."""

    mutant: Mutant
    caught: bool
    said: str


@contextmanager
def clean_copy() -> Iterator[Path]:
    """Copy what the service is made of, as it is now."""
    with tempfile.TemporaryDirectory(prefix="eventjobs-mutants-") as folder:
        root = Path(folder)
        copy_source(ROOT, root / "clean")
        yield root


def copy_source(origin: Path, target: Path) -> None:
    for name in ("src", "sql"):
        shutil.copytree(origin / name, target / name)


def run_tests(build: Path, tests: Sequence[str], limit_s: float) -> tuple[int, str]:
    """Run tests of this tree against another build; a run that takes too long ends with no exit code of pytest's."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "--no-header",
        "--tb=short",
        "-p",
        "no:cacheprovider",
        *tests,
    ]
    environment = {**os.environ, "PYTHONPATH": str(build / "src"), "COLUMNS": "200"}
    environment.pop("PYTEST_XDIST_WORKER", None)
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired as late:
        return -1, f"no end within {limit_s:g} s\n{(late.stdout or b'').decode()}"
    return done.returncode, done.stdout + done.stderr


def prove_clean(root: Path, mutants: Sequence[Mutant]) -> str | None:
    """Run all owning tests on the clean copy; returns what was wrong, `None` where they pass."""
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    code, said = run_tests(root / "clean", tests, CLEAN_LIMIT_S)
    return said if code else None


def prove(root: Path, mutant: Mutant) -> Verdict:
    """Build one mutant and run the tests that own its promise."""
    build = root / mutant.name
    copy_source(root / "clean", build)
    try:
        mutant.apply(build)
        code, said = run_tests(build, mutant.tests, LIMIT_S)
    except Outgrown as outgrown:
        return Verdict(mutant, caught=False, said=str(outgrown))
    finally:
        shutil.rmtree(build, ignore_errors=True)
    shown = re.search(mutant.shows, said, re.MULTILINE) is not None
    return Verdict(mutant, caught=code == TESTS_FAILED and shown and not BROKEN.search(said), said=said)


def prove_all(root: Path, mutants: Sequence[Mutant]) -> Iterator[Verdict]:
    """Prove mutants, two at a time, in order."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield from threads.map(partial(prove, root), mutants)
