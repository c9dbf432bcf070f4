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
    ("run.stop_requested", 1): _only_more,
    ("schedule.occurrence_queued", 1): _only_more,
    ("schedule.run_closed", 1): _only_more,
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
