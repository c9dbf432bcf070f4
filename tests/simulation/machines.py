"""
Machines on one virtual loop: each callback belongs to the machine whose task asked for it.

So a machine can be held between any two awaits and go on later, as a process after SIGSTOP and SIGCONT, or end there,
as after SIGKILL: nothing of it runs any more, no `finally` either. Time goes on for the others.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from functools import partial
from heapq import heapify, heappop, heappush
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
    """A callback, made with less ado than asyncio's own: the loop fills it in, as a million a day cost a call each."""

    __slots__ = ()

    def __init__(self) -> None:
        """Leave it to the loop."""

    def cancel(self) -> None:
        self._cancelled = True
        self._callback = self._args = None


class _Timer(asyncio.TimerHandle):
    """The same for a callback at a moment."""

    __slots__ = ()

    def __init__(self) -> None:
        """Leave it to the loop."""

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._callback = self._args = None
            self._loop._timer_cancelled_count += self._scheduled


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
        # Asked for each future and task, so without a Python frame: `bool()` says that nobody debugs here.
        self.create_future = partial(asyncio.Future, loop=self)  # type: ignore[method-assign]
        self.get_debug = bool  # type: ignore[method-assign]

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
        step = _Step.__new__(_Step)
        step._context = copy_context() if context is None else context
        step._cancelled = False
        step._callback = callback
        step._args = args
        self._ready.append(step)
        return step

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback after so many virtual seconds."""
        return self._timer(self._jump.time_s + delay, callback, args, context)

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback at a moment; those of one moment in the order in which they were asked for."""
        return self._timer(when, callback, args, context)

    def _timer(self, when: float, callback: Callable[..., Any], args: Any, context: Context | None) -> _Timer:
        timer = _Timer.__new__(_Timer)
        timer._context = copy_context() if context is None else context
        timer._loop = self
        timer._cancelled = False
        timer._callback = callback
        timer._args = args
        timer._when = when
        timer._scheduled = True
        heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def _run_once(self) -> None:
        """Run turns until the loop is to stop, and not only one: most of them have a single callback."""
        ready, shuffled = self._ready, self._shuffled
        while True:
            self._take_due()
            if len(ready) > 1 and shuffled is not None:
                self._shuffle(shuffled)
            for _ in range(len(ready)):
                handle = ready.popleft()
                if handle._cancelled:
                    continue
                machine = handle._context.get(MACHINE)
                if machine is not None and not machine.admits(handle):
                    continue
                self.turns += 1
                try:
                    handle._context.run(handle._callback, *handle._args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:  # noqa: BLE001 as asyncio has it, with one call less
                    message = f"Exception in callback {handle._callback!r}"
                    self.call_exception_handler({"message": message, "exception": error})
            if self._stopping:
                return

    def _take_due(self) -> None:
        """Let time move on where nothing else is ready, and make ready what is due then."""
        timers, ready, jump = self._timers, self._ready, self._jump
        if self._timer_cancelled_count > 100 and self._timer_cancelled_count * 2 > len(timers):
            timers = self._forget_cancelled()
        while timers and timers[0][2]._cancelled:
            self._timer_cancelled_count -= 1
            heappop(timers)[2]._scheduled = False
        if not ready and not self._stopping:
            if not timers:
                raise SimulationStuck("everybody waits for something that nobody will do")
            jump.time_s = max(jump.time_s, timers[0][0])
        now = jump.time_s + 1e-9  # after half a year less than a float can tell
        while timers and timers[0][0] <= now:
            timer = heappop(timers)[2]
            timer._scheduled = False
            ready.append(timer)

    def _forget_cancelled(self) -> list[tuple[float, int, asyncio.TimerHandle]]:
        for _, _, timer in self._timers:
            timer._scheduled = not timer._cancelled
        self._timers = [entry for entry in self._timers if not entry[2]._cancelled]
        heapify(self._timers)
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
