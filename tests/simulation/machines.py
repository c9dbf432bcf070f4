"""
Machines on one virtual loop: each callback belongs to the machine whose task asked for it.

So a machine can be held between any two awaits and go on later, as a process after SIGSTOP and SIGCONT, or end there,
as after SIGKILL: nothing of it runs any more, no `finally` either. Time goes on for the others.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from typing import Any
from weakref import WeakSet

from eventjobs.errors import SimulationStuck
from eventjobs.simulation.loop import VirtualLoop

MACHINE: ContextVar["Machine | None"] = ContextVar("machine", default=None)
NOBODY: Context = Context()
"""The context of what belongs to no machine: the database, the network, those who watch."""


class Machine:
    """What stops and goes on as one: a process, or a thread of one."""

    def __init__(self, loop: "MachineLoop", name: str) -> None:
        self.name = name
        self.loop = loop
        self.alive = True
        self.held = False
        self.steps = 0
        self.has_old_zone_data = False
        self._fuse: tuple[int, Callable[[], None]] | None = None
        self._parked: list[asyncio.Handle] = []
        self.context = NOBODY.copy()
        self.context.run(MACHINE.set, self)
        self.tasks: WeakSet[asyncio.Task[Any]] = WeakSet()

    def start(self, coro: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run a coroutine on this machine."""
        return self.loop.create_task(coro, name=name, context=self.context.copy())

    def hold(self) -> None:
        """Let nothing of it run."""
        self.held = True

    def release(self) -> None:
        """Let it go on where it was held; what fell due meanwhile comes first, in order."""
        self.held = False
        if self.alive:
            self.loop._ready.extend(self._parked)
        self._parked.clear()

    def kill(self) -> None:
        """End it where it is."""
        self.alive = False
        self._parked.clear()
        self.loop.graves.extend(self.tasks)

    def after(self, steps: int, burn: Callable[[], None]) -> None:
        """Do something between two of its steps, so many from now."""
        self._fuse = (self.steps + steps, burn)

    def spare(self) -> None:
        """Do not do it, if it was not done yet."""
        self._fuse = None

    def admits(self, handle: asyncio.Handle) -> bool:
        """Count a step that is about to be made; tell whether it may be."""
        if not self.alive:
            return False
        if self.held:
            self._parked.append(handle)
            return False
        self.steps += 1
        if self._fuse is not None and self.steps >= self._fuse[0]:
            burn, self._fuse = self._fuse[1], None
            self.loop.call_soon(burn, context=NOBODY)
        return True


class _Step(asyncio.Handle):
    """A callback, made with less ado than asyncio's own: there are a million in a simulated day."""

    def __init__(self, callback: Callable[..., Any], args: Any, loop: "MachineLoop", context: Context | None) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._cancelled = False
        self._callback = callback
        self._args = args
        self._repr = None
        self._source_traceback = None

    def cancel(self) -> None:
        self._cancelled = True
        self._callback = self._args = None


class _Timer(_Step, asyncio.TimerHandle):
    """The same for a callback at a moment."""

    def __init__(
        self,
        when: float,
        callback: Callable[..., Any],
        args: Any,
        loop: "MachineLoop",
        context: Context | None,
    ) -> None:
        super().__init__(callback, args, loop, context)
        self._when = when
        self._scheduled = True

    def cancel(self) -> None:
        if not self._cancelled:
            self._loop._timer_handle_cancelled(self)
        super().cancel()


class MachineLoop(VirtualLoop):
    """
    A virtual loop that asks the machine of each callback whether it may run.

    What asyncio does for each callback is done here with less ado, for a simulated day has a million of them.
    """

    _timer_cancelled_count: int
    _stopping: bool

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.graves: list[asyncio.Task[Any]] = []
        self.turns = 0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self.set_task_factory(_task)

    def bury(self) -> None:
        """Close what the dead left behind, without letting it say anything."""
        for task in [*self.graves, *asyncio.all_tasks(self)]:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            with suppress(BaseException):
                task.get_coro().close()  # type: ignore[union-attr]
        self.graves.clear()
        self._ready.clear()
        self._timers.clear()

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> asyncio.Handle:
        """Run a callback in the next turn."""
        handle = _Step(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback after so many virtual seconds."""
        return self.call_at(self._jump.time_s + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback at a moment; those of one moment in the order in which they were asked for."""
        timer = _Timer(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def _run_once(self) -> None:
        timers, ready, jump = self._timers, self._ready, self._jump
        if self._timer_cancelled_count > 100 and self._timer_cancelled_count * 2 > len(timers):
            timers = self._forget_cancelled()
        while timers and timers[0][2]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(timers)[2]._scheduled = False
        if not ready and not self._stopping:
            if not timers:
                raise SimulationStuck("everybody waits for something that nobody will do")
            jump.time_s = max(jump.time_s, timers[0][0])
        now = jump.time_s + 1e-9  # after half a year less than a float can tell
        while timers and timers[0][0] <= now:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False
            ready.append(timer)
        if len(ready) > 1 and self._shuffled is not None:
            self._shuffle(self._shuffled)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            machine = handle._context.get(MACHINE)
            if machine is None or machine.admits(handle):
                self.turns += 1
                handle._run()

    def _forget_cancelled(self) -> list[tuple[float, int, asyncio.TimerHandle]]:
        for _, _, timer in self._timers:
            timer._scheduled = not timer._cancelled
        self._timers = [entry for entry in self._timers if not entry[2]._cancelled]
        heapq.heapify(self._timers)
        self._timer_cancelled_count = 0
        return self._timers


def _task(
    loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], context: Context | None = None
) -> asyncio.Task[Any]:
    machine = MACHINE.get() if context is None else context.get(MACHINE)
    task = asyncio.Task(coro, loop=loop, context=copy_context() if context is None else context)
    if machine is not None:
        machine.tasks.add(task)
    return task
