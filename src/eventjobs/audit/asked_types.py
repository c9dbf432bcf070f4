"""Which facts of an owner say what about it, by the kind of its stream."""

from dataclasses import dataclass
from typing import Final

from eventjobs.audit.blacked_out import POLICIES

MEMBER: Final = ("job.activated", "job.deactivated", "job.deleted", "job.expired", "job.scheduled")
"""What says whether a job qualifies for its group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Types:
    """
    The types of the facts that say how it is due, whether it is, and how its moments were answered.

    `members` say which jobs a group has, or which group a job is in; `expiry` when it ends. Schedules have neither.
    """

    rule: tuple[str, ...]
    policies: tuple[str, ...]
    activity: tuple[str, ...]
    pauses: tuple[str, ...]
    answers: tuple[str, ...]
    moved: tuple[str, ...]
    members: tuple[str, ...] = ()
    expiry: tuple[str, ...] = ()

    @property
    def moves(self) -> tuple[str, ...]:
        """What says where the cadence stands afterwards; a manual run moves nothing, and says nothing of it."""
        return (*self.rule, *self.activity, *self.moved, *self.answers)

    @property
    def in_force(self) -> dict[str, tuple[str, ...]]:
        """What is told of how it stood at an instant, by what it is told for."""
        found = {
            "rule": self.rule,
            "policies": self.policies,
            "activity": self.activity,
            "members": self.members,
            "expiry": self.expiry,
            "pause": self.pauses,
        }
        return {about: types for about, types in found.items() if types}


def types_of(kind: str) -> Types:
    """Return them for a kind of stream: `schedule`, `group` or `job`."""
    if kind == "schedule":
        return _SCHEDULE
    return Types(
        rule=_named(kind, "activated", "scheduled"),
        policies=_named(kind, "created", "saved"),
        activity=_named(kind, "created", "activated", "deactivated", "deleted", "expired"),
        pauses=_named(kind, *_PAUSES),
        answers=_named(kind, *_ANSWERS),
        moved=_named(kind, "zone_data_adopted", "expiration_set", "minute_drawn"),
        members=_named(kind, *_MEMBERS[kind]),
        expiry=_named(kind, "created", "expiration_set", "expiry_warned", "expiry_deferred", "expired"),
    )


def _named(kind: str, *facts: str) -> tuple[str, ...]:
    return tuple(f"{kind}.{fact}" for fact in facts)


_PAUSES: Final = ("paused", "unpaused")
_ANSWERS: Final = ("run_opened", "occurrence_queued", "occurrence_dropped", "occurrences_skipped", "occurrences_missed")
_MEMBERS: Final = {"group": ("created", "saved", "reordered"), "job": ("grouped", "ungrouped")}
_SCHEDULE: Final = Types(
    rule=_named("schedule", "created", "cadence_edited", "policies_edited", "synced"),
    policies=POLICIES,
    activity=_named("schedule", "created", "activated", "inactivated", "deleted", "restored"),
    pauses=_named("schedule", *_PAUSES),
    answers=_named("schedule", *_ANSWERS),
    moved=_named("schedule", "zone_data_adopted"),
)
