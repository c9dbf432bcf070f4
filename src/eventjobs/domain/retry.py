"""When the next attempt may begin."""

from datetime import datetime, timedelta

from eventjobs.events.service import AttemptPolicy, Backoff

NEVER_RETRIED = frozenset({"stop_step", "reject_threshold", "count_mismatch", "not_qualified"})
"""Reasons that the same input would only meet again."""

INTERRUPTIONS_MAX = 10
"""
So many interruptions in a row end a job whose interruptions do not count against its attempts: what outlives no try,
or ends its process each time, must not be tried for ever.
"""


def backoff_s(backoff: Backoff, attempt: int, chance: float) -> float:
    """
    Return the seconds to wait after try number `attempt` (from 1).

    `chance` in [0, 1) draws the jitter: the full wait shortened by up to `jitter` of it.
    """
    exponent = min(attempt - 1, 64)
    full: float = min(backoff.initial_s * backoff.factor**exponent, backoff.max_s)
    return full * (1 - backoff.jitter * chance)


def retry_at(
    policy: AttemptPolicy, *, counted: int, attempt: int, reason: str, retryable: bool, now: datetime, chance: float
) -> datetime | None:
    """
    Return when the next try may begin, or `None` where there is none (SPEC decision 5).

    An interruption is tried again only with `at_least_once`, at once; other failures while tries are left, unless the
    handler or the policy calls them final.
    """
    if counted >= policy.attempts:
        return None
    if reason == "interrupted":
        return now if policy.delivery == "at_least_once" else None
    if not retryable or reason in NEVER_RETRIED or reason in policy.non_retryable:
        return None
    return now + timedelta(seconds=backoff_s(policy.backoff, attempt, chance))
