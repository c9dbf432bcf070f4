"""
Every asyncio task of the process, held and named.

The event loop keeps only weak references and forgets what a task raised; here a task lives until it ends, and an
exception that nobody waits for is logged with the task's name. `asyncio.create_task` appears in this file alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

import structlog

T = TypeVar("T")

CANCEL_TIMEOUT_S: Final = 5.0
AGAIN_S: Final = 5.0
"""How long a loop that broke waits before it begins anew."""

_log: Final = structlog.get_logger("eventjobs.tasks")


class Tasks:
    """A registry of running tasks; its owner ends them with `cancel_all`."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, coro: Coroutine[Any, Any, T], *, name: str, joined: bool = False) -> asyncio.Task[T]:
        """
        Run `coro` as a task called `name`.

        `joined` says that somebody awaits the task and deals with what it raises; else an exception is logged as lost.
        """
        task = asyncio.get_running_loop().create_task(coro, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        if not joined:
            task.add_done_callback(_report_lost)
        return task

    def keep(
        self,
        loop: Callable[[], Coroutine[Any, Any, None]],
        *,
        name: str,
        sleep: Callable[[float], Awaitable[None]],
    ) -> asyncio.Task[None]:
        """
        Run what goes on for ever; where it breaks, log that and begin it anew after five seconds.

        An instance that lost one of its loops would look well and do half of its work until somebody restarts it.
        """
        return self.start(_kept(loop, name, sleep), name=name)

    @property
    def names(self) -> Sequence[str]:
        """The names of the tasks that run now, in order."""
        return sorted(task.get_name() for task in self._running)

    async def cancel_all(self, timeout_s: float = CANCEL_TIMEOUT_S) -> Sequence[str]:
        """
        Cancel every task, also those that ending tasks start, and wait for their end.

        Returns the names of the tasks that still ran after `timeout_s` seconds, in order (none, if all is well). The
        task that calls this is spared.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        asked: set[asyncio.Task[Any]] = set()
        while others := self._running - {asyncio.current_task()}:
            for task in others - asked:
                task.cancel("the process is stopping")
            asked |= others
            left_s = deadline - asyncio.get_running_loop().time()
            if left_s <= 0:
                break
            await asyncio.wait(others, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        return sorted(task.get_name() for task in others)


async def _kept(
    loop: Callable[[], Coroutine[Any, Any, None]], name: str, sleep: Callable[[float], Awaitable[None]]
) -> None:
    while True:
        try:
            return await loop()
        except Exception:  # noqa: BLE001 whatever it was, the others of its kind go on
            _log.exception("loop_broke", task=name)
        await sleep(AGAIN_S)


def _report_lost(task: asyncio.Task[Any]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        _log.error("task_failed", task=task.get_name(), exc_info=error)
