"""Which calendars blacked an instant out, by what was in the log below a position."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from eventjobs.domain.blackouts import blackouts
from eventjobs.domain.calendar import KEPT, Calendar
from eventjobs.domain.halts import in_force
from eventjobs.domain.streams import calendar_stream
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.port import EventLog

POLICIES: Final = ("schedule.created", "schedule.policies_edited", "schedule.synced")
"""What says which calendars a schedule names."""
SAVED: Final = ("calendar.saved",)


@dataclass(frozen=True, slots=True)
class BlackedOut:
    """The fact that says so, and the note of its entry."""

    fact: Recorded[Any]
    note: str


async def blacked_out(log: EventLog, schedule: StreamId, before: int, moment: datetime) -> Sequence[BlackedOut]:
    """Return what blacked a moment of a schedule out: of each of its calendars the content that was in force then."""
    policies = await log.read_back(before, 1, stream=schedule, types=POLICIES)
    found: list[BlackedOut] = []
    for name in policies[0].event.policies.calendars if policies else ():
        stream = calendar_stream(schedule.workspace, name)
        facts = await log.read_back(before, KEPT, stream=stream, types=SAVED)
        saved = next((fact for fact in facts if fact.event.since <= moment), None)
        if saved is None:
            continue
        halt = in_force(blackouts({name: Calendar(saved=(saved.event,))}, moment, moment), moment)
        if halt is not None:
            found.append(BlackedOut(saved, halt.note))
    return found
