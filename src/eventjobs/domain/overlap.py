"""What becomes of a due moment whose owner still has a run that is open or waits (SPEC decision 3, R45)."""

from enum import StrEnum
from typing import Final

QUEUE_MAX: Final = 100
"""How many moments wait at most under `queue_all`."""
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

    `DISPLACE`: what is open is stopped, what waits is skipped, and the newer one is next. The last two are reasons.
    """

    OPEN = "open"
    QUEUE = "queue"
    DISPLACE = "displace"
    OVERLAP = "overlap"
    QUEUE_FULL = "queue_full"


def meet(policy: str, *, open_runs: int, waiting: int) -> Meeting:
    """Decide for one moment; under `queue_one` the older that waits stays, and the newer is skipped."""
    if policy == Overlap.ALLOW or not (open_runs or waiting):
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
