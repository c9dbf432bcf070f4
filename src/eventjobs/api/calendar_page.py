"""Reads of the calendar page: slots of days, how late starts were, and the last occurrences of the rows of a list."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import Field

from eventjobs.api.moment import ReadQuery, now_of, parse_instant, view_moment
from eventjobs.api.reads import Instant, Owner, answer, parse_owner
from eventjobs.api.registry import Call
from eventjobs.domain import zones
from eventjobs.errors import Invalid

DAYS_MAX: Final = 42
"""Six weeks: what a month can reach into."""
HOURLY_DAYS_MAX: Final = 7
OWNERS_MAX: Final = 100
STARTS_MAX: Final = 1_000
WEEK: Final = timedelta(days=7)
_HOUR: Final = timedelta(hours=1)
_YEARS: Final = (1971, 2199)

Outcome = Literal["succeeded", "failed", "aborted", "running", "skipped", "missed", "waiting", "coming"]


class CalendarQuery(ReadQuery):
    """Which days of a zone, by the day or by the hour; of whom, and of which outcome."""

    since: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="The first day")]
    days: Annotated[int, Field(ge=1, le=DAYS_MAX)] = DAYS_MAX
    by: Literal["day", "hour"] = "day"
    zone: Annotated[str, Field(max_length=64)] = "UTC"
    owner: Owner | None = None
    outcome: Outcome | None = None
    each: Annotated[int, Field(ge=1, le=200, description="At most so many entries of a slot")] = 6


class LatenessQuery(ReadQuery):
    """Of which owner, due in which window; without one the last seven days."""

    since: Instant | None = None
    until: Instant | None = None
    owner: Owner | None = None


class StripsQuery(ReadQuery):
    """Of which owners: `schedule/nightly,group/lists`, at most 100."""

    owners: Annotated[str, Field(min_length=1, max_length=10_000)]


async def calendar_page(call: Call) -> web.StreamResponse:
    """Answer with the slots of some days."""
    moment, query = await view_moment(call), call.query
    starts = _slots(query)
    bounds = [start.utc for start in starts]
    owner = _owner(query)
    page = await call.deps.views.calendar_page(
        call.workspace, bounds=bounds, each=query.each, owner=owner, outcome=query.outcome, position=moment.read_at
    )
    locals_ = [zones.wall_text(start.local) for start in starts]
    slots = [{**slot, "local": local} for slot, local in zip(page["slots"], locals_, strict=False)]
    window = {"zone": query.zone, "since": bounds[0], "until": bounds[-1]}
    return answer(call, moment, {**page, **window, "slots": slots})


async def lateness(call: Call) -> web.StreamResponse:
    """Answer with how late the newest starts were."""
    moment, query = await view_moment(call), call.query
    until = now_of(call, moment) if query.until is None else parse_instant("until", query.until)
    since = until - WEEK if query.since is None else parse_instant("since", query.since)
    found = await call.deps.views.lateness(
        call.workspace, since=since, until=until, owner=_owner(query), limit=STARTS_MAX, position=moment.read_at
    )
    return answer(call, moment, {"since": since, "until": until, **found})


async def strips(call: Call) -> web.StreamResponse:
    """Answer with the last occurrences of some owners."""
    moment = await view_moment(call)
    owners = [_parsed(text) for text in dict.fromkeys(call.query.owners.split(","))]
    if len(owners) > OWNERS_MAX:
        raise Invalid.at("owners", "too_many", f"at most {OWNERS_MAX} owners are told at once")
    items = await call.deps.views.strips(call.workspace, owners, position=moment.read_at)
    return answer(call, moment, {"items": items})


def _parsed(text: str) -> tuple[str, str]:
    try:
        return parse_owner(text)
    except Invalid as error:
        raise Invalid.at("owners", "bad_owner", "owners are written kind/id, with commas between them") from error


def _owner(query: CalendarQuery | LatenessQuery) -> tuple[str, str] | None:
    return None if query.owner is None else parse_owner(query.owner)


def _slots(query: CalendarQuery) -> Sequence[zones.Instant]:
    """Return where the slots begin, and where the last one ends."""
    if not zones.is_zone(query.zone):
        raise Invalid.at("zone", "time_zone_unknown", "there is no such time zone")
    if query.by == "hour" and query.days > HOURLY_DAYS_MAX:
        raise Invalid.at("days", "too_many", f"by the hour at most {HOURLY_DAYS_MAX} days are told at once")
    first = _day(query.since)
    days = [_midnight(query.zone, first + timedelta(days=ahead)) for ahead in range(query.days + 1)]
    if query.by == "day":
        return days
    return [zones.shown_in(query.zone, at) for at in _hours(days[0].utc, days[-1].utc)]


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Invalid.at("since", "date_invalid", "there is no such day") from error
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise Invalid.at("since", "date_out_of_range", f"days lie in the years {_YEARS[0]} to {_YEARS[1]}")
    return day


def _midnight(zone: str, day: date) -> zones.Instant:
    """Return where a day begins; where the clocks leave its midnight out, right after it."""
    start = datetime.combine(day, time())
    return zones.Instant(zones.bounds_of(zone, start)[0], start, 0)


def _hours(begin: datetime, end: datetime) -> Sequence[datetime]:
    """Return every hour from an instant on, and the end."""
    hours = []
    at = begin.astimezone(UTC)
    while at < end:
        hours.append(at)
        at += _HOUR
    return [*hours, end]
