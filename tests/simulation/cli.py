"""Plays seeds in worker processes and says what became of each, a line a seed and one of JSON in the end."""

import argparse
import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Final

import orjson

from tests.simulation.options import DAY, YEAR, Options, derive
from tests.simulation.rare import RARE, RARE_OF_GROUPS
from tests.simulation.trace import write_trace
from tests.simulation.world import Outcome, World

SPARSE_HOURS: Final = 30 * 24.0
GROUPS: Final = 20
"""Of a year of groups."""
YEAR_SCHEDULES: Final = 20
"""Of a year, besides those for the odd nights."""
GARBAGE: Final = 2_000_000
"""After how many things in cycles the collector looks: no day makes so many, a year does."""
PROMISES: Final = ("P1", "P2", "P3", "P5", "P6", "P7", "P11", "P12")
SEEDS_FOR_ALL: Final = 20
"""From how many seeds on every rare state must have been seen."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One seed's outcome, and what it cost."""

    outcome: Outcome
    seconds: float
    again: str | None


def play(options: Options, *, twice: bool = False, trace: str | None = None) -> Result:
    """Play one simulation; `twice` to compare what it did."""
    gc.set_threshold(GARBAGE, 50, 1_000)
    began = time.process_time()
    world = World(options)
    outcome = world.play()
    if trace is not None:
        write_trace(world, trace)
    again = World(options).play().digest if twice else None
    return Result(outcome=outcome, seconds=time.process_time() - began, again=again)


def main(arguments: Sequence[str]) -> int:
    """Play what was asked for; returns the exit code."""
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets have an order of their own, and a seed must say it all
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *arguments])
    asked = _parser().parse_args(arguments)
    began = time.monotonic()
    results = []
    for result in _played(_wanted(asked), asked):
        _say(_line(result))
        results.append(result)
    figures = _figures(results, time.monotonic() - began)
    _say(orjson.dumps(figures).decode())
    return 1 if figures["failed"] or figures["never_seen"] else 0


def wanted(arguments: Sequence[str]) -> Sequence[Options]:
    """Return the simulations that are asked for."""
    return _wanted(_parser().parse_args(arguments))


def _wanted(asked: argparse.Namespace) -> Sequence[Options]:
    rest: dict[str, Any] = {"mood": asked.mood, "members": asked.members, "schedules": asked.schedules}
    if asked.seed is not None:
        rest["groups"] = asked.groups or 0
        length = asked.hours or (SPARSE_HOURS if asked.sparse_seed else DAY)
        return [derive(asked.seed, hours=length, sparse=asked.sparse_seed, **rest)]
    hours = asked.hours or DAY
    many = [derive(seed, hours=hours, **rest) for seed in range(asked.first, asked.first + asked.seeds)]
    sparse = asked.seeds // 4 if asked.sparse is None else asked.sparse
    seeds = range(asked.first, asked.first + sparse)
    many += [derive(seed, hours=SPARSE_HOURS, sparse=True, **rest) for seed in seeds]
    years = range(asked.first, asked.first + asked.years)
    rest["schedules"] = asked.schedules or YEAR_SCHEDULES
    many += [derive(seed, hours=YEAR, sparse=True, **rest) for seed in years]
    rest |= {"schedules": 0, "groups": asked.groups or GROUPS}
    years = range(asked.first, asked.first + asked.group_years)
    return many + [derive(seed, hours=asked.hours or YEAR, sparse=True, **rest) for seed in years]


def again(options: Options) -> Sequence[str]:
    """Return the arguments that ask for one simulation alone."""
    named = {name: getattr(options, name) for name in ("seed", "hours", "mood", "members", "schedules", "groups")}
    plain = [text for name, value in named.items() for text in (f"--{name}", str(value))]
    return [*plain, "--sparse-seed"] if options.sparse else plain


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make simulate", description="Simulations of the service, by seed.")
    parser.add_argument("--seeds", type=int, default=20, help="how many days of 24 hours")
    parser.add_argument("--sparse", type=int, help="how many stretches of 30 days (a quarter of the seeds)")
    parser.add_argument("--years", type=int, default=0, help="how many years of twenty schedules")
    parser.add_argument("--group-years", type=int, default=0, help="how many years of twenty groups and their jobs")
    parser.add_argument("--groups", type=int, help="how many groups, in the place of schedules")
    parser.add_argument("--schedules", type=int, help="how many schedules, instead of what is drawn")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--hours", type=float, help="another length")
    parser.add_argument("--mood", type=float, help="by what the faults are multiplied, instead of what is drawn")
    parser.add_argument("--members", type=int, default=3, help="how many instances")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--twice", action="store_true", help="play each seed twice, and compare")
    parser.add_argument("--seed", type=int, help="this seed alone")
    parser.add_argument("--sparse-seed", action="store_true", help="with --seed: its 30 days")
    parser.add_argument("--trace", help="with --seed: write everything that was recorded into this file")
    return parser


