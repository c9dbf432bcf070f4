"""Which facts an owner of due moments has, by its kind: what happens to all of them is the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from eventjobs.domain.streams import CONNECT_JOBS
from eventjobs.events.group import (
    GroupActivated,
    GroupDeactivated,
    GroupExpirationSet,
    GroupExpired,
    GroupExpiryDeferred,
    GroupExpiryWarned,
    GroupMinuteDrawn,
    GroupOccurrenceDropped,
    GroupOccurrenceQueued,
    GroupOccurrencesMissed,
    GroupOccurrencesSkipped,
    GroupPaused,
    GroupRunClosed,
    GroupRunOpened,
    GroupScheduled,
    GroupUnpaused,
    GroupZoneDataAdopted,
)
from eventjobs.events.job import (
    JobActivated,
    JobDeactivated,
    JobExpirationSet,
    JobExpired,
    JobExpiryDeferred,
    JobExpiryWarned,
    JobMinuteDrawn,
    JobOccurrenceDropped,
    JobOccurrenceQueued,
    JobOccurrencesMissed,
    JobOccurrencesSkipped,
    JobPaused,
    JobRunClosed,
    JobRunOpened,
    JobScheduled,
    JobUnpaused,
    JobZoneDataAdopted,
)
from eventjobs.events.owner import (
    OccurrenceDropped,
    OccurrenceQueued,
    OccurrencesMissed,
    OccurrencesSkipped,
    OwnerExpirationSet,
    OwnerExpired,
    OwnerExpiryDeferred,
    OwnerExpiryWarned,
    OwnerMinuteDrawn,
    OwnerPaused,
    OwnerRunClosed,
    OwnerRunOpened,
    OwnerScheduled,
    OwnerUnpaused,
    OwnerUnscheduled,
    OwnerZoneDataAdopted,
)
from eventjobs.events.schedule import (
    ScheduleOccurrenceDropped,
    ScheduleOccurrenceQueued,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    SchedulePaused,
    ScheduleRunClosed,
    ScheduleRunOpened,
    ScheduleUnpaused,
    ScheduleZoneDataAdopted,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerFacts:
    """The facts of one kind of owner, by what happened; those of moments without a run say what kind of job it is."""

    run_opened: type[OwnerRunOpened]
    run_closed: type[OwnerRunClosed]
    queued: type[OccurrenceQueued]
    dropped: Callable[..., OccurrenceDropped]
    skipped: Callable[..., OccurrencesSkipped]
    missed: Callable[..., OccurrencesMissed]
    paused: type[OwnerPaused]
    unpaused: type[OwnerUnpaused]
    zone_data_adopted: type[OwnerZoneDataAdopted]


def _of_a_job(kind: str) -> OwnerFacts:
    return OwnerFacts(
        run_opened=JobRunOpened,
        run_closed=JobRunClosed,
        queued=JobOccurrenceQueued,
        dropped=partial(JobOccurrenceDropped, kind=kind),
        skipped=partial(JobOccurrencesSkipped, kind=kind),
        missed=partial(JobOccurrencesMissed, kind=kind),
        paused=JobPaused,
        unpaused=JobUnpaused,
        zone_data_adopted=JobZoneDataAdopted,
    )


OWNER_FACTS: Final[Mapping[str, OwnerFacts]] = {
    "schedule": OwnerFacts(
        run_opened=ScheduleRunOpened,
        run_closed=ScheduleRunClosed,
        queued=ScheduleOccurrenceQueued,
        dropped=ScheduleOccurrenceDropped,
        skipped=ScheduleOccurrencesSkipped,
        missed=ScheduleOccurrencesMissed,
        paused=SchedulePaused,
        unpaused=ScheduleUnpaused,
        zone_data_adopted=ScheduleZoneDataAdopted,
    ),
    "group": OwnerFacts(
        run_opened=GroupRunOpened,
        run_closed=GroupRunClosed,
        queued=GroupOccurrenceQueued,
        dropped=GroupOccurrenceDropped,
        skipped=GroupOccurrencesSkipped,
        missed=GroupOccurrencesMissed,
        paused=GroupPaused,
        unpaused=GroupUnpaused,
        zone_data_adopted=GroupZoneDataAdopted,
    ),
    **{kind: _of_a_job(kind) for kind in CONNECT_JOBS},
}
"""The kinds of owner that have due moments, with their facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFacts:
    """The facts of those that are due by a slot schedule and expire."""

    activated: type[OwnerScheduled]
    scheduled: type[OwnerScheduled]
    minute_drawn: type[OwnerMinuteDrawn]
    deactivated: type[OwnerUnscheduled]
    expiration_set: type[OwnerExpirationSet]
    expiry_warned: type[OwnerExpiryWarned]
    expiry_deferred: type[OwnerExpiryDeferred]
    expired: type[OwnerExpired]


_OF_JOBS: Final = SlotFacts(
    activated=JobActivated,
    scheduled=JobScheduled,
    minute_drawn=JobMinuteDrawn,
    deactivated=JobDeactivated,
    expiration_set=JobExpirationSet,
    expiry_warned=JobExpiryWarned,
    expiry_deferred=JobExpiryDeferred,
    expired=JobExpired,
)
SLOT_FACTS: Final[Mapping[str, SlotFacts]] = {
    "group": SlotFacts(
        activated=GroupActivated,
        scheduled=GroupScheduled,
        minute_drawn=GroupMinuteDrawn,
        deactivated=GroupDeactivated,
        expiration_set=GroupExpirationSet,
        expiry_warned=GroupExpiryWarned,
        expiry_deferred=GroupExpiryDeferred,
        expired=GroupExpired,
    ),
    **dict.fromkeys(CONNECT_JOBS, _OF_JOBS),
}
"""Groups, and Connect jobs by their kind."""
