"""A group, or a Connect job by itself, as the judge knows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.simulation.rules import Address
from tests.simulation.slot_reckoning import Answered, Reckoning


@dataclass(slots=True)
class SlotOwner:
    """A group, or a job by itself, as its stream tells it."""

    address: Address
    saved: Mapping[str, Any] = field(default_factory=dict)
    policies: Mapping[str, Any] = field(default_factory=dict)
    drawn: Mapping[str, Any] | None = None
    floor: datetime | None = None
    answered: Answered | None = None
    active: bool = False
    gone: bool = False
    expired: bool = False
    on_expiry: str = "delete"
    expires_on: str | None = None
    expires_at: datetime | None = None
    warn_at: list[datetime] = field(default_factory=list)
    deferred_by: str | None = None
    open: set[str] = field(default_factory=set)
    holder: str | None = None
    """The run, its group's or its own, that has the job now."""
    notification: Mapping[str, Any] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    group: str | None = None

    @property
    def is_group(self) -> bool:
        """Whether it is a group."""
        return self.address[1].startswith("group:")

    @property
    def name(self) -> str:
        """Its id."""
        return self.address[1].partition(":")[2]

    @property
    def is_left(self) -> bool:
        """Whether its end is still to come."""
        return not self.gone and not self.expired

    def ends_by(self, at: datetime) -> bool:
        """Tell whether it ends until an instant."""
        return self.is_left and self.expires_at is not None and self.expires_at <= at

    def reckoning(self) -> Reckoning:
        """Return what makes it due by now."""
        timing = self.policies["timing"]
        return Reckoning(self.drawn or self.saved, timing["gap"], timing["repeat"], self.expires_at)

    def looked_at(self) -> datetime | None:
        """Return when it is warned of next, or ends; `None` where that is not to come, or waits for a run."""
        if not self.is_left or self.deferred_by:
            return None
        return min(self.warn_at, default=self.expires_at)
