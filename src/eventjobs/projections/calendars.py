"""Blackout calendars as they were saved last."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.calendar import CalendarSaved
from eventjobs.events.recorded import Recorded
from eventjobs.projections.temporal import Projection, Put, Table, Write, json_text

CALENDARS: Final = Table(
    name="view_calendars_1",
    key={"workspace": "text", "id": "text"},
    columns={
        "version": "integer",
        "name": "text",
        "time_zone": "text",
        "entries": "json",
        "saved_at": "timestamptz",
    },
)
ENTRIES: Final = ("dates", "ranges", "weekly", "yearly")


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what the saving of a calendar writes."""
    match recorded.event:
        case CalendarSaved() as event:
            content = {
                "name": event.name,
                "time_zone": event.time_zone,
                "entries": json_text({name: getattr(event, name) for name in ENTRIES}),
                "saved_at": recorded.at,
            }
            yield Put(CALENDARS, (recorded.workspace, recorded.stream.id), content, add={"version": 1})
        case _:
            pass  # not this view's business


PROJECTION: Final = Projection(
    name="calendars", version=1, tables=(CALENDARS,), events=(CalendarSaved,), project=project
)
