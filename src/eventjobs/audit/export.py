"""
An export: every fact up to one position, a line each, and the seal.

In the export of one workspace the others' facts are there as what the chain needs of them: position, leaf and chain
value. So it proves the same, and shows nobody's data to another.
"""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from eventjobs.audit.seal import Seal
from eventjobs.audit.verify import BATCH, Read
from eventjobs.events.recorded import Recorded
from eventjobs.ids import EVERYWHERE
from eventjobs.log.event_json import event_json
from eventjobs.log.port import ZERO_CHAIN


async def export_lines(
    read: Read, until: int, *, workspace: str = EVERYWHERE, key: Ed25519PrivateKey | None = None
) -> AsyncIterator[bytes]:
    """Yield the lines of the log up to a position, and the seal; others may write meanwhile."""
    position, chain, digest = 0, ZERO_CHAIN, sha256()
    while position < until and (facts := await read(position, min(BATCH, until - position))):
        for fact in facts:
            line = _line(fact, workspace) + b"\n"
            digest.update(line)
            position, chain = fact.position, fact.chain
            yield line
    seal = Seal(workspace=workspace, position=position, chain=chain, sha256=digest.digest())
    yield seal.line(key)


def _line(fact: Recorded[Any], workspace: str) -> bytes:
    if workspace in (EVERYWHERE, fact.stream.workspace):
        return event_json(fact)
    return orjson.dumps({"position": fact.position, "leaf": fact.leaf.hex(), "chain": fact.chain.hex()})
