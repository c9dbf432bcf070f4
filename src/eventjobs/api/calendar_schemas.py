"""The bodies of what the calendar page is told."""

from datetime import datetime
from typing import Literal

from eventjobs.api.schemas import Reference
from eventjobs.api.view_schemas import Read, Shown


class CalendarEntry(Shown):
    """
    What one owner has of one outcome in one slot: how many moments, the first and the last.

    `outcome` of what ran is its run's: `succeeded`, `failed`, `aborted`, `skipped`, or `running` while it is open. The
    others are `skipped`, `missed`, `waiting` and `coming`. `occurrence` and `run` are there where it is one moment. A
    `reason` of what comes says why it will be skipped.
    """

    owner: Reference
    outcome: str
    reason: str | None
    count: int
    due: datetime
    last: datetime
    occurrence: str | None
    run: str | None


class CalendarBlackout(Shown):
    """A time in which a blackout calendar lets nothing start."""

    calendar: str
    note: str
    since: datetime
    until: datetime | None


class CalendarSlot(Shown):
    """A day or an hour: how many moments have which outcome, and entries; of very many the worst."""

    at: datetime
    until: datetime
    local: str
    counts: dict[str, int]
    items: list[CalendarEntry]
    blackouts: list[CalendarBlackout]


class CalendarPage(Read):
    """
    The slots of some days of a zone.

    `spans` are answers that stand for too many moments to be told one by one, and are in no slot. With `coming_until`
    what comes is told only as far as that instant: more owners are due than can be looked at. `left_out` names what
    there is more of than is told: `spans`, whose moments are in no slot either, or `blackouts`.
    """

    zone: str
    since: datetime
    until: datetime
    slots: list[CalendarSlot]
    spans: list[CalendarEntry]
    coming_until: datetime | None
    left_out: list[Literal["spans", "blackouts"]]


class LatenessStart(Shown):
    """A start, and how many seconds after its due moment it was."""

    owner: Reference
    run: str
    outcome: str
    due: datetime
    started_at: datetime
    late_s: float


class Lateness(Read):
    """
    How late starts were, the newest first: half of them at most `p50_s`, 99 of 100 at most `p99_s`.

    `is_cut`: there are more in the window than these.
    """

    since: datetime
    until: datetime
    items: list[LatenessStart]
    is_cut: bool
    p50_s: float | None
    p99_s: float | None
    max_s: float | None


class Mark(Shown):
    """An occurrence in a strip; several of the same outcome that were answered together are one, with their `count`."""

    due: datetime
    outcome: str
    reason: str | None
    count: int
    run: str | None


class Strip(Shown):
    """The last 50 occurrences of an owner, the oldest of them first."""

    owner: Reference
    marks: list[Mark]


class Strips(Read):
    """The last occurrences of some owners, in the order in which these were given."""

    items: list[Strip]
