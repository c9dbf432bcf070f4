"""What a decision may know about a schedule's incidents: those that are open, and who is told no more."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from eventjobs.events.alert import (
    AlertDropped,
    AlertEvent,
    AlertRaised,
    AlertRecipientDisabled,
    AlertRecipientsEnabled,
    AlertRecovered,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """
    The open incidents by id, in the order in which they were raised.

    `last_late` is the last due moment that was found late: none at or before it is found so again. `disabled` are the
    recipients, with their channel, that said that they are gone.
    """

    open: Mapping[str, AlertRaised] = field(default_factory=dict)
    last_late: datetime | None = None
    disabled: frozenset[tuple[str, str]] = frozenset()


INITIAL = Alert()


def evolve(alert: Alert, event: AlertEvent) -> Alert:
    """Move it by one fact."""
    match event:
        case AlertRaised():
            late = (event.last or event.due) if event.due is not None else None
            moved = alert if late is None else replace(alert, last_late=max(alert.last_late or late, late))
            return moved if event.settled else replace(moved, open={**alert.open, event.incident: event})
        case AlertRecovered() | AlertDropped():
            return replace(alert, open={name: one for name, one in alert.open.items() if name != event.incident})
        case AlertRecipientDisabled():
            return replace(alert, disabled=alert.disabled | {(event.channel, event.recipient)})
        case AlertRecipientsEnabled():
            return replace(alert, disabled=frozenset())
        case _:
            assert_never(event)
