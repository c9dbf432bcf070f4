"""The verdict about an instant, in one word and in one sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from eventjobs.domain.blackouts import BLACKOUT
from eventjobs.events.group import GroupCreated, GroupDeleted
from eventjobs.events.job import JobCreated, JobDeleted
from eventjobs.events.owner import OccurrenceDropped, OccurrencesMissed, OwnerExpired, OwnerRunOpened, OwnerUnscheduled
from eventjobs.events.recorded import Recorded
from eventjobs.events.schedule import ScheduleDeleted, ScheduleInactivated, ScheduleRestored
from eventjobs.events.slots import SlotType

AT_THE_MOMENT: Final = timedelta(minutes=1)
"""An instant less than this after a moment is asked about that moment."""
LATE: Final = timedelta(minutes=1)
"""From then on an answer is late, and who came up only then is part of the reason."""
_INACTIVE: Final = (ScheduleInactivated, ScheduleRestored, OwnerUnscheduled, OwnerExpired)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """
    One fact of the chain: what it is told for (`rule`, `activity`, `members`, `expiry`, `pause`, `hold`, `due`, …).

    `note` is that of the calendar's entry which blacks the moment out.
    """

    about: str
    fact: Recorded[Any]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The due moments that one fact answers: `first` to `last`, `count` of them."""

    first: datetime
    last: datetime
    count: int = 1

    def holds(self, at: datetime) -> bool:
        """Tell whether an instant is one of them, or in the span of several."""
        return self.first <= at < self.last + AT_THE_MOMENT


def nothing_due(owner: str, links: Iterable[Link], due: Any, at: datetime) -> tuple[str, str]:
    """Return the verdict and the sentence where no moment was."""
    found = {link.about: link.fact for link in links}
    activity, subject = found["activity"], _capital(owner)
    match activity.event:
        case ScheduleDeleted() | GroupDeleted() | JobDeleted():
            return "deleted", f"{subject} was deleted at {instant(activity.at)}: nothing falls due any more."
        case OwnerExpired() if found["expiry"].position == activity.position:
            return "expired", f"{subject} expired at {instant(activity.at)}: nothing falls due any more."
        case GroupCreated() | JobCreated():
            return "inactive", f"{subject} was a draft at {instant(at)}, since {instant(activity.at)}."
        case _:
            pass
    if isinstance(activity.event, _INACTIVE) or not getattr(activity.event, "active", True):
        return "inactive", f"{subject} was inactive at {instant(at)}, since {instant(activity.at)}."
    if due is not None:
        return "not_due", f"Nothing was due at {instant(at)}: the next moment of {owner} was {instant(due.due)}."
    slots = getattr(found["rule"].event, "schedule", None)
    if slots is not None and slots.type is SlotType.ON_DEMAND:
        return "not_due", f"Nothing was due at {instant(at)}: {owner} runs on demand alone."
    return "not_due", f"Nothing was due at {instant(at)}, and nothing comes: the cadence of {owner} is at its end."


def told(
    owner: str,
    answer: Recorded[Any],
    resolved: Recorded[Any] | None,
    moments: Moments | None,
    links: Iterable[Link],
) -> tuple[str, str]:
    """Return the verdict and the sentence for a moment that was answered."""
    if moments is None:
        verdict, how = _of_the_run(links)
        return verdict, f"{_capital(owner)} was started by hand at {instant(answer.at)}, by {answer.actor}; {how}."
    what = f"The occurrence of {owner} due {instant(moments.first)}"
    if moments.count > 1:
        what = f"{moments.count} occurrences of {owner}, due {instant(moments.first)} to {instant(moments.last)},"
    if resolved is None:
        return "waiting", f"{what} was answered at {instant(answer.at)} and waits ({answer.event.reason})."
    if isinstance(resolved.event, OwnerRunOpened):
        verdict, how = _of_the_run(links)
        late = resolved.at - moments.first
        when = f"at {instant(resolved.at)}" + (f", {late.total_seconds():,.0f} s late" if late > LATE else "")
        return verdict, f"{what} ran {when} ({str(answer.event.cause).replace('_', ' ')}); {how}."
    event = resolved.event
    if isinstance(event, OccurrenceDropped):
        by = blackout(links) if event.reason == BLACKOUT else ""
        return event.outcome, f"{what} waited and was then {event.outcome} ({event.reason}){by}."
    verdict = "missed" if isinstance(event, OccurrencesMissed) else "skipped"
    covered = getattr(event, "covered_by", None)
    instead = f"; run {covered} stands for it" if covered else ""
    beside = f"; run {event.open_run} was open" if getattr(event, "open_run", None) else ""
    by = blackout(links) if event.reason == BLACKOUT else ""
    return verdict, f"{what} {'was' if moments.count == 1 else 'were'} {verdict} ({event.reason}){by}{instead}{beside}."


def blackout(links: Iterable[Link]) -> str:
    """Return which calendar blacked the moment out, and for what."""
    link = next((link for link in links if link.about == "blackout"), None)
    if link is None:
        return ""
    return f" by calendar {link.fact.stream.id}" + (f", “{link.note}”" if link.note else "")


def _of_the_run(links: Iterable[Link]) -> tuple[str, str]:
    ended = next((link.fact for link in links if link.about == "run" and link.fact.type == "run.ended"), None)
    if ended is None:
        return "running", "the run is open"
    reason = f" ({ended.event.reason})" if ended.event.reason else ""
    return "ran", f"the run ended {ended.event.state}{reason}"


def instant(at: datetime) -> str:
    """Write an instant to the second."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _capital(owner: str) -> str:
    return owner[0].upper() + owner[1:]
