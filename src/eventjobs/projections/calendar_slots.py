"""The slots of a calendar: which are asked for, and what stands in one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from eventjobs.projections.coming import COMING
from eventjobs.projections.documents import Document
from eventjobs.projections.occurrences import MISSED, SKIPPED
from eventjobs.projections.waiting import WAITING

SUCCEEDED: Final = "succeeded"
RUNNING: Final = "running"
TROUBLES: Final = ("failed", MISSED, "aborted", SKIPPED)
WEIGHTS: Final = (*TROUBLES, WAITING, RUNNING, SUCCEEDED, COMING)
"""What asks for somebody comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedCalendar:
    """
    Which slots: where they begin, ascending, and where the last one ends; at most `each` entries of a slot.

    Of one owner or all; of one outcome, which of what ran is its run's, or all.
    """

    bounds: Sequence[datetime]
    each: int
    owner: tuple[str, str] | None = None
    outcome: str | None = None

    def wants(self, outcome: str) -> bool:
        """Tell whether what has an outcome is asked for."""
        return self.outcome in (None, outcome)


@dataclass(slots=True)
class Slot:
    """How many moments have which outcome, and entries."""

    counts: Counter[str] = field(default_factory=Counter)
    items: list[Document] = field(default_factory=list)

    def add(self, item: Document) -> None:
        """Add an entry with its moments."""
        self.counts[item["outcome"]] += item["count"]
        self.items.append(item)


def entry(
    owner: tuple[str, str],
    outcome: str,
    moments: tuple[int, datetime, datetime],
    *,
    reason: str | None = None,
    occurrence: str | None = None,
    run: str | None = None,
) -> Document:
    """Return an entry of an owner; `moments` are their number, the first and the last."""
    count, first, last = moments
    return {
        "owner": {"kind": owner[0], "id": owner[1]},
        "outcome": outcome,
        "reason": reason,
        "count": count,
        "due": first,
        "last": last,
        "occurrence": occurrence,
        "run": run,
    }
