"""
Reads of many callers in one query.

Whoever comes in the same turn of the loop, or while enough reads are under way, shares one, so many commands on new
streams cost few queries and one command alone waits for nobody.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.port import EventLog

Wanted: TypeAlias = Sequence[tuple[StreamId, int]]
Found: TypeAlias = Mapping[StreamId, Sequence[Recorded[Any]]]


AT_ONCE: Final = 3
"""Queries under way at the same time: one that is slow does not hold up everybody."""


class _Again(Exception):
    """Nobody reads for this caller any more: it reads for itself and for who waits."""


class GatheredReads:
    """`EventLog.read_streams` for many callers at once."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._waiting: list[tuple[Wanted, asyncio.Future[Found]]] = []
        self._under_way = 0

    async def read(self, wanted: Wanted) -> Found:
        """Return the facts of each stream after the given version."""
        while True:
            answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
            self._waiting.append((wanted, answer))
            if self._under_way < AT_ONCE:
                await self._lead()
            try:
                return await answer
            except _Again:
                continue

    async def _lead(self) -> None:
        """Read for all who wait now, then leave the rest to one of them."""
        self._under_way += 1
        try:
            await asyncio.sleep(0)  # whoever comes in the same turn of the loop comes along
            batch, self._waiting = self._waiting, []
            if batch:
                await self._read_for(batch)
        finally:
            self._under_way -= 1
            self._hand_over()

    def _hand_over(self) -> None:
        while self._waiting:
            _, answer = self._waiting.pop(0)
            if not answer.done():
                _tell(answer, _Again())
                return

    async def _read_for(self, batch: Sequence[tuple[Wanted, asyncio.Future[Found]]]) -> None:
        lowest: dict[StreamId, int] = {}
        for wanted, _ in batch:
            for stream, version in wanted:
                lowest[stream] = min(version, lowest.get(stream, version))
        try:
            found = await self._log.read_streams(list(lowest.items()))
        except Exception as fault:  # noqa: BLE001 it is every caller's
            for _, answer in batch:
                _tell(answer, fault)
            return
        except BaseException:
            for _, answer in batch:
                _tell(answer, _Again())
            raise
        for wanted, answer in batch:
            if not answer.done():
                answer.set_result({stream: _after(found.get(stream, ()), version) for stream, version in wanted})


def _after(facts: Sequence[Recorded[Any]], version: int) -> Sequence[Recorded[Any]]:
    if not facts or facts[0].stream_version > version:
        return facts
    return [fact for fact in facts if fact.stream_version > version]


def _tell(answer: "asyncio.Future[Found]", fault: Exception) -> None:
    if not answer.done():
        answer.set_exception(fault)
        answer.exception()  # its caller may have gone away
