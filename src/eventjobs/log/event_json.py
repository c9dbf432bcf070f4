"""
A recorded fact on the wire.

Its data are the stored bytes, spliced in as they are: what is hashed is what is read.
"""

from typing import Any, Final

import orjson

from eventjobs.events.recorded import Recorded

_OPTIONS: Final = orjson.OPT_UTC_Z


def event_json(fact: Recorded[Any], **more: str) -> bytes:
    """Return the fact as one line of JSON; `more` is what is said besides."""
    return orjson.dumps(
        {
            "position": fact.position,
            "workspace": fact.stream.workspace,
            "stream": fact.stream.name,
            "stream_version": fact.stream_version,
            "type": fact.type,
            "schema": fact.schema,
            "at": fact.at,
            "actor": fact.actor,
            "command_id": fact.command_id,
            "causation": fact.causation,
            "correlation": fact.correlation,
            "data": orjson.Fragment(fact.data),
            "leaf": fact.leaf.hex(),
            "chain": fact.chain.hex(),
            **more,
        },
        option=_OPTIONS,
    )
