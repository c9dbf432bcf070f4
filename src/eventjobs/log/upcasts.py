"""
Reading facts that were stored in an older shape.

A step is a pure function from the raw document of one schema version to that of the next, named by (type, version it
starts from). Stored bytes are never touched: a fact is lifted step by step each time it is read.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from eventjobs.errors import UnknownEvent

Document: TypeAlias = dict[str, Any]
Upcast: TypeAlias = Callable[[Document], Document]
Upcasts: TypeAlias = Mapping[tuple[str, int], Upcast]


def _only_more(document: Document) -> Document:
    """A field came that may be left out."""
    return document


UPCASTS: Final[Upcasts] = {
    ("access.key_issued", 1): _only_more,
    ("flow.added", 1): _only_more,
    ("flow.edited", 1): _only_more,
    ("flow.run_closed", 1): _only_more,
    ("group.activated", 1): _only_more,
    ("group.created", 1): _only_more,
    ("group.created", 2): _only_more,
    ("group.created", 3): _only_more,
    ("group.saved", 1): _only_more,
    ("group.saved", 2): _only_more,
    ("group.saved", 3): _only_more,
    ("group.scheduled", 1): _only_more,
    ("job.activated", 1): _only_more,
    ("job.created", 1): _only_more,
    ("job.created", 2): _only_more,
    ("job.created", 3): _only_more,
    ("job.saved", 1): _only_more,
    ("job.saved", 2): _only_more,
    ("job.saved", 3): _only_more,
    ("job.scheduled", 1): _only_more,
    ("member.added", 1): _only_more,
    ("notification.requested", 1): _only_more,
    ("notification.requested", 2): _only_more,
    ("run.opened", 1): _only_more,
    ("run.opened", 2): _only_more,
    ("run.opened", 3): _only_more,
    ("run.stop_requested", 1): _only_more,
    ("schedule.activated", 1): _only_more,
    ("schedule.alerts_edited", 1): _only_more,
    ("schedule.cadence_edited", 1): _only_more,
    ("schedule.cadence_edited", 2): _only_more,
    ("schedule.created", 1): _only_more,
    ("schedule.created", 2): _only_more,
    ("schedule.created", 3): _only_more,
    ("schedule.created", 4): _only_more,
    ("schedule.created", 5): _only_more,
    ("schedule.created", 6): _only_more,
    ("schedule.deleted", 1): _only_more,
    ("schedule.inactivated", 1): _only_more,
    ("schedule.jobs_edited", 1): _only_more,
    ("schedule.occurrence_queued", 1): _only_more,
    ("schedule.policies_edited", 1): _only_more,
    ("schedule.policies_edited", 2): _only_more,
    ("schedule.run_closed", 1): _only_more,
    ("schedule.run_opened", 1): _only_more,
    ("schedule.synced", 1): _only_more,
    ("schedule.synced", 2): _only_more,
    ("schedule.synced", 3): _only_more,
    ("service.added", 1): _only_more,
    ("service.added", 2): _only_more,
    ("service.configured", 1): _only_more,
    ("service.configured", 2): _only_more,
    ("starts.delayed", 1): _only_more,
}
"""The steps that the stored facts of older versions need."""


def lift(upcasts: Upcasts, type: str, schema: int, wanted: int, document: Document) -> Document:  # noqa: A002
    """Return `document` in the shape of version `wanted`; raises `UnknownEvent` where a step is missing."""
    for version in range(schema, wanted):
        step = upcasts.get((type, version))
        if step is None:
            raise UnknownEvent(f"{type} {schema} cannot be read: no step from version {version} to {version + 1}")
        document = step(document)
    return document
