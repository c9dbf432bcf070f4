"""Rows of the table `events` as recorded facts."""

from collections.abc import Sequence
from typing import Any, Protocol

from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.codec import Codec


class Row(Protocol):
    """The columns of a read statement, in their order."""

    def __iter__(self) -> Any:
        """Iterate over the values."""
        ...


def recorded(codec: Codec, rows: Sequence[Row]) -> Sequence[Recorded[Any]]:
    """Return the facts; each is decoded on first use."""
    decode = codec.decode
    return [
        Recorded(
            position=position,
            stream=StreamId(workspace, stream),
            stream_version=version,
            type=kind,
            schema=schema,
            at=at,
            actor=actor,
            command_id=command_id,
            causation=causation,
            correlation=correlation,
            data=data,
            leaf=leaf,
            chain=chain,
            decode=decode,
        )
        for (
            position,
            workspace,
            stream,
            version,
            kind,
            schema,
            at,
            actor,
            command_id,
            causation,
            correlation,
            data,
            leaf,
            chain,
        ) in rows
    ]
