"""
One follower of the log for all live streams: each fact becomes bytes once, whoever watches.

What happens within a fifth of a second is told in one piece; the first of it after a while is told at once. A watcher
has a queue of its own; one that does not take its frames away is dropped, and comes back with the last id that it has
seen.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog

from eventjobs.api.answers import encoded
from eventjobs.errors import LogFault
from eventjobs.events.recorded import Recorded
from eventjobs.log.port import EventLog
from eventjobs.telemetry.progress import Progress
from eventjobs.telemetry.tasks import Tasks

BACKLOG_BYTES_MAX: Final = 1024 * 1024
GATHER_S: Final = 0.2
GATHERED_BYTES: Final = 64 * 1024
"""How much progress is gathered before it is told at once."""
PAGE: Final = 500
POLL_S: Final = 5.0
RETRY_S: Final = 1.0

_log: Final = structlog.get_logger("eventjobs.live")


def log_frame(fact: Recorded[Any]) -> bytes:
    """Return the frame of a fact: where it stands and what it is, without its content."""
    shown = {
        "position": fact.position,
        "stream": fact.stream.name,
        "stream_version": fact.stream_version,
        "type": fact.type,
        "at": fact.at,
    }
    return b"id: %d\ndata: %b\n\n" % (fact.position, encoded(shown))


def head_frame(position: int) -> bytes:
    """Return the frame that a stream begins with: what happened up to here is not told by it, or once more."""
    return b'event: head\ndata: {"position":%d}\n\n' % position


def progress_frame(progress: Mapping[str, Any]) -> bytes:
    """Return the frame of progress; it has no id, because it is not kept."""
    return b"event: progress\ndata: %b\n\n" % encoded(progress)


class Watcher:
    """
    What one stream has yet to send: frames of its workspace after a position.

    `overrun` says that its reader was too slow.
    """

    def __init__(self, workspace: str, after: int) -> None:
        self.workspace = workspace
        self.after = after
        self.overrun = False
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._ready = asyncio.Event()

    def offer(self, frames: bytes) -> None:
        """Add frames, unless too much waits already."""
        if self.overrun:
            return
        self._bytes += len(frames)
        self._frames.append(frames)
        if self._bytes > BACKLOG_BYTES_MAX:
            self.overrun = True
            self._frames.clear()
        self._ready.set()

    def wake(self) -> None:
        """Make `take` return."""
        self._ready.set()

    async def take(self, timeout_s: float) -> bytes:
        """Return what waits, as soon as something does; nothing when the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            return b""
        self._ready.clear()
        frames = b"".join(self._frames)
        self._frames.clear()
        self._bytes = 0
        return frames


class Frames:
    """Follows the log from the moment somebody watches, and offers each frame to its workspace's watchers."""

    def __init__(self, log: EventLog, progress: Progress, tasks: Tasks) -> None:
        self._log = log
        self._progress = progress
        self._tasks = tasks
        self._watchers: dict[str, set[Watcher]] = {}
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._position = 0
        self._reported: dict[str, list[bytes]] = {}
        self._reported_bytes = 0
        self._reporting: asyncio.TimerHandle | None = None

    def watch(self, workspace: str) -> Watcher:
        """Add a watcher, for what is not in the log yet."""
        if self._task is None or self._task.done():
            self._position = self._log.known_head.position
            self._task = self._tasks.start(self._follow(), name="live-frames")
            self._unsubscribe = self._progress.subscribe(self._report)
        watcher = Watcher(workspace, max(self._log.known_head.position, self._position))
        self._watchers.setdefault(workspace, set()).add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Take a watcher away; without any the log is not followed."""
        watchers = self._watchers.get(watcher.workspace, set())
        watchers.discard(watcher)
        if not watchers:
            self._watchers.pop(watcher.workspace, None)
        if not self._watchers:
            self._rest()

    def wake_all(self) -> None:
        """Wake every watcher, so that it sees that it is time to end."""
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.wake()

    def _rest(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self._tell_reported()

    async def _follow(self) -> None:
        while True:
            try:
                await self._log.wait_beyond(self._position, POLL_S)
                facts = await self._log.read(self._position, PAGE)
            except LogFault as fault:
                _log.warning("live_waits", exc_info=fault)
                await asyncio.sleep(RETRY_S)
                continue
            self._offer(facts)
            if 0 < len(facts) < PAGE:
                await asyncio.sleep(GATHER_S)

    def _offer(self, facts: Sequence[Recorded[Any]]) -> None:
        frames: dict[str, list[tuple[int, bytes]]] = {}
        for fact in facts:
            if fact.stream.workspace in self._watchers:
                frames.setdefault(fact.stream.workspace, []).append((fact.position, log_frame(fact)))
            self._position = fact.position
        for workspace, numbered in frames.items():
            together = b"".join(frame for _, frame in numbered)
            for watcher in self._watchers[workspace]:
                if numbered[0][0] > watcher.after:
                    watcher.offer(together)
                elif numbered[-1][0] > watcher.after:
                    watcher.offer(b"".join(frame for position, frame in numbered if position > watcher.after))

    def _report(self, workspace: str, progress: Mapping[str, Any]) -> None:
        if workspace not in self._watchers:
            return
        frame = progress_frame(progress)
        self._reported.setdefault(workspace, []).append(frame)
        self._reported_bytes += len(frame)
        if self._reported_bytes >= GATHERED_BYTES:
            self._tell_reported()
        elif self._reporting is None:
            self._reporting = asyncio.get_running_loop().call_later(GATHER_S, self._tell_reported)

    def _tell_reported(self) -> None:
        if self._reporting is not None:
            self._reporting.cancel()
            self._reporting = None
        reported, self._reported, self._reported_bytes = self._reported, {}, 0
        for workspace, frames in reported.items():
            together = b"".join(frames)
            for watcher in self._watchers.get(workspace, ()):
                watcher.offer(together)
