"""What a decision changes about things, as a list that a person reads: what came, what goes, which fields differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eventjobs.domain.definition import Definition
from eventjobs.domain.flow import Flow
from eventjobs.domain.integration import Integration
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.service import Service
from eventjobs.events.recorded import StreamId

ADDED: Final = "added"
CHANGED: Final = "changed"
REMOVED: Final = "removed"

_JOB: Final = ("name", "handler", "config", "policy", "exclusive")
_SHOWN: Final[Mapping[type[Any], tuple[str, ...]]] = {
    Schedule: ("description", "active", "cadence", "policies", "jobs", "overrides"),
    Service: (*_JOB, "type"),
    Flow: (*_JOB, "trigger", "active"),
    Integration: ("active", "configuration", "features", "synced"),
}
"""The fields that are compared, by the kind of state."""
_PARTS: Final = ("services", "flows", "features")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is another afterwards; `fields` holds `(before, after)` of what differs."""

    workspace: str
    kind: str
    id: str
    what: str
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


def changes_of(stream: StreamId, before: Any, after: Any) -> Iterator[Change]:
    """Yield what is different about the thing of a stream; about most kinds of stream there is nothing to tell."""
    if isinstance(after, Definition):
        yield from _of_definition(stream, before, after)
    elif type(after) in _SHOWN:
        yield from _of_thing(stream, before, after)


def _of_thing(stream: StreamId, before: Any, after: Any) -> Iterator[Change]:
    was, is_ = getattr(before, "alive", before.exists), getattr(after, "alive", after.exists)
    names = _SHOWN[type(after)]
    differ = {name: (getattr(before, name), getattr(after, name)) for name in names}
    differ = {name: both for name, both in differ.items() if both[0] != both[1]}
    what = {(False, True): ADDED, (True, False): REMOVED, (True, True): CHANGED}.get((was, is_))
    if what is not None and (differ or what != CHANGED):
        shown = differ if what == CHANGED else {}
        yield Change(workspace=stream.workspace, kind=stream.kind, id=stream.id, what=what, fields=shown)


def _of_definition(stream: StreamId, before: Definition, after: Definition) -> Iterator[Change]:
    old, new = _parts(before.content), _parts(after.content)
    for kind, part in sorted(old.keys() | new.keys()):
        was, is_ = old.get((kind, part)), new.get((kind, part))
        if was == is_:
            continue
        what = ADDED if was is None else REMOVED if is_ is None else CHANGED
        differ: dict[str, tuple[Any, Any]] = {}
        if was is not None and is_ is not None:
            differ = {
                name: (was.get(name), is_.get(name))
                for name in sorted(was.keys() | is_.keys())
                if was.get(name) != is_.get(name)
            }
        yield Change(workspace=stream.workspace, kind=f"defined {kind}", id=part, what=what, fields=differ)


def _parts(content: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return services, flows, features and schedules of a definition, each by itself."""
    parts: dict[tuple[str, str], Mapping[str, Any]] = {}
    for name in _PARTS:
        for part in content.get(name, ()):
            kind = name.removesuffix("s")
            parts[kind, part["id"]] = {key: value for key, value in part.items() if key != "schedules"}
            for schedule in part.get("schedules", ()):
                parts["schedule", schedule["id"]] = {**schedule, "feature": part["id"]}
    return parts
