"""
The log's proof in parts, beside a running service: so many facts at most, for so long at most, in turns with others.

Whoever wants all of it asks for one part after the other, each with the chain value that the one before ended with.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from eventjobs.audit.verify import Broken, Check, Read
from eventjobs.clock import Clock
from eventjobs.log.port import ZERO_CHAIN

FACTS_MAX: Final = 50_000
TIME_S_MAX: Final = 2.0
BATCH: Final = 100
"""How many facts are read at once: each may be as long as a request."""
AT_ONCE_BYTES: Final = 2**20
"""How much is hashed before others get their turn on the event loop."""
FACT_BYTES: Final = 10_000
"""What a fact counts beside its data: what it costs without any."""
SHARE: Final = 0.25
"""Of the time, however much there is to verify."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What was verified: every event up to `position`, which has this chain value, unless something is `broken`."""

    position: int
    chain: bytes
    broken: Broken | None = None


async def verify_part(read: Read, clock: Clock, *, after: int, chain: bytes | None, until: int) -> Part:
    """
    Verify what follows the position `after`, up to `until` or as far as a part goes.

    `chain` is what the part before ended with; without it the value that is stored there is taken as given.
    """
    check = await _begin(read, after, chain)
    if isinstance(check, Broken):
        return Part(position=max(0, after - 1), chain=chain or ZERO_CHAIN, broken=check)
    broken: Broken | None = None
    end, over_s = min(until, after + FACTS_MAX), clock.monotonic() + TIME_S_MAX
    while broken is None and check.position < end and clock.monotonic() < over_s:
        began = clock.monotonic()
        broken = await _take(check, read, min(BATCH, end - check.position))
        await clock.sleep((clock.monotonic() - began) * (1 / SHARE - 1))
    return Part(position=check.position, chain=check.chain, broken=broken)


async def _begin(read: Read, after: int, chain: bytes | None) -> Check | Broken:
    if after == 0:
        return Check()
    there = await read(after - 1, 1)
    if not there or there[0].position != after:
        return Broken(after, f"position {after} is missing")
    if chain is not None and there[0].chain != chain:
        return Broken(after, "the chain value is another one than a moment before")
    return Check(after, there[0].chain, there[0].at)


async def _take(check: Check, read: Read, count: int) -> Broken | None:
    facts = await read(check.position, count)
    size = 0
    for fact in facts:
        if (broken := check.take(fact)) is not None:
            return broken
        size += FACT_BYTES + len(fact.data)
        if size >= AT_ONCE_BYTES:
            size = 0
            await asyncio.sleep(0)
    return None if facts else Broken(check.position + 1, f"position {check.position + 1} is missing, and all after it")
