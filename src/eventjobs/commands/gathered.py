"""
Reads of many callers in one query.

Whoever comes while a read is under way shares the next one, so many commands on new streams cost few queries and one
command alone waits for nobody.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.port import EventLog

Wanted: TypeAlias = Sequence[tuple[StreamId, int]]
Found: TypeAlias = Mapping[StreamId, Sequence[Recorded[Any]]]


class _Again(Exception):
    """The caller that read for all went away; the others read for themselves."""


class GatheredReads:
    """`EventLog.read_streams` for many callers at once."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._waiting: list[tuple[Wanted, asyncio.Future[Found]]] = []
        self._is_reading = False

    async def read(self, wanted: Wanted) -> Found:
        """Return the facts of each stream after the given version."""
        while True:
            answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
            self._waiting.append((wanted, answer))
            if not self._is_reading:
                await self._read_all()
            try:
                return await answer
            except _Again:
                continue

    async def _read_all(self) -> None:
        self._is_reading = True
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._read_for(batch)
        finally:
            self._is_reading = False
            left, self._waiting = self._waiting, []
            _tell(left, _Again())

    async def _read_for(self, batch: Sequence[tuple[Wanted, asyncio.Future[Found]]]) -> None:
        lowest: dict[StreamId, int] = {}
        for wanted, _ in batch:
            for stream, version in wanted:
                lowest[stream] = min(version, lowest.get(stream, version))
        try:
            found = await self._log.read_streams(list(lowest.items()))
        except Exception as fault:  # noqa: BLE001 it is every caller's
            _tell(batch, fault)
            return
        except BaseException:
            _tell(batch, _Again())
            raise
        for wanted, answer in batch:
            if not answer.done():
                answer.set_result({stream: _after(found.get(stream, ()), version) for stream, version in wanted})


def _after(facts: Sequence[Recorded[Any]], version: int) -> Sequence[Recorded[Any]]:
    if not facts or facts[0].stream_version > version:
        return facts
    return [fact for fact in facts if fact.stream_version > version]


def _tell(batch: Sequence[tuple[Wanted, asyncio.Future[Found]]], fault: Exception) -> None:
    for _, answer in batch:
        if not answer.done():
            answer.set_exception(fault)
            answer.exception()  # its caller may be the one that went away
