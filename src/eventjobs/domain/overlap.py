"""What becomes of a due moment whose owner still has a run that is open or waits (SPEC decision 3, R45)."""

from enum import StrEnum
from typing import Final

QUEUE_MAX: Final = 100
"""How many moments of an owner wait at most, for a run before them or for a place."""
LIMIT: Final = "limit"
"""Why a moment waits that no policy keeps back: the workspace has no room for another run."""


class Overlap(StrEnum):
    """The policies."""

    SKIP = "skip"
    QUEUE_ONE = "queue_one"
    QUEUE_ALL = "queue_all"
    CANCEL_RUNNING = "cancel_running"
    ALLOW = "allow"


class Meeting(StrEnum):
    """
    What happens to the newer moment.

    `DISPLACE`: what is open is stopped, what waits is skipped, and the newer one is next. `OWNER_LIMIT`: it waits, for
    as many runs of its owner are open as may be. The last three are reasons.
    """

    OPEN = "open"
    QUEUE = "queue"
    DISPLACE = "displace"
    OWNER_LIMIT = "owner_limit"
    OVERLAP = "overlap"
    QUEUE_FULL = "queue_full"


def may_open(policy: str, *, open_runs: int, limit: int | None = None) -> bool:
    """Tell whether an owner's policy lets another run open beside these, at most `limit` in all (`None`: no limit)."""
    if policy == Overlap.ALLOW:
        return limit is None or open_runs < limit
    return not open_runs


def meet(policy: str, *, open_runs: int, waiting: int, limit: int | None = None) -> Meeting:
    """
    Decide for one moment; under `queue_one` the older that waits stays, and the newer is skipped.

    At most `limit` runs of the owner may be open (`None`: any number), which only `allow` can come up against.
    """
    if policy == Overlap.ALLOW:
        return _beside(open_runs, waiting, limit)
    if not (open_runs or waiting):
        return Meeting.OPEN
    match Overlap(policy):
        case Overlap.QUEUE_ONE:
            return Meeting.OVERLAP if waiting else Meeting.QUEUE
        case Overlap.QUEUE_ALL:
            return Meeting.QUEUE if waiting < QUEUE_MAX else Meeting.QUEUE_FULL
        case Overlap.CANCEL_RUNNING:
            return Meeting.DISPLACE
        case _:
            return Meeting.OVERLAP


def _beside(open_runs: int, waiting: int, limit: int | None) -> Meeting:
    if may_open(Overlap.ALLOW, open_runs=open_runs, limit=limit):
        return Meeting.OPEN
    return Meeting.OWNER_LIMIT if waiting < QUEUE_MAX else Meeting.QUEUE_FULL
