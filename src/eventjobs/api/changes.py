"""What a decision changes, in the shape in which it is shown."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from eventjobs.api.answers import encoded
from eventjobs.commands.world import World
from eventjobs.domain.changes import changes_of


def changes(world: World) -> Sequence[Mapping[str, Any]]:
    """Return what came, went and differs, thing by thing."""
    touched = sorted({stream for stream, _ in world.emitted})
    return [
        {
            "workspace": one.workspace,
            "kind": one.kind,
            "id": one.id,
            "what": one.what,
            "fields": {name: {"before": _plain(was), "after": _plain(now)} for name, (was, now) in one.fields.items()},
        }
        for stream in touched
        for one in changes_of(stream, world.before(stream), world.state(stream))
    ]


def _plain(value: Any) -> Any:
    return orjson.loads(encoded(value))
