"""Where the due moments of a cadence lie, in closed form: nothing here walks from the start to the present."""

from datetime import datetime

from eventjobs.domain.cadence import Cadence, NextDue, TimingPolicies


def start_of(cadence: Cadence, policies: TimingPolicies) -> NextDue:
    """Return the first real occurrence of the cadence (R11, R21)."""
    raise NotImplementedError


def resolve_start(cadence: Cadence, policies: TimingPolicies) -> datetime:
    """Return the start as an instant: `start_of(...).due`."""
    return start_of(cadence, policies).due
