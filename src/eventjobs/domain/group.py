"""What a decision may know about a group: its definition, its members in order, when it is due, and its runs."""

from dataclasses import dataclass, replace
from typing import Final

from eventjobs.domain import slot_owner
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.slots import undrawn
from eventjobs.events.connect import Member
from eventjobs.events.group import GroupCreated, GroupDeleted, GroupEvent, GroupReordered, GroupSaved
from eventjobs.events.schedule import JobRow

LEAST: Final = 2
"""How many jobs a group has at least to be active (G5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(SlotOwner):
    """A group as its stream tells it; each member is a stage of its runs."""

    members: tuple[Member, ...] = ()


INITIAL = Group()


def evolve(group: Group, event: GroupEvent) -> Group:
    """Move the group by one fact."""
    match event:
        case GroupCreated():
            created = replace(
                _defined(group, event),
                exists=True,
                created_at=event.created_at,
                expires_on=event.expires_on,
                expires_at=event.expires_at,
                warn_at=event.warn_at,
            )
            return _newer(created)
        case GroupSaved():
            return _newer(_defined(group, event))
        case GroupReordered():
            return _newer(_with_members(group, event.members))
        case GroupDeleted():
            return _newer(replace(group, deleted=True, expired=False, active=False, next=None, warn_at=()))
        case _:
            return slot_owner.evolve(group, event)


def _newer(group: Group) -> Group:
    return replace(group, definition_version=group.definition_version + 1)


def _defined(group: Group, event: GroupCreated | GroupSaved) -> Group:
    # An active one goes on with the minute that was drawn: another schedule has a fact of its own.
    same = undrawn(group.schedule) == event.schedule
    return replace(
        _with_members(group, event.members),
        name=event.name,
        description=event.description,
        schedule=group.schedule if same or group.active else event.schedule,
        notification=event.notification,
        policies=event.policies,
        on_expiry=event.on_expiry,
    )


def _with_members(group: Group, members: tuple[Member, ...]) -> Group:
    rows = (JobRow(row=place, job=member.job, seq=place) for place, member in enumerate(members, 1))
    return replace(group, members=members, jobs=tuple(rows))
