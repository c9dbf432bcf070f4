"""When a job may try again (SPEC decision 5)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventjobs.domain.retry import NEVER_RETRIED, backoff_s, retry_at
from eventjobs.events.service import AttemptPolicy, Backoff

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def again(
    reason: str = "error", *, counted: int = 1, retryable: bool = True, chance: float = 0.0, **policy: object
) -> object:
    fields: dict[str, object] = {"delivery": "at_least_once", "attempts": 3, **policy}
    return retry_at(
        AttemptPolicy(**fields),  # type: ignore[arg-type]
        counted=counted,
        attempt=counted,
        reason=reason,
        retryable=retryable,
        now=NOON,
        chance=chance,
    )


@pytest.mark.parametrize(("attempt", "expected"), [(1, 10), (2, 20), (3, 40), (6, 320), (7, 600), (1_000, 600)])
def test_the_wait_grows_up_to_a_limit(attempt: int, expected: float) -> None:
    assert backoff_s(Backoff(initial_s=10, factor=2, max_s=600, jitter=0.0), attempt, 0.9) == expected


def test_chance_shortens_the_wait_by_its_share() -> None:
    backoff = Backoff(initial_s=100, factor=1, max_s=600, jitter=0.3)
    assert backoff_s(backoff, 1, 0.0) == 100
    assert backoff_s(backoff, 1, 0.5) == pytest.approx(85)


@given(st.integers(1, 10**6), st.floats(0, 1, exclude_max=True), st.floats(1, 100), st.floats(0, 1))
def test_the_wait_is_never_negative_or_above_its_limit(
    attempt: int, chance: float, factor: float, jitter: float
) -> None:
    assert 0 <= backoff_s(Backoff(factor=factor, jitter=jitter), attempt, chance) <= 600


def test_a_failure_is_tried_again_after_the_wait() -> None:
    assert again() == NOON + timedelta(seconds=10)
    assert again(counted=2, chance=0.5) == NOON + timedelta(seconds=15)


def test_the_last_try_is_the_last() -> None:
    assert again(counted=3) is None
    assert again(attempts=1) is None


@pytest.mark.parametrize("reason", sorted(NEVER_RETRIED))
def test_what_the_same_input_would_meet_again_is_not_tried_again(reason: str) -> None:
    assert again(reason) is None


def test_a_final_failure_is_not_tried_again() -> None:
    assert again(retryable=False) is None
    assert again("boom", non_retryable=("boom",)) is None


def test_an_interruption_is_tried_again_at_once_where_it_may_run_twice() -> None:
    assert again("interrupted") == NOON
    assert again("interrupted", retryable=False, non_retryable=("interrupted",)) == NOON
    assert again("interrupted", delivery="at_most_once") is None
    assert again("interrupted", counted=3) is None


def test_at_most_once_is_about_crashes_not_about_failures() -> None:
    assert again(delivery="at_most_once") == NOON + timedelta(seconds=10)
