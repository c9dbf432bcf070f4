"""Sentences about schedules."""

from collections.abc import Mapping
from typing import Final

from eventjobs.audit.sentences import due
from eventjobs.audit.sentences.words import (
    Data,
    Teller,
    at,
    cadence_text,
    coming,
    listed,
    many,
)


def _created(schedule: str, data: Data) -> str:
    state = "active" if data["active"] else "inactive"
    jobs = many(len(data["jobs"]), "job")
    return f"Schedule {schedule} was created, {state}, with {jobs}, {cadence_text(data['cadence'])}{coming(data)}."


def _synced(schedule: str, data: Data) -> str:
    version = data["origin"]["definition_version"]
    return f"Schedule {schedule} is as version {version} says: {cadence_text(data['cadence'])}{coming(data)}."


def _cadence_edited(schedule: str, data: Data) -> str:
    return f"Schedule {schedule} now runs {cadence_text(data['cadence'])}{coming(data)}."


def _policies(policies: Data) -> str:
    timing = policies["timing"]
    return f"timing {timing['timing']}, catch-up {timing['catch_up']}, overlap {policies['overlap']}"


def _bundles(data: Data) -> str:
    return f"{listed(data['bundles'])} of its cadence"


def _because(data: Data) -> str:
    return SWITCHED.get(data.get("cause", ""), "")


SWITCHED: Final = {
    "feature": ", as its feature's status says",
    "integration": ", as its integration is inactive",
    "no_jobs": ", as it has no jobs any more",
}


def _backfill_asked(schedule: str, data: Data) -> str:
    moments = data["moments"]
    window = f", from {at(moments[0])} to {at(moments[-1])}" if moments else ""
    return f"Schedule {schedule} is to run for {many(len(moments), 'moment')} of the past{window}."


TELLERS: Final[Mapping[str, Teller]] = {
    **due.tellers("schedule", "schedule"),
    "schedule.alerts_edited": lambda schedule, _: f"Schedule {schedule} has other alerts.",
    "schedule.activated": lambda schedule, data: f"Schedule {schedule} was activated{_because(data)}{coming(data)}.",
    "schedule.backfill_asked": _backfill_asked,
    "schedule.backfill_stopped": lambda schedule, data: (
        f"The backfill of schedule {schedule} stopped ({data['reason']}) with {many(data['left'], 'moment')} left."
    ),
    "schedule.cadence_edited": _cadence_edited,
    "schedule.cadence_overridden": lambda schedule, data: (
        f"Schedule {schedule} keeps the {_bundles(data)} as set here, whatever its definition says."
    ),
    "schedule.created": _created,
    "schedule.deleted": lambda schedule, data: (
        f"Schedule {schedule} was archived: its definition has it no more."
        if data.get("cause") == "archived"
        else f"Schedule {schedule} was deleted."
    ),
    "schedule.described": lambda schedule, data: f"Schedule {schedule} is now described as “{data['description']}”.",
    "schedule.inactivated": lambda schedule, data: f"Schedule {schedule} was inactivated{_because(data)}.",
    "schedule.jobs_edited": lambda schedule, data: (
        f"Schedule {schedule} now has other jobs: {listed([row['job']['id'] for row in data['jobs']]) or 'none'}."
    ),
    "schedule.override_cleared": lambda schedule, data: (
        f"Schedule {schedule} follows its definition again in the {_bundles(data)}."
    ),
    "schedule.policies_edited": lambda schedule, data: (
        f"Schedule {schedule} has other policies: {_policies(data['policies'])}{coming(data)}."
    ),
    "schedule.restored": lambda schedule, _: f"Schedule {schedule} is there again.",
    "schedule.synced": _synced,
}
