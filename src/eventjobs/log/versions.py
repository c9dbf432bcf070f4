"""
The versions of recently used streams, exact as of the appender's head, in bounded memory.

Two generations: what is used goes into the young one; when that is full it becomes the old one, and the old one is
forgotten. Since every change is noted, a stream that is in neither did not change since the old generation began; so
a version that a caller read at or after that position is still the right one, and needs no look-up.
"""

from collections.abc import Mapping
from typing import Final

from eventjobs.events.recorded import StreamId

GENERATION: Final = 32_768


class StreamVersions:
    """What the appender knows about streams; `start` is the position of the head when it began to take notes."""

    def __init__(self, start: int, *, generation: int = GENERATION) -> None:
        self._young: dict[StreamId, int] = {}
        self._old: dict[StreamId, int] = {}
        self._young_since = start
        self._old_since = start
        self._generation = generation

    def find(self, stream: StreamId) -> int | None:
        """Return the stream's version, if it is remembered."""
        version = self._young.get(stream)
        if version is None:
            version = self._old.get(stream)
            if version is not None:
                self._young[stream] = version
        return version

    def covers(self, position: int) -> bool:
        """Tell whether every change after `position` is remembered."""
        return position >= self._old_since

    def wrote(self, versions: Mapping[StreamId, int]) -> None:
        """Note the versions that an own append left."""
        self._young.update(versions)

    def saw(self, stream: StreamId, version: int) -> None:
        """Note a change that another process made after all that is noted."""
        self._young[stream] = version

    def learned(self, versions: Mapping[StreamId, int]) -> None:
        """Note versions that were looked up; what is known is newer and stays."""
        for stream, version in versions.items():
            if self.find(stream) is None:
                self._young[stream] = version

    def turn(self, head: int) -> None:
        """Forget the old generation if the young one is full; all changes up to `head` have been noted."""
        if len(self._young) >= self._generation:
            self._old, self._young = self._young, {}
            self._old_since, self._young_since = self._young_since, head
