"""The streams of each kind of thing, where each starts, and how its facts move it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eventjobs.domain import access, log, run, schedule, service, starts, workspace
from eventjobs.events.recorded import StreamId
from eventjobs.ids import EVERYWHERE

REFUSED_ATTEMPTS: Final = StreamId(EVERYWHERE, "access:~refused")
"""Where refused attempts are recorded; `~` keeps it apart from every key's stream."""
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
    "log": Fold(log.INITIAL, log.evolve),
    "run": Fold(run.INITIAL, run.evolve),
    "schedule": Fold(schedule.INITIAL, schedule.evolve),
    "service": Fold(service.INITIAL, service.evolve),
    "starts": Fold(starts.INITIAL, starts.evolve),
    "workspace": Fold(workspace.INITIAL, workspace.evolve),
}


def workspace_stream(workspace: str) -> StreamId:
    """The stream of a workspace itself."""
    return StreamId(workspace, f"workspace:{workspace}")


def starts_stream(workspace: str) -> StreamId:
    """The stream of a workspace's places for runs at once."""
    return StreamId(workspace, f"starts:{workspace}")


def key_stream(workspace: str, key: str) -> StreamId:
    """The stream of a key, in the workspace that issued it."""
    return StreamId(workspace, f"access:{key}")


def service_stream(workspace: str, service_id: str) -> StreamId:
    """The stream of a service."""
    return StreamId(workspace, f"service:{service_id}")


def schedule_stream(workspace: str, schedule_id: str) -> StreamId:
    """The stream of a schedule."""
    return StreamId(workspace, f"schedule:{schedule_id}")


def run_stream(workspace: str, run_id: str) -> StreamId:
    """The stream of a run or of an occurrence that did not run."""
    return StreamId(workspace, f"run:{run_id}")


def owner_stream(workspace: str, kind: str, owner_id: str) -> StreamId:
    """The stream of a run's owner."""
    return StreamId(workspace, f"{kind}:{owner_id}")
