"""What activating a schedule means for time (R13, R14, R24, R31)."""

from datetime import datetime

from eventjobs.domain.cadence import Cadence, TimingPolicies
from eventjobs.domain.due import Decision, TimingState


def on_activated(
    cadence: Cadence,
    policies: TimingPolicies,
    state: TimingState,
    now: datetime,
    *,
    run_if_behind: bool = True,
) -> Decision:
    """Decide what an activation (or a creation as active) makes due."""
    raise NotImplementedError


def on_inactivated(state: TimingState) -> TimingState:
    """Return the state of a schedule that was switched off: nothing is pending."""
    raise NotImplementedError
