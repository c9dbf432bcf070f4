"""
Position 1: the fact that says which log this is.

The guard of every append needs a row to hold on to, and with an id in the first link no two logs share a chain.
"""

from datetime import datetime
from typing import Final

from eventjobs.events.log import LogCreated
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.ids import EVERYWHERE
from eventjobs.log.chain import before_at, instant, leaf_of, link
from eventjobs.log.codec import Codec
from eventjobs.log.port import ZERO_CHAIN

LOG_STREAM: Final = StreamId(EVERYWHERE, "log:log")
"""Where the log's own facts stand."""
ACTOR: Final = "system"
CODEC: Final = Codec((LogCreated,))


def birth(log_id: str, command_id: str, at: datetime) -> Recorded[LogCreated]:
    """Return position 1 of the log called `log_id`."""
    data = CODEC.encode(LogCreated(log_id=log_id))
    leaf = leaf_of(
        before_at(
            workspace=LOG_STREAM.workspace,
            stream=LOG_STREAM.name,
            stream_version=1,
            type=LogCreated.TYPE,
            schema=LogCreated.SCHEMA,
            actor=ACTOR,
            command_id=command_id,
            causation=None,
            correlation=None,
            data=data.decode(),
        ),
        instant(at).encode(),
    )
    return Recorded(
        position=1,
        stream=LOG_STREAM,
        stream_version=1,
        type=LogCreated.TYPE,
        schema=LogCreated.SCHEMA,
        at=at,
        actor=ACTOR,
        command_id=command_id,
        causation=None,
        correlation=None,
        data=data,
        leaf=leaf,
        chain=link(ZERO_CHAIN, 1, leaf),
        decode=CODEC.decode,
    )
