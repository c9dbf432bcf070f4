"""Who is alive, by beats that were seen (DESIGN 5)."""

import pytest

from eventjobs.runner.leases import BEAT_S, GONE_S, TRUST_S, Trust, Watch


class Seconds:
    """A monotonic clock that is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("beats", "at", "trusted"),
    [
        ([], 0.0, False),
        ([0.0], 0.0, True),
        ([0.0], TRUST_S - 0.001, True),
        ([0.0], TRUST_S, False),
        ([0.0, 2.0], TRUST_S + 1.9, True),
        ([0.0, 2.0], TRUST_S + 2.0, False),
        ([2.0, 0.0], TRUST_S + 1.9, True),
    ],
)
def test_a_lease_is_trusted_from_the_start_of_its_last_good_beat(beats: list[float], at: float, trusted: bool) -> None:
    clock = Seconds()
    trust = Trust(clock)
    for started in beats:
        trust.beaten(started)
    clock.now = at
    assert trust.trusted() is trusted
    assert (trust.left_s() > 0) is trusted


def test_a_lease_that_was_lost_is_trusted_again_only_after_a_beat_that_began_later() -> None:
    clock = Seconds()
    trust = Trust(clock)
    trust.beaten(0.0)
    trust.lose()
    assert (trust.trusted(), trust.left_s()) == (False, 0.0)
    clock.now = 1.0
    trust.beaten(1.0)
    assert trust.trusted()


def test_the_holder_stops_before_the_others_may_take_over() -> None:
    assert TRUST_S + BEAT_S < GONE_S


def observed(*reads: tuple[float, int | None] | float) -> tuple[Watch, float]:
    """Feed a watch with reads `(seconds, beat of b)`; a bare number of seconds is a read that failed."""
    watch, last = Watch(), 0.0
    for read in reads:
        if isinstance(read, float):
            watch.fail()
            last = read
        else:
            last, beat = read
            watch.observe({"a": int(last * 1000)} | ({} if beat is None else {"b": beat}), last)
    return watch, last


def every_second(first: int, last: int, beat: int | None = 1) -> list[tuple[float, int | None]]:
    return [(float(second), beat) for second in range(first, last + 1)]


@pytest.mark.parametrize(
    ("reads", "gone"),
    [
        pytest.param([], False, id="nothing was read yet"),
        pytest.param(every_second(0, 9), False, id="stood still for nine seconds"),
        pytest.param(every_second(0, 10), True, id="stood still for ten seconds"),
        pytest.param([*every_second(0, 9), (10.0, 2)], False, id="beat at the last moment"),
        pytest.param([*every_second(0, 9), *every_second(10, 19, 2)], False, id="and stood still again"),
        pytest.param([*every_second(0, 9), *every_second(10, 20, 2)], True, id="for ten seconds"),
        pytest.param([*every_second(0, 5), 6.0, *every_second(7, 16)], False, id="a failed read begins afresh"),
        pytest.param([*every_second(0, 5), 6.0, *every_second(7, 17)], True, id="and counts from there"),
        pytest.param([*every_second(0, 5), *every_second(12, 21)], False, id="a late read begins afresh"),
        pytest.param([(0.0, 1), (60.0, 1)], False, id="two reads a minute apart prove nothing"),
        pytest.param([*every_second(0, 12), 13.0], False, id="what was seen before a failed read proves nothing"),
        pytest.param([(0.0, 1), (1.0, None)], True, id="left in order"),
        pytest.param([*every_second(0, 3), (4.0, None), (5.0, 1)], False, id="is there again"),
    ],
)
def test_an_instance_is_gone_when_its_beat_was_seen_standing_still(
    reads: list[tuple[float, int | None] | float], gone: bool
) -> None:
    watch, now = observed(*reads)
    assert watch.gone("b", now) is gone


def test_an_outage_of_reads_makes_nobody_take_over_anybody() -> None:
    watch, _ = observed(*every_second(0, 5))
    for second in range(6, 300):
        watch.fail()
        assert not watch.gone("b", float(second))
    for second in range(300, 310):
        watch.observe({"a": second, "b": second}, float(second))
        assert not watch.gone("a", float(second))
        assert not watch.gone("b", float(second))


def test_the_age_of_an_observation_is_of_now_and_not_of_the_last_read() -> None:
    watch, _ = observed(*every_second(0, 8))
    assert not watch.gone("b", 9.9)
    assert watch.gone("b", 10.0)


def test_who_beats_is_lively_and_who_stood_still_for_a_minute_may_be_forgotten() -> None:
    watch, _ = observed(*every_second(0, 70))
    assert watch.lively(70.0) == ["a"]
    assert watch.forgettable(70.0) == ["b"]
    assert (watch.beat("b"), watch.still_s("b", 70.0), watch.still_s("nobody", 70.0)) == (1, 70.0, None)
    watch.fail()
    assert (watch.lively(71.0), watch.forgettable(71.0)) == ([], [])


def test_a_database_that_takes_no_beats_makes_nobody_take_over_anybody() -> None:
    """It can be read, as a full disk or a standby can, so every beat stands still, the own one as well."""
    watch = Watch()
    for second in range(10):
        watch.observe({"a": second, "b": second}, float(second), own="a")
    for second in range(10, 40):
        watch.observe({"a": 9, "b": 9}, float(second), own="a")
    watch.observe({"a": 10, "b": 9}, 40.0, own="a")
    assert not watch.gone("b", 40.0), "the own beat was taken a little earlier than the other one's"
    for second in range(41, 51):
        assert not watch.gone("b", float(second - 1))
        watch.observe({"a": 10 + (second - 40) // 2, "b": 9}, float(second), own="a")
    assert watch.gone("b", 50.0)


def test_a_database_that_takes_few_beats_makes_nobody_take_over_anybody() -> None:
    """Now and then one is taken: the other's may be among those that are not."""
    watch = Watch()
    for second in range(20):
        watch.observe({"a": second // 5, "b": 7}, float(second), own="a")
        assert not watch.gone("b", float(second))
    watch.observe({"a": 4, "b": 7}, 20.0, own="a")
    assert watch.gone("b", 20.0), "so many of the own ones were taken that one of its should have been"


def test_what_was_seen_before_the_database_took_no_beats_proves_nothing_after_it() -> None:
    """One that stood still, and goes on while the disk is full, cannot show that it does."""
    watch = Watch()
    for second in range(20):
        watch.observe({"a": second, "b": 7}, float(second), own="a")
    assert watch.gone("b", 19.0), "it was held"
    for second in range(20, 50):
        watch.observe({"a": 19, "b": 7}, float(second), own="a")
    watch.observe({"a": 20, "b": 7}, 50.0, own="a")
    assert not watch.gone("b", 50.0)
    for second in range(51, 80):
        watch.observe({"a": second - 30, "b": second - 43}, float(second), own="a")
        assert not watch.gone("b", float(second))


def test_who_joined_anew_begins_all_observations_afresh() -> None:
    watch = Watch()
    for second in range(9):
        watch.observe({"a": 100 + second, "b": 7}, float(second), own="a")
    watch.observe({"a": 1, "b": 7}, 9.0, own="a")
    watch.observe({"a": 5, "b": 7}, 12.0, own="a")
    assert not watch.gone("b", 12.0)
