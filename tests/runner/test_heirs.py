"""Who goes first and who inherits is chosen alike by all, and spread over those that live."""

from collections import Counter
from collections.abc import Mapping

from eventjobs.runner.heirs import Heirs, choose
from eventjobs.runner.leases import Watch
from tests.support.time import FrozenClock

INSTANCES = ("one", "two", "three", "four")


class Table:
    """The table of instances, as a test fills it."""

    def __init__(self, *instances: str) -> None:
        self.beats = dict.fromkeys(instances, 1)
        self.withdrawn: set[str] = set()

    async def read(self) -> Mapping[str, int]:
        return dict(self.beats)

    async def withdraw(self, instance: str) -> None:
        self.withdrawn.add(instance)

    async def forget(self, instance: str, _beat: int) -> None:
        del self.beats[instance]


def test_all_choose_the_same_one_whatever_order_they_know_each_other_in() -> None:
    for number in range(100):
        assert choose(("acme", str(number)), INSTANCES) == choose(("acme", str(number)), reversed(INSTANCES))


def test_what_there_is_to_do_is_spread_evenly() -> None:
    chosen = Counter(choose(("acme", "schedule", f"s{number}"), INSTANCES) for number in range(2_000))
    assert len(chosen) == len(INSTANCES)
    assert min(chosen.values()) > 400


def test_when_one_leaves_only_what_it_had_moves() -> None:
    for number in range(500):
        before = choose(("r", str(number)), INSTANCES)
        after = choose(("r", str(number)), INSTANCES[1:])
        assert before in ("one", after)


async def test_those_that_live_take_turns_and_the_first_is_the_one_that_goes_first() -> None:
    table, clock = Table(*INSTANCES), FrozenClock()
    every: dict[str, Heirs] = {}
    for name in INSTANCES:
        watch = Watch()
        watch.observe(await table.read(), clock.monotonic(), own=name)
        every[name] = Heirs(table, watch, clock, name)
    for number in range(100):
        turns = {name: heirs.turn("acme", f"s{number}") for name, heirs in every.items()}
        assert sorted(turns.values()) == [0, 1, 2, 3]
        assert [name for name, turn in turns.items() if turn == 0] == [choose(("acme", f"s{number}"), INSTANCES)]
        assert all((turns[name] == 0) == heirs.goes_first("acme", f"s{number}") for name, heirs in every.items())


def test_without_instances_there_is_none() -> None:
    assert choose(("acme",), ()) is None


async def test_who_joined_after_the_last_look_already_inherits() -> None:
    """A new instance is started and the old one stopped, before the old one has looked around."""
    table, watch, clock = Table("old"), Watch(), FrozenClock()
    watch.observe(await table.read(), clock.monotonic(), own="old")
    heirs = Heirs(table, watch, clock, "old")
    table.beats["new"] = 1
    await heirs.withdraw()
    assert await heirs.heir("r") == "new"


async def test_who_stops_as_well_does_not_inherit() -> None:
    table, watch, clock = Table("old", "other"), Watch(), FrozenClock()
    watch.observe(await table.read(), clock.monotonic(), own="old")
    heirs = Heirs(table, watch, clock, "old")
    table.withdrawn.add("other")
    assert await heirs.heir("r") is None
