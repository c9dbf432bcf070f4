"""The streams of each kind of thing, where each starts, and how its facts move it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eventjobs.domain import (
    access,
    alert,
    calendar,
    connect_job,
    definition,
    flow,
    group,
    groups,
    integration,
    log,
    mailbox,
    member,
    notification,
    run,
    schedule,
    service,
    starts,
    workspace,
)
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import Ref
from eventjobs.ids import EVERYWHERE

REFUSED_ATTEMPTS: Final = StreamId(EVERYWHERE, "access:~refused")
"""Where refused attempts are recorded; `~` keeps it apart from every key's stream."""
CONNECT_JOBS: Final = ("import", "export", "partner", "feed")
"""The kinds of job of the Manage Connect page; their streams are alike, so that their ids are too."""
LOG_ITSELF: Final = StreamId(EVERYWHERE, "log:log")


@dataclass(frozen=True, slots=True)
class Fold:
    """
    Where a stream starts and how each fact moves it.

    `evolve` is total: it accepts every event of its kind in every state and never raises.
    """

    initial: Any
    evolve: Callable[[Any, Any], Any]


FOLDS: Final[Mapping[str, Fold]] = {
    "access": Fold(access.INITIAL, access.evolve),
    "alert": Fold(alert.INITIAL, alert.evolve),
    "calendar": Fold(calendar.INITIAL, calendar.evolve),
    "definition": Fold(definition.INITIAL, definition.evolve),
    "flow": Fold(flow.INITIAL, flow.evolve),
    "group": Fold(group.INITIAL, group.evolve),
    "groups": Fold(groups.INITIAL, groups.evolve),
    "integration": Fold(integration.INITIAL, integration.evolve),
    "job": Fold(connect_job.INITIAL, connect_job.evolve),
    "log": Fold(log.INITIAL, log.evolve),
    "mailbox": Fold(mailbox.INITIAL, mailbox.evolve),
    "member": Fold(member.INITIAL, member.evolve),
    "notification": Fold(notification.INITIAL, notification.evolve),
    "run": Fold(run.INITIAL, run.evolve),
    "schedule": Fold(schedule.INITIAL, schedule.evolve),
    "service": Fold(service.INITIAL, service.evolve),
    "starts": Fold(starts.INITIAL, starts.evolve),
    "workspace": Fold(workspace.INITIAL, workspace.evolve),
}


OWNER_FOLDS: Final[Mapping[str, Fold]] = {
    "schedule": FOLDS["schedule"],
    "group": FOLDS["group"],
    "job": Fold(connect_job.INITIAL.own, connect_job.own_evolve),
}
"""The same for those that have due moments, as their owners."""


def workspace_stream(workspace: str) -> StreamId:
    """The stream of a workspace itself."""
    return StreamId(workspace, f"workspace:{workspace}")


def starts_stream(workspace: str) -> StreamId:
    """The stream of a workspace's places for runs at once."""
    return StreamId(workspace, f"starts:{workspace}")


def key_stream(workspace: str, key: str) -> StreamId:
    """The stream of a key, in the workspace that issued it."""
    return StreamId(workspace, f"access:{key}")


def member_stream(workspace: str, member_id: str) -> StreamId:
    """The stream of a member of a workspace."""
    return StreamId(workspace, f"member:{member_id}")


def definition_stream(workspace: str, definition_id: str) -> StreamId:
    """The stream of a definition, in the workspace that publishes it."""
    return StreamId(workspace, f"definition:{definition_id}")


def integration_stream(workspace: str, definition_id: str) -> StreamId:
    """The stream of a workspace's registration of a definition."""
    return StreamId(workspace, f"integration:{definition_id}")


def service_stream(workspace: str, service_id: str) -> StreamId:
    """The stream of a service."""
    return StreamId(workspace, f"service:{service_id}")


def flow_stream(workspace: str, flow_id: str) -> StreamId:
    """The stream of a flow."""
    return StreamId(workspace, f"flow:{flow_id}")


def job_stream(workspace: str, job: Ref) -> StreamId:
    """The stream of a job of any kind."""
    return StreamId(workspace, f"{stream_kind(job.kind)}:{job.id}")


def groups_stream(workspace: str) -> StreamId:
    """The stream of the names that a workspace's groups have."""
    return StreamId(workspace, "groups:groups")


def connect_stream(workspace: str, job_id: str) -> StreamId:
    """The stream of a Connect job, of whatever kind."""
    return StreamId(workspace, f"job:{job_id}")


def group_stream(workspace: str, group_id: str) -> StreamId:
    """The stream of a group."""
    return StreamId(workspace, f"group:{group_id}")


def schedule_stream(workspace: str, schedule_id: str) -> StreamId:
    """The stream of a schedule."""
    return StreamId(workspace, f"schedule:{schedule_id}")


def calendar_stream(workspace: str, calendar_id: str) -> StreamId:
    """The stream of a blackout calendar."""
    return StreamId(workspace, f"calendar:{calendar_id}")


def alert_stream(workspace: str, schedule_id: str) -> StreamId:
    """The stream of a schedule's incidents."""
    return StreamId(workspace, f"alert:{schedule_id}")


def notification_stream(workspace: str, notification: str) -> StreamId:
    """The stream of a message to one recipient."""
    return StreamId(workspace, f"notification:{notification}")


def mailbox_stream(workspace: str, mailbox_id: str) -> StreamId:
    """The stream of the alerts that one address is mailed in one hour."""
    return StreamId(workspace, f"mailbox:{mailbox_id}")


def run_stream(workspace: str, run_id: str) -> StreamId:
    """The stream of a run or of an occurrence that did not run."""
    return StreamId(workspace, f"run:{run_id}")


def owner_stream(workspace: str, owner: Ref) -> StreamId:
    """The stream of a run's owner."""
    return StreamId(workspace, f"{stream_kind(owner.kind)}:{owner.id}")


def stream_kind(kind: str) -> str:
    """The kind of stream of a kind of thing: that of all Connect jobs is the same."""
    return "job" if kind in CONNECT_JOBS else kind
