"""
The long forms: `python -m tests.chaos --minutes 30 --suites T1,T2 --seed 7 --out figures.jsonl`.

Each suite appends one line of figures. The exit code is 1 where a promise was broken.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tests.chaos.figures import Figures
from tests.chaos.suites import SHORT_FORMS, SUITES


def main() -> int:
    """Run what the command line asks for."""
    given = _parser().parse_args()
    # SIGTERM too shall unwind everything, so that no process is left behind.
    signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    names = given.suites.split(",") if given.suites else list(SHORT_FORMS if given.short else SUITES)
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        sys.exit(f"there is no suite {', '.join(unknown)}; there are {', '.join(SUITES)}")
    if given.short and not set(names) <= set(SHORT_FORMS):
        sys.exit(f"a short form have {', '.join(SHORT_FORMS)}")
    broken = False
    for name in names:
        _say(f"{name}, seed {given.seed} …")
        size = "ARGS=--short" if given.short else f"MINUTES={given.minutes:g}"
        command = f"make chaos SUITES={name} SEED={given.seed} {size}"
        suite = SUITES[name]
        running = suite.short(given.seed, command) if given.short else suite.long(given.seed, given.minutes, command)
        found = asyncio.run(running)
        broken |= not found.held
        _tell(found)
        if given.out is not None:
            with given.out.open("a", encoding="utf-8") as lines:
                lines.write(found.as_line() + "\n")
    return 1 if broken else 0


def _tell(found: Figures) -> None:
    _say(json.dumps(json.loads(found.as_line()), indent=1, ensure_ascii=False))
    _say(f"{found.suite}: {_verdict(found)}")


def _verdict(found: Figures) -> str:
    if not found.held:
        return "BROKEN"
    return "held" if found.not_run_reason is None else f"did not run: {found.not_run_reason}"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=8.0, help="how long the kill storm lasts; the others scale")
    parser.add_argument("--suites", help="which, comma-separated; without it all")
    parser.add_argument("--short", action="store_true", help="the size that the tests use")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="where a line of figures is appended")
    return parser


if __name__ == "__main__":
    sys.exit(main())
