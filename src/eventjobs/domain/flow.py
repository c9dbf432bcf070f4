"""What a decision may know about a flow: its definition, its users, and, where it is exclusive, whose turn it is."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from eventjobs.domain.job import Job, awaited, claimed, joined, released, run_closed, run_opened
from eventjobs.events.flow import (
    FlowAdded,
    FlowAttached,
    FlowAwaited,
    FlowClaimed,
    FlowDeleted,
    FlowDetached,
    FlowEdited,
    FlowEvent,
    FlowJoined,
    FlowReleased,
    FlowRestored,
    FlowRunClosed,
    FlowRunOpened,
)


class Trigger(StrEnum):
    """What starts a flow (R10)."""

    ON_DEMAND = "on_demand"
    CACHE_EVENT = "cache_event"
    ACTION_CLOSE_OUT = "action_close_out"
    WORK_REQUEST_BATCH_READY = "work_request_batch_ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow(Job):
    """A flow as its stream tells it."""

    exclusive: bool = False
    trigger: str = Trigger.ON_DEMAND
    active: bool = True


INITIAL = Flow()


def evolve(flow: Flow, event: FlowEvent) -> Flow:  # noqa: C901, PLR0911 one case a fact
    """Move the flow by one fact."""
    match event:
        case FlowAdded() | FlowEdited():
            return replace(
                flow,
                exists=True,
                definition_version=flow.definition_version + 1,
                name=event.name,
                trigger=event.trigger,
                handler=event.handler,
                config=event.config,
                policy=event.policy,
                exclusive=event.exclusive,
                active=event.active,
                origin=event.origin,
            )
        case FlowDeleted() | FlowRestored():
            gone = isinstance(event, FlowDeleted)
            return replace(flow, deleted=gone, definition_version=flow.definition_version + 1)
        case FlowAttached():
            return replace(flow, users=flow.users | {event.schedule})
        case FlowDetached():
            return replace(flow, users=flow.users - {event.schedule})
        case FlowRunOpened():
            return run_opened(flow, event.run)
        case FlowRunClosed():
            return run_closed(flow, event.run)
        case FlowClaimed():
            return claimed(flow, event.turn)
        case FlowAwaited():
            return awaited(flow, event.turn)
        case FlowJoined():
            return joined(flow, event.turn)
        case FlowReleased():
            return released(flow, event.turn)
        case _:
            assert_never(event)
