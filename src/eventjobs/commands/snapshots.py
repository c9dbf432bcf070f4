"""
Folded states of streams that grow with time, so that a schedule of many years loads as fast as a new one.

A snapshot is keyed by the code that folded it: any change of the states' or facts' source makes the old ones useless,
so a forgotten version number cannot bring a wrong state back.
"""

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, Protocol

import orjson
from pydantic import TypeAdapter

from eventjobs.domain import (
    connect_job,
    flow,
    group,
    groups,
    halts,
    job,
    owner,
    schedule,
    service,
    slot_owner,
    starts,
    streams,
)
from eventjobs.events import cadence, connect, recorded, run, slots
from eventjobs.events import flow as flow_events
from eventjobs.events import group as group_events
from eventjobs.events import groups as groups_events
from eventjobs.events import job as job_events
from eventjobs.events import owner as owner_events
from eventjobs.events import schedule as schedule_events
from eventjobs.events import service as service_events
from eventjobs.events import starts as starts_events
from eventjobs.events.recorded import StreamId

KINDS: Final = frozenset({"flow", "group", "groups", "job", "schedule", "service", "starts"})
EVERY: Final = 200
"""How many facts a stream grows by before it is worth another snapshot."""
_SOURCES: Final = (
    connect_job,
    flow,
    group,
    groups,
    halts,
    job,
    owner,
    schedule,
    service,
    slot_owner,
    starts,
    streams,
    cadence,
    connect,
    recorded,
    run,
    slots,
    flow_events,
    group_events,
    groups_events,
    job_events,
    owner_events,
    schedule_events,
    service_events,
    starts_events,
)


class Snapshots(Protocol):
    """Where snapshots are kept."""

    async def find(self, streams: Sequence[StreamId]) -> Mapping[StreamId, tuple[int, bytes]]:
        """Return version and state of those streams that have one."""
        ...

    async def save(self, stream: StreamId, version: int, state: bytes) -> None:
        """Keep a state, unless a newer one is there."""
        ...


@cache
def code_version() -> str:
    """A name for the code that folds: the digest of its source."""
    text = "".join(inspect.getsource(module) for module in _SOURCES)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(type(streams.FOLDS[kind].initial))


def encode(state: Any) -> bytes:
    """Write a state as JSON."""
    return orjson.dumps(state, default=_plain, option=orjson.OPT_UTC_Z)


def decode(kind: str, state: bytes) -> Any:
    """Read a state that `encode` wrote."""
    return _adapter(kind).validate_json(state)


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
