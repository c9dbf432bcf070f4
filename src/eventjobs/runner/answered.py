"""
Due moments that the log answers already while the view still shows them.

In a storm the view of timers is seconds behind. Whoever looks at it then would find each moment again every second,
read its schedule anew and decide nothing, which makes the storm last.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final

from eventjobs.clock import Clock

TRUSTED_S: Final = 60.0
"""How long a moment is passed over; a view that still shows it then is asked again."""

Moment = tuple[str, str, str, datetime]


class Answered:
    """What this instance answered, or heard of, a moment ago."""

    def __init__(self, clock: Clock, heard: Callable[[Moment], object] = lambda _moment: None) -> None:
        """`heard` is called for each moment that turns out to be answered."""
        self._clock = clock
        self._heard = heard
        self._since: OrderedDict[Moment, float] = OrderedDict()

    def note(self, workspace: str, kind: str, owner: str, due: datetime) -> None:
        """Remember that the moment of an owner has its answer; `kind` is that of the owner's stream."""
        now_s = self._clock.monotonic()
        while self._since and now_s - next(iter(self._since.values())) > TRUSTED_S:
            self._since.popitem(last=False)
        self._since[workspace, kind, owner, due] = now_s
        self._since.move_to_end((workspace, kind, owner, due))
        self._heard((workspace, kind, owner, due))

    def knows(self, workspace: str, kind: str, owner: str, due: datetime) -> bool:
        """Tell whether the moment was answered within the last minute."""
        since = self._since.get((workspace, kind, owner, due))
        return since is not None and self._clock.monotonic() - since <= TRUSTED_S
