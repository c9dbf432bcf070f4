"""What an edit of cadence or timing policies means for time (R25 to R28, R33, R34)."""

from datetime import datetime

from eventjobs.domain.cadence import Cadence, NextDue, TimingPolicies
from eventjobs.domain.due import Decision, TimingState


def on_cadence_changed(
    old: Cadence,
    old_policies: TimingPolicies,
    new: Cadence,
    new_policies: TimingPolicies,
    *,
    state: TimingState,
    next_due: NextDue | None,
    now: datetime,
    active: bool,
) -> Decision:
    """Decide what one save makes due; `next_due` is the moment now recorded."""
    raise NotImplementedError


def on_zone_data_changed(
    cadence: Cadence, policies: TimingPolicies, state: TimingState, next_due: NextDue | None, now: datetime
) -> Decision:
    """Decide what a new version of the zone data means: `wall_clock` looks again, the others keep their moment."""
    raise NotImplementedError
