"""Every fact that the log may hold. A tuple is the registry: what is not named here does not exist."""

from typing import Any, Final, get_args

from eventjobs.events.access import AccessEvent
from eventjobs.events.alert import AlertEvent
from eventjobs.events.calendar import CalendarSaved
from eventjobs.events.definition import DefinitionEvent
from eventjobs.events.flow import FlowEvent
from eventjobs.events.group import GroupEvent
from eventjobs.events.groups import GroupsEvent
from eventjobs.events.integration import IntegrationEvent
from eventjobs.events.job import JobEvent
from eventjobs.events.log import LogEvent
from eventjobs.events.mailbox import MailboxEvent
from eventjobs.events.member import MemberEvent
from eventjobs.events.notification import NotificationEvent
from eventjobs.events.run import RunEvent
from eventjobs.events.schedule import ScheduleEvent
from eventjobs.events.service import ServiceEvent
from eventjobs.events.starts import StartsEvent
from eventjobs.events.workspace import WorkspaceEvent

EVENT_TYPES: Final[tuple[type[Any], ...]] = (
    *get_args(AccessEvent),
    CalendarSaved,
    *get_args(FlowEvent),
    *get_args(AlertEvent),
    *get_args(DefinitionEvent),
    *get_args(GroupEvent),
    *get_args(GroupsEvent),
    *get_args(IntegrationEvent),
    *get_args(JobEvent),
    *get_args(LogEvent),
    *get_args(MailboxEvent),
    *get_args(MemberEvent),
    *get_args(NotificationEvent),
    *get_args(RunEvent),
    *get_args(ScheduleEvent),
    *get_args(ServiceEvent),
    *get_args(StartsEvent),
    *get_args(WorkspaceEvent),
)
