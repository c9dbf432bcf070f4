"""How fast a key may ask."""

import pytest

from eventjobs.api.pace import BYTES_PER_TOKEN, Pace
from eventjobs.api.problems import HttpRefusal
from tests.api.rig import Rig, ShiftedClock, started, with_workspace


class Hand:
    """A clock's hand that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


def passed(pace: Pace, count: int, body_bytes: int = 0, who: str = "a") -> int:
    for n in range(count):
        try:
            pace.take(who, body_bytes)
        except HttpRefusal:
            return n
    return count


def test_a_bucket_holds_what_two_seconds_bring_and_fills_at_its_rate() -> None:
    hand = Hand()
    pace = Pace(10.0, hand)

    assert passed(pace, 100) == 20
    hand.at += 0.5
    assert passed(pace, 100) == 5
    hand.at += 3_600.0
    assert passed(pace, 100) == 20


def test_it_says_when_there_is_enough_again() -> None:
    hand = Hand()
    pace = Pace(0.25, hand)
    pace.take("a", 0)

    with pytest.raises(HttpRefusal) as refused:
        pace.take("a", 0)

    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "4")
    hand.at += 4.0
    pace.take("a", 0)


def test_each_key_has_its_own() -> None:
    pace = Pace(1.0, Hand())

    assert passed(pace, 100, who="a") == passed(pace, 100, who="b") == 2


def test_a_large_body_counts_for_several() -> None:
    assert passed(Pace(10.0, Hand()), 100, body_bytes=3 * BYTES_PER_TOKEN) == 5


def test_a_body_beyond_the_whole_bucket_passes_when_the_bucket_is_full() -> None:
    hand = Hand()
    pace = Pace(1.0, hand)

    assert passed(pace, 2, body_bytes=1_000_000) == 1
    hand.at += 2.0
    assert passed(pace, 2, body_bytes=1_000_000) == 1


class StillClock(ShiftedClock):
    """The machine's clock, but for the seconds that pass when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.hand = Hand()

    def monotonic(self) -> float:
        return self.hand.at


async def test_a_key_that_asks_too_fast_is_429_and_leaves_no_event() -> None:
    clock = StillClock()
    async with started(requests_per_second=5.0, clock=clock) as rig:
        await with_workspace(rig)
        other = await rig.issue("flow_author")
        answered = [await rig.command("AddService", {"id": f"s{n}", "handler": "noop"}) for n in range(20)]
        before = rig.log.known_head.position

        assert [one.status for one in answered] == [201] * 6 + [429] * 14
        assert (answered[-1].code, answered[-1].headers["Retry-After"]) == ("too_many_requests", "1")
        assert (await rig.get("/v1/me")).status == 429
        assert rig.log.known_head.position == before
        assert (await rig.command("AddService", {"id": "mine", "handler": "noop"}, key=other)).status == 201
        clock.hand.at += 1.0
        assert (await rig.get("/v1/me")).status == 200


async def test_who_has_no_valid_key_has_no_bucket(rig: Rig) -> None:
    assert {(await rig.get("/v1/me", key="x")).status for _ in range(50)} == {401}


async def test_health_is_for_everybody_at_any_pace() -> None:
    async with started(requests_per_second=1.0) as rig:
        assert {(await rig.get("/livez")).status for _ in range(20)} == {200}
