"""
The moment that a read speaks of: the present of the views, or the past by position or by instant.

A caller who waits for its own write is answered once the views have it, at most 5 s later.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import Field

from eventjobs.api.answers import POSITION
from eventjobs.api.problems import RETRY_AFTER_S, HttpRefusal
from eventjobs.api.registry import Call, Query
from eventjobs.errors import Invalid

WAIT_S_MAX: Final = 5.0
POSITION_MAX: Final = 2**63 - 1

_NUMBER: Final = re.compile(r"[0-9]{1,18}")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_YEARS: Final = (1970, 2200)

AsOf = Annotated[str, Field(max_length=40, description="A position, or an instant with its offset")]
WaitFor = Annotated[int, Field(ge=0, le=POSITION_MAX, description="Wait up to 5 s for this position")]


class ReadQuery(Query):
    """When a read is about, and what it waits for."""

    as_of: AsOf | None = None
    wait_for: WaitFor | None = None


class ListQuery(ReadQuery):
    """A part of a list."""

    cursor: Annotated[str, Field(min_length=1, max_length=1024, description="The `next` of the part before")] | None = (
        None
    )
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """`read_at` is the past position to read, `None` for the present; `position` and `at` are what is answered."""

    read_at: int | None
    position: int
    at: datetime

    def document(self) -> dict[str, Any]:
        """Return it as answers show it."""
        return {"position": self.position, "at": self.at}


async def view_moment(call: Call) -> Moment:
    """Return when a read of the views is about, once they are that far; raises 422 or 503 `view_behind`."""
    asked = await _asked(call)
    await views_at(call, max(awaited(call) or 0, 0 if asked is None else asked.position))
    if asked is not None:
        return asked
    position = call.deps.following.position()
    return Moment(read_at=None, position=position, at=await _at(call, position))


async def views_at(call: Call, position: int) -> None:
    """Wait until the views are at a position; raises 503 `view_behind`."""
    following = call.deps.following
    if following.position() < position and not await following.wait_for(position, WAIT_S_MAX):
        raise _behind(following.position())


def now_of(call: Call, moment: Moment) -> datetime:
    """Return the instant that counts as now in an answer about a moment."""
    return call.deps.clock.now() if moment.read_at is None else moment.at


async def log_moment(call: Call) -> Moment:
    """Return when a read of the log itself is about."""
    wanted, log = awaited(call), call.deps.log
    if wanted is not None and log.known_head.position < wanted:
        known = await log.wait_beyond(wanted - 1, WAIT_S_MAX)
        if known < wanted:
            raise _behind(known)
    asked = await _asked(call)
    head = log.known_head
    return asked or Moment(read_at=None, position=head.position, at=head.at)


async def _asked(call: Call) -> Moment | None:
    text: str | None = call.query.as_of
    if text is None:
        return None
    if _NUMBER.fullmatch(text):
        return await _by_position(call, int(text))
    return await _by_instant(call, parse_instant("as_of", text))


async def _by_position(call: Call, position: int) -> Moment:
    if position > call.deps.log.known_head.position and position > (await call.deps.log.head()).position:
        raise Invalid.at("as_of", "as_of_in_future", "the log has not come to this position")
    return Moment(read_at=position, position=position, at=await _at(call, position))


async def _by_instant(call: Call, instant: datetime) -> Moment:
    if instant > call.deps.clock.now():
        raise Invalid.at("as_of", "as_of_in_future", "this instant has not come")
    position = await call.deps.log.position_at(instant)
    return Moment(read_at=position, position=position, at=instant)


async def _at(call: Call, position: int) -> datetime:
    head = call.deps.log.known_head
    if position == head.position:
        return head.at
    return datetime.fromtimestamp(0, UTC) if position == 0 else await call.deps.log.at_of(position)


def parse_instant(path: str, text: str) -> datetime:
    """Return an RFC 3339 instant in UTC; raises `Invalid` for another text, or one outside 1970 to 2200."""
    if not _INSTANT.fullmatch(text):
        raise Invalid.at(path, "bad_instant", "an instant has its offset, e.g. 2026-12-01T14:00:00Z")
    try:
        instant = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid.at(path, "bad_instant", "there is no such instant") from error
    if not _YEARS[0] <= instant.year <= _YEARS[1]:
        raise Invalid.at(path, "bad_instant", f"instants lie in the years {_YEARS[0]} to {_YEARS[1]}")
    return instant


def awaited(call: Call) -> int | None:
    """Return the position that a read waits for; raises `HttpRefusal` 400."""
    if call.query.wait_for is not None:
        return int(call.query.wait_for)
    given = call.request.headers.get(POSITION)
    if given is None:
        return None
    if not _NUMBER.fullmatch(given):
        raise HttpRefusal(400, "bad_position", f"{POSITION} is a position of the log")
    return int(given)


def _behind(position: int) -> HttpRefusal:
    return HttpRefusal(
        503,
        "view_behind",
        "the views have not come to this position yet",
        extra={"outcome": "none", "position": position},
        headers={"Retry-After": RETRY_AFTER_S},
    )
