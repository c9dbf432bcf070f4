"""Who goes first and who inherits is chosen alike by all, and spread over those that live."""

from collections import Counter

from eventjobs.runner.heirs import choose

INSTANCES = ("one", "two", "three", "four")


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


def test_without_instances_there_is_none() -> None:
    assert choose(("acme",), ()) is None
