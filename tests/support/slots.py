"""Slot schedules as tests write them."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from eventjobs.commands.slot_fields import SlotFields, slots_of
from eventjobs.domain.slots import drawn
from eventjobs.events.slots import SlotSchedule


def slots(zone: str = "UTC", *, minute: int | None = None, **fields: object) -> SlotSchedule:
    """Read a schedule's body; with a `minute` of the hour that one is drawn, else the slot's first."""
    schedule = slots_of(SlotFields.model_validate_json(body(fields)), zone)
    return drawn(schedule, 0) if minute is None else replace(schedule, minute=minute)


def body(fields: dict[str, object]) -> str:
    """Write the fields as JSON; `since` is `from`, which Python keeps for itself."""
    return json.dumps({"from" if name == "since" else name: value for name, value in fields.items()})


def local(zone: str, text: str) -> datetime:
    """Return the instant at which a zone first shows a local time such as `2026-03-08 10:15`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
