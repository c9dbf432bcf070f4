"""What the rule gives, held against what a fact says."""

from datetime import datetime

from eventjobs.audit.findings import Kind, Mismatch
from eventjobs.domain.owner import Owner
from eventjobs.events.cadence import NextDue, TimingState


def swallowed(owner: Owner, now: datetime) -> Mismatch | None:
    """Return that a change swallows what was due at `now` and not answered, if it does."""
    if not owner.active or owner.next is None or owner.next.due > now:
        return None
    what = f"it changes when it is due while {text(owner.next.due)} was due and not answered"
    return Mismatch(Kind.LEFT_OVER, what)


def differs(
    timing: TimingState, wanted: TimingState, following: NextDue | None, wanted_next: NextDue | None
) -> Mismatch | None:
    """Return what is not as wanted of where the cadence stands, and of what comes next."""
    if _moment(following) != _moment(wanted_next):
        what = f"the next moment is {_due(wanted_next)} by the rule, and it says {_due(following)}"
        return Mismatch(Kind.NOT_THE_RULE, what)
    if timing != wanted:
        return Mismatch(Kind.NOT_THE_RULE, f"the rule counts on from {_state(wanted)}, and it says {_state(timing)}")
    return None


def text(at: datetime) -> str:
    """Write an instant."""
    return at.isoformat().replace("+00:00", "Z")


def _moment(due: NextDue | None) -> tuple[datetime, str, int, str | None] | None:
    """A moment without the version of the zone data: most versions agree about most zones."""
    return None if due is None else (due.due, due.local, due.fold, due.asked)


def _due(due: NextDue | None) -> str:
    return "none" if due is None else f"{text(due.due)} ({due.local}, fold {due.fold})"


def _state(state: TimingState) -> str:
    return ", ".join(
        f"{name} {value if not isinstance(value, datetime) else text(value)}"
        for name in state.__slots__
        if (value := getattr(state, name)) not in (None, False, 0)
    )
