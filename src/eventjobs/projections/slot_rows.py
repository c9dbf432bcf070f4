"""Rows of groups and Connect jobs as the states that the rules know, so that a view says what a command would."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from eventjobs.domain.connect_job import ConnectJob
from eventjobs.domain.group import Group
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.slots import cadence_of as slot_cadence_of
from eventjobs.events.cadence import Cadence
from eventjobs.events.connect import Member, Notification
from eventjobs.events.job import SavedError
from eventjobs.events.slots import SlotSchedule
from eventjobs.projections.documents import Row, cadence_of, loads, next_of, policies_of, timing_of

_SCHEDULE: Final[TypeAdapter[SlotSchedule]] = TypeAdapter(SlotSchedule)
_NOTIFICATION: Final[TypeAdapter[Notification]] = TypeAdapter(Notification)
_MEMBERS: Final[TypeAdapter[tuple[Member, ...]]] = TypeAdapter(tuple[Member, ...])
_ERRORS: Final[TypeAdapter[tuple[SavedError, ...]]] = TypeAdapter(tuple[SavedError, ...])


def schedule_of(row: Row) -> SlotSchedule:
    """Return a row's slot schedule."""
    return _SCHEDULE.validate_json(row["schedule"])


def rule_of(row: Row) -> Cadence:
    """Return by what an owner of any kind is due: its cadence, or what its schedule of slots means until it expires."""
    return cadence_of(row) if row["schedule"] is None else slot_cadence_of(schedule_of(row), row["expires_at"])


def group_of(row: Row) -> Group:
    """Return a group as far as its row tells."""
    return Group(**_owner(row), members=_MEMBERS.validate_json(row["members"]))


def job_of(row: Row) -> ConnectJob:
    """Return a Connect job as far as its row tells."""
    own = SlotOwner(**_owner(row))
    return ConnectJob(
        exists=True,
        deleted=own.deleted,
        definition_version=own.definition_version,
        kind=row["kind"],
        name=own.name,
        handler=row["handler"],
        config=loads(row["config"]),
        subtype=row["subtype"],
        errors=_ERRORS.validate_json(row["errors"]),
        group=row["member_of"],
        own=own,
    )


def member_of(row: Row) -> ConnectJob:
    """Return a job as far as its group goes by it."""
    own = SlotOwner(**_activity(row))
    return ConnectJob(
        exists=True, deleted=own.deleted, kind=row["kind"], name=own.name, group=row["member_of"], own=own
    )


def _owner(row: Row) -> Mapping[str, Any]:
    return {
        **_activity(row),
        "definition_version": row["version"],
        "description": row["description"],
        "notification": _NOTIFICATION.validate_json(row["notification"]),
        "policies": policies_of(row),
        "on_expiry": row["on_expiry"],
        "cadence_version": row["cadence_version"],
        "created_at": row["created_at"],
        "timing": timing_of(row),
        "next": next_of(row),
    }


def _activity(row: Row) -> Mapping[str, Any]:
    return {
        "exists": True,
        "name": row["name"],
        "deleted": row["deleted_at"] is not None,
        "drafted": row["drafted"],
        "active": row["active"],
        "schedule": schedule_of(row),
        "expires_on": row["expires_on"],
        "expires_at": row["expires_at"],
        "expired": row["expired"],
    }
