"""
What the attempts of one run report while they run.

Progress goes out live a few times a second at most, and becomes a fact every 5 s at most and at the attempt's end.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from eventjobs.commands.advance_run import Progress
from eventjobs.runner.workshop import Shown

SAVED_S: Final = 5.0
"""How often an attempt's progress becomes a fact, at most."""
SHOWN_S: Final = 0.2
"""How often it is shown live, at most."""


@dataclass(slots=True)
class _Reported:
    """The newest progress of one attempt, and what became of it."""

    shown: Shown
    saved_at: float
    shown_at: float = float("-inf")
    unsaved: bool = True


class Reports:
    """The newest progress of each row; times are monotonic seconds."""

    def __init__(self) -> None:
        self._newest: dict[int, _Reported] = {}

    def take(self, row: int, shown: Shown, now: float) -> bool:
        """Take a report; tell whether it may be shown live."""
        known = self._newest.get(row)
        if known is None or known.shown.attempt != shown.attempt:
            known = self._newest[row] = _Reported(shown, now)
        # Who waits says the same every second, for a day maybe: that is one fact.
        known.unsaved = known.unsaved or shown != known.shown
        known.shown = shown
        if now - known.shown_at < SHOWN_S:
            return False
        known.shown_at = now
        return True

    def to_save(self, now: float, landed: Collection[int]) -> Sequence[Progress]:
        """Return the progress that is due to become a fact; of the rows in `landed` the last word."""
        return tuple(
            Progress.model_construct(
                row=row,
                attempt=known.shown.attempt,
                fraction=known.shown.fraction,
                text=known.shown.text,
                counts=dict(known.shown.counts),
            )
            for row, known in self._newest.items()
            if known.unsaved and (now >= known.saved_at + SAVED_S or row in landed)
        )

    def saved(self, progress: Iterable[Progress], now: float) -> None:
        """Note that this progress is a fact; what was reported since is not."""
        for one in progress:
            known = self._newest[one.row]
            known.saved_at = now
            known.unsaved = (known.shown.attempt, known.shown.fraction, known.shown.text, known.shown.counts) != (
                one.attempt,
                one.fraction,
                one.text,
                one.counts,
            )

    def drop(self) -> None:
        """Forget what is not a fact yet."""
        for known in self._newest.values():
            known.unsaved = False

    def next_save(self) -> Iterable[float]:
        """Yield when unsaved progress is due to become a fact."""
        return (known.saved_at + SAVED_S for known in self._newest.values() if known.unsaved)
