"""Reads of single blackout calendars, as documents and as what says whether a coming moment is skipped."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter

from eventjobs.domain.calendar import Calendar
from eventjobs.events.calendar import CalendarSaved
from eventjobs.postgres.pool import Reads
from eventjobs.postgres.statements import statement
from eventjobs.projections.documents import Document, Row, calendar_document, loads, policies_of

FIND_CALENDARS: Final = statement("reads/find_calendars")
LIST_CALENDAR_USERS: Final = statement("reads/list_calendar_users")

_SAVED: TypeAdapter[CalendarSaved] = TypeAdapter(CalendarSaved)


async def find_calendar(reads: Reads, workspace: str, calendar_id: str, position: int) -> Document | None:
    """Return one calendar."""
    rows = await reads.fetch(FIND_CALENDARS, workspace, [calendar_id], position)
    return (await calendar_documents(reads, workspace, rows, position))[0] if rows else None


async def calendar_documents(reads: Reads, workspace: str, rows: Sequence[Row], position: int) -> Sequence[Document]:
    """Return calendars as they are shown, each with the schedules that name it."""
    users: dict[str, list[str]] = {row["id"]: [] for row in rows}
    for use in await reads.fetch(LIST_CALENDAR_USERS, workspace, sorted(users), position):
        users[use["calendar"]].append(use["schedule"])
    return [calendar_document(row, users[row["id"]]) for row in rows]


async def calendars_of(reads: Reads, workspace: str, schedules: Iterable[Row], position: int) -> Mapping[str, Calendar]:
    """Return the calendars that rows of schedules name, with the content that is in force."""
    names = {name for row in schedules for name in policies_of(row).calendars}
    if not names:
        return {}
    return {
        row["id"]: calendar_of(row) for row in await reads.fetch(FIND_CALENDARS, workspace, sorted(names), position)
    }


def calendar_of(row: Row) -> Calendar:
    """Return a calendar with the content that is in force."""
    content: dict[str, Any] = {
        "name": row["name"],
        "time_zone": row["time_zone"],
        "since": row["saved_at"],
        **loads(row["entries"]),
    }
    return Calendar(definition_version=row["version"], saved=(_SAVED.validate_python(content),))
