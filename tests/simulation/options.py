"""What a seed stands for: every choice of a simulation that is made before it begins, to be printed with the seed."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from eventjobs.commands.snapshots import EVERY

STARTS: Final = (
    datetime(2026, 3, 28, 18, tzinfo=UTC),  # Europe loses an hour in that night
    datetime(2026, 10, 24, 17, tzinfo=UTC),  # Europe has one twice
    datetime(2026, 10, 31, 23, tzinfo=UTC),  # North America has one twice
    datetime(2026, 4, 4, 8, tzinfo=UTC),  # Lord Howe has half an hour twice
    datetime(2026, 12, 31, 12, tzinfo=UTC),
)
FAULTS: Final = (
    "kill",
    "hold",
    "block",
    "leave",
    "cut",
    "outage",
    "flash",
    "read_only",
    "full",
    "rough",
    "step",
    "dark",
    "rebuild",
)


DAY: Final = 24.0
UPGRADED: Final = 0.4
"""How many simulations see new zone data come."""
YEAR: Final = 365 * DAY
OCCURRENCES_MIN: Final = 1_000
"""How many a day of 24 hours must have, or it proves too little."""
GROUPS_MIN: Final = 2_600
"""The same for a year of groups."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """
    One simulation.

    `faults` are chances a window of some seconds, by kind; `drift` bounds how wrong a machine's seconds are;
    `generation` is how many streams an appender remembers; `sparse` has few occurrences over many days. Time jumps to
    the next due moment while nobody has anything to do, but for the share `dense` of such stretches. `runs_at_once` is
    the workspace's limit, `runs_per_owner` a schedule's and `runs_per_instance` a process's. It goes on until there
    were `occurrences_min`, also where the faults swallowed many. Until `upgrade_h` all have older zone data, and then
    one after the other the present one. There are so many `flows` that suspend, and so many schedules `watched`, with
    people and programs who are told; on some days there are none. After `mails_per_hour` an address gets a digest.
    A stream's folded state is kept after `snapshot_every` facts. With `groups` there are these, and jobs that run by
    themselves, in the place of schedules.
    """

    seed: int
    hours: float
    sparse: bool
    members: int
    mood: float
    start: datetime
    schedules: int
    services: int
    commands: float
    faults: dict[str, float]
    drift: float
    generation: int
    dense: float
    runs_at_once: int | None
    runs_per_owner: int | None
    runs_per_instance: int | None
    occurrences_min: int
    upgrade_h: float | None
    flows: int
    watched: int
    mails_per_hour: int
    snapshot_every: int
    groups: int = 0

    def shown(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "start": self.start.isoformat()}


def derive(
    seed: int,
    *,
    hours: float = 24.0,
    sparse: bool = False,
    members: int = 3,
    mood: float | None = None,
    schedules: int | None = None,
    groups: int = 0,
) -> Options:
    """Return what a seed stands for; another `mood` multiplies the faults, `schedules` is another number of them."""
    draw = Random(f"options/{seed}/{sparse}")
    drawn = draw.choice((0.5, 1.0, 1.0, 2.0))
    mood = drawn if mood is None else mood
    scale = 0.5 if sparse else 1.0
    faults = {
        kind: round(mood * scale * chance * draw.uniform(0.3, 1.7), 4)
        for kind, chance in {
            "kill": 0.20,
            "hold": 0.12,
            "block": 0.04,
            "leave": 0.06,
            "cut": 0.08,
            "outage": 0.05,
            "flash": 0.10,
            "read_only": 0.03,
            "full": 0.03,
            "rough": 0.15,
            "step": 0.05,
            "dark": 0.02,
            "rebuild": 0.04,
        }.items()
    }
    many = draw.randint(7, 9) if sparse else draw.randint(23, 24)
    return Options(
        seed=seed,
        hours=hours,
        sparse=sparse,
        members=members,
        mood=mood,
        start=STARTS[seed % len(STARTS)],
        schedules=many if schedules is None else schedules,
        services=draw.randint(8, 14),
        commands=draw.uniform(0.2, 1.0),
        faults=faults,
        drift=draw.choice((0.0, 0.001, 0.01)),
        generation=draw.choice((48, 400, 32_768)),
        dense=0.0 if sparse else draw.uniform(0.0, 0.04),
        runs_at_once=draw.choice((None, None, 5, 12)),
        runs_per_owner=draw.choice((None, None, 2)),
        runs_per_instance=draw.choice((None, None, 2)),
        occurrences_min=_occurrences_min(hours, groups, sparse=sparse),
        upgrade_h=_upgrade_h(Random(f"upgrade/{seed}/{sparse}"), hours),
        flows=draw.choice((0, 0, 2, 3)),
        watched=draw.choice((0, 0, 8)),
        mails_per_hour=draw.choice((2, 60)),
        snapshot_every=draw.choice((10, 40, EVERY)),
        groups=groups,
    )


def _occurrences_min(hours: float, groups: int, *, sparse: bool) -> int:
    if groups:
        return GROUPS_MIN if hours >= YEAR else 0
    return 0 if sparse or hours < DAY else OCCURRENCES_MIN


def _upgrade_h(draw: Random, hours: float) -> float | None:
    return draw.uniform(0.1, 0.8) * hours if draw.random() < UPGRADED else None
