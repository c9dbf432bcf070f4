"""What comes, as people are shown it before and after a change."""

from dataclasses import dataclass

from eventjobs.domain.cadence import Cadence, NextDue, TimingPolicies
from eventjobs.domain.due import Span, TimingState


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A coming moment and what is odd about it: `dst_gap`, `dst_repeat`, `drifted_from_label`."""

    due: NextDue
    notes: tuple[str, ...]


def preview(
    cadence: Cadence, policies: TimingPolicies, state: TimingState, next_due: NextDue | None, n: int = 10
) -> list[Coming]:
    """Return the next moments, supposing that each runs on time; a moment that runs now is left out."""
    raise NotImplementedError


def drifted_from_label(cadence: Cadence, due: NextDue) -> bool:
    """Say whether a moment's local time differs from what the cadence's short text promises (R20)."""
    raise NotImplementedError


def occurrences_between(cadence: Cadence, policies: TimingPolicies, span: Span, limit: int) -> list[NextDue]:
    """Return the moments that a collapsed span stands for, at most `limit`."""
    raise NotImplementedError
