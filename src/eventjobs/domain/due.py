"""
The timing state of a schedule, and the answer to a moment that is due.

A due moment is *answered* once: its run opens, or it is skipped, or it is missed. What counts from when is kept in
`TimingState`; the moment that comes next is a `NextDue`. Both are facts that the owner's events carry.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from eventjobs.domain.cadence import Cadence, NextDue, TimingPolicies

ON_TIME: Final = timedelta(seconds=60)


class Cause(StrEnum):
    """Why a run was opened by the schedule itself."""

    SCHEDULED = "scheduled"
    CATCH_UP = "catch_up"


class CauseDetail(StrEnum):
    """What put a schedule behind (R22)."""

    FIRST_ACTIVATION = "first_activation"
    INTERVAL_DECREASED = "interval_decreased"
    START_MOVED_EARLIER = "start_moved_earlier"
    ZONE_CHANGED = "zone_changed"
    REACTIVATED = "reactivated"
    DOWNTIME = "downtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingState:
    """
    What a schedule remembers about time. The default is that of one that never ran.

    `reference` is the instant from which periods count (R18) and `anchor_day` the day of the month that month counts
    keep (R17). `last_*` name the last answered moment. `completed`: a `once` is spent. `pending` says that the next due
    moment was made due by an edit or activation at `pending_at`; `resume_at` is then a start that is still ahead.
    """

    reference: datetime | None = None
    anchor_day: int | None = None
    last_answered: datetime | None = None
    last_local: str | None = None
    last_fold: int = 0
    completed: bool = False
    pending: CauseDetail | None = None
    pending_at: datetime | None = None
    resume_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """
    What an activation or edit means for time.

    `next` is the due moment to record, `None` while inactive or where nothing comes. With `runs_now` it is already due
    (`nominal_due` is its instant, the occurrence's name) and is answered like any other by `answer_due`; `then` is what
    follows that run. `notes`: `start_already_past`, `day_lost`, `never_fires`.
    """

    next: NextDue | None
    state: TimingState
    runs_now: bool = False
    cause: Cause | None = None
    cause_detail: CauseDetail | None = None
    nominal_due: datetime | None = None
    then: NextDue | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Consecutive moments that share an outcome: how many, the first and the last, and their months' anchor day."""

    count: int
    first: datetime
    last: datetime
    anchor_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What is recorded once a due moment is answered: the new state, and the next moment or none."""

    state: TimingState
    next: NextDue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAnswer:
    """
    The moments that have passed, and what becomes of them.

    `runs` is the occurrence whose run opens, `None` if all are missed. `missed` went by before it and stay uncovered
    (outside the window, or `never`); `covered` passed after it and are missed, `covered_by` it. `if_run` follows when
    the run opens, `if_skipped` when it cannot (`runs` and `covered` are then skipped, and the due moment still
    advances). Where nothing runs both are the same.
    """

    runs: NextDue | None
    cause: Cause
    cause_detail: CauseDetail | None
    missed: Span | None
    covered: Span | None
    if_run: Following
    if_skipped: Following


def answer_due(
    cadence: Cadence,
    policies: TimingPolicies,
    state: TimingState,
    next_due: NextDue,
    now: datetime,
    *,
    limited: bool = False,
) -> DueAnswer:
    """Answer every moment from `next_due` to `now`; `limited`: only a limit made it late, so it does not re-anchor."""
    raise NotImplementedError