def _played(many: Sequence[Options], asked: argparse.Namespace) -> Iterator[Result]:
    if len(many) == 1 or asked.workers == 1:
        for options in many:
            yield play(options, twice=asked.twice, trace=asked.trace)
            gc.collect()  # a played world is full of cycles, and the next one would carry it along
        return
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    # A process for each: the cycles of a played world end with it, and nobody has to look for them.
    with ProcessPoolExecutor(asked.workers, mp_context=context, max_tasks_per_child=1) as pool:
        for done in as_completed([pool.submit(play, options, twice=asked.twice) for options in many]):
            yield done.result()


def _failure(result: Result) -> str | None:
    outcome = result.outcome
    if outcome.violation is not None:
        return outcome.violation
    if result.again not in (None, outcome.digest):
        return f"the same seed did something else the second time: {outcome.digest}, {result.again}"
    if outcome.figures["occurrences"] < outcome.options.occurrences_min:
        return f"only {outcome.figures['occurrences']} occurrences"
    return None


def _line(result: Result) -> str:
    options, figures = result.outcome.options, result.outcome.figures
    failure = _failure(result)
    kind = "sparse" if options.sparse else "seed"
    said = (
        f"{kind} {options.seed:4d}  {figures['hours']:6.1f} h  {figures['occurrences']:5d} occurrences"
        f"  {figures['runs']:5d} runs  {figures['instances']:3d} instances  {result.seconds:5.1f} s"
        f"  {result.outcome.digest}  {'ok' if failure is None else 'FAILED'}"
    )
    if failure is None:
        return said
    return (
        f"{said}\n  {failure}\n  options: {orjson.dumps(options.shown()).decode()}"
        f'\n  again: make simulate ARGS="{" ".join(again(options))}"'
    )


def _figures(results: Iterable[Result], wall_s: float) -> dict[str, Any]:
    results = list(results)
    seen: Counter[str] = Counter()
    for result in results:
        seen.update(result.outcome.seen)
    total: Counter[str] = Counter()
    for result in results:
        total.update({name: value for name, value in result.outcome.figures.items() if name != "recovery_s"})
    return {
        "suite": "simulate",
        **part_of([result.outcome.options for result in results]),
        "promises": PROMISES,
        "seeds": len(results),
        "failed": [result.outcome.options.seed for result in results if _failure(result) is not None],
        "never_seen": [name for name in _expected([result.outcome.options for result in results]) if not seen[name]],
        **{name: round(value, 1) for name, value in total.items()},
        "recovery_max_s": max((result.outcome.figures["recovery_s"] for result in results), default=0.0),
        "seconds": round(wall_s, 1),
        "cpu_seconds": round(sum(result.seconds for result in results), 1),
        "seen": dict(sorted(seen.items())),
    }


def part_of(played: Sequence[Options]) -> dict[str, str]:
    """Name a proof by years alone, which stands beside the one by days."""
    seeds = sorted(options.seed for options in played)
    if not seeds or any(options.hours < YEAR for options in played):
        return {}
    owners = "groups" if any(options.groups for options in played) else "schedules"
    return {"part": f"years of {owners}, seeds {seeds[0]} to {seeds[-1]}"}


def _expected(played: Sequence[Options]) -> Sequence[str]:
    """Return the rare states that so many days, or years of groups, must have seen."""
    days = sum(not options.sparse for options in played)
    years = sum(options.groups > 0 and options.hours >= YEAR for options in played)
    return (*(RARE if days >= SEEDS_FOR_ALL else ()), *(RARE_OF_GROUPS if years >= SEEDS_FOR_ALL else ()))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
