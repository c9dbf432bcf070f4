"""Build mutants beside the source, and see whether the tests that own their promise notice."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Timer

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


class Nursery:
    """A process that forks test runs, one after the other."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.mutants.nursery"],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, build: Path, tests: Sequence[str], limit_s: float) -> tuple[int, str]:
        """Run tests against a build; one that takes too long is killed, and its exit code is none of pytest's."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        report = build.with_suffix(".report")
        asked = {"build": str(build), "tests": list(tests), "report": str(report)}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        child = int(self.process.stdout.readline())
        late = Timer(limit_s, _kill, [child])
        late.start()
        code = int(self.process.stdout.readline())
        late.cancel()
        said = report.read_text("utf-8", "replace")
        return code, said if code >= 0 else f"{said}\nno end within {limit_s:g} s"

    def close(self) -> None:
        self.process.communicate("")


def _kill(child: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)


class Proof:
    """Copies of the source as it is now, and the nurseries in which tests run against them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.nurseries: SimpleQueue[Nursery] = SimpleQueue()
        for _ in range(AT_ONCE):
            self.nurseries.put(Nursery())
        copy_source(ROOT, root / "clean")

    def close(self) -> None:
        for _ in range(AT_ONCE):
            self.nurseries.get().close()

    def verdicts(self, mutants: Sequence[Mutant]) -> Iterator[Verdict]:
        """Prove mutants, two at a time, in order."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            yield from threads.map(self.prove, mutants)

    def clean(self, mutants: Sequence[Mutant]) -> str | None:
        """Run all owning tests on the source as it is; returns what was wrong, `None` where they pass."""
        tests = sorted({test for mutant in mutants for test in mutant.tests})
        with ThreadPoolExecutor(AT_ONCE) as threads:
            parts = [part for part in (tests[::2], tests[1::2]) if part]
            builds = [self.root / f"clean-{number}" for number in range(len(parts))]
            for build in builds:
                link_source(self.root / "clean", build)
            ran = list(threads.map(partial(self._run, limit_s=CLEAN_LIMIT_S), builds, parts))
        wrong = [said for code, said in ran if code]
        return "\n".join(wrong) or None

    def prove(self, mutant: Mutant) -> Verdict:
        """Build one mutant and run the tests that own its promise."""
        build = self.root / mutant.name
        link_source(self.root / "clean", build)
        try:
            mutant.apply(build)
            code, said = self._run(build, mutant.tests, LIMIT_S)
        except Outgrown as outgrown:
            return Verdict(mutant, caught=False, said=str(outgrown))
        finally:
            shutil.rmtree(build, ignore_errors=True)
        shown = re.search(mutant.shows, said, re.MULTILINE) is not None
        return Verdict(mutant, caught=code == TESTS_FAILED and shown and not BROKEN.search(said), said=said)

    def _run(self, build: Path, tests: Sequence[str], limit_s: float) -> tuple[int, str]:
        nursery = self.nurseries.get()
        try:
            return nursery.run(build, tests, limit_s)
        finally:
            self.nurseries.put(nursery)


def copy_source(origin: Path, target: Path) -> None:
    for name in ("src", "sql"):
        shutil.copytree(origin / name, target / name)


def link_source(origin: Path, target: Path) -> None:
    """As a copy, but files are links: who changes one puts another in its place."""
    for name in ("src", "sql"):
        shutil.copytree(origin / name, target / name, copy_function=os.link)


@contextmanager
def proof() -> Iterator[Proof]:
    """Make a proof in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="eventjobs-mutants-") as folder:
        made = Proof(Path(folder))
        try:
            yield made
        finally:
            made.close()
