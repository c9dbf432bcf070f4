"""Every view that the service keeps."""

from collections.abc import Sequence
from typing import Final

from eventjobs.projections import (
    delays,
    halts,
    job_runs,
    keys,
    occurrences,
    queues,
    runs,
    schedules,
    services,
    timers,
    workspaces,
)
from eventjobs.projections.temporal import Projection

PROJECTIONS: Final[Sequence[Projection]] = (
    workspaces.PROJECTION,
    keys.PROJECTION,
    services.PROJECTION,
    schedules.PROJECTION,
    runs.PROJECTION,
    job_runs.PROJECTION,
    occurrences.PROJECTION,
    timers.PROJECTION,
    halts.PROJECTION,
    queues.PROJECTION,
    delays.PROJECTION,
)
