"""Every fact that the log may hold. A tuple is the registry: what is not named here does not exist."""

from typing import Any, Final, get_args

from eventjobs.events.access import AccessEvent
from eventjobs.events.log import LogEvent
from eventjobs.events.run import RunEvent
from eventjobs.events.schedule import ScheduleEvent
from eventjobs.events.service import ServiceEvent
from eventjobs.events.starts import StartsEvent
from eventjobs.events.workspace import WorkspaceEvent

EVENT_TYPES: Final[tuple[type[Any], ...]] = (
    *get_args(AccessEvent),
    *get_args(LogEvent),
    *get_args(RunEvent),
    *get_args(ScheduleEvent),
    *get_args(ServiceEvent),
    *get_args(StartsEvent),
    *get_args(WorkspaceEvent),
)
