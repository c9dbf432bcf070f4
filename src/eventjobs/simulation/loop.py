"""
An event loop on virtual time: as soon as nothing is left to do, time jumps to the next timer.

A year of waiting takes no time, and nothing depends on the machine: no sockets, no threads, and the same order in every
run. With a seed, tasks that could go on at the same moment go on in an order that the seed draws; a program must be
right in each of them. Callbacks keep their order, as asyncio promises it.
"""

import asyncio
import random
import selectors
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from contextvars import Context
from heapq import heappush
from itertools import count
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

from eventjobs.errors import SimulationStuck

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

RESOLUTION_S: Final = 1e-7
"""Timers so near to each other are due together; enough for thirty virtual years."""
END_S: Final = 1.0
"""How long, in virtual seconds, what is left at the end may take to be cancelled."""


class _Jump(selectors.BaseSelector):
    """Waits for nothing: what the loop would wait, time moves on. It knows the loop's own wake-up pipe and no other."""

    def __init__(self) -> None:
        self.time_s = 0.0
        self.is_open = True
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise SimulationStuck("everybody waits for something that nobody will do")
        self.time_s += max(0.0, timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if not self.is_open:
            raise RuntimeError("a virtual loop has no sockets and files to wait for")
        key = selectors.SelectorKey(fileobj, fileobj if isinstance(fileobj, int) else fileobj.fileno(), events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class _InTurn(asyncio.TimerHandle):
    """A timer that comes after those of the same moment that were set before it."""

    __slots__ = ("number",)

    number: int

    def __lt__(self, other: object) -> bool:
        if isinstance(other, _InTurn) and other.when() == self.when():
            return self.number < other.number
        return super().__lt__(other)  # type: ignore[operator]


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` begins at 0 and jumps. `seed` shuffles the tasks that are ready together (`None`: first come, first)."""

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self, seed: int | None = None) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)
        self._jump.is_open = False
        # The machine's resolution is finer than what seconds as floats can tell apart after half a year.
        self._clock_resolution = RESOLUTION_S
        self._thread = threading.get_ident()
        self._numbers = count()
        self._shuffled = None if seed is None else random.Random(seed)  # noqa: S311 to be repeated, not to be secret

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._jump.time_s

    async def settle(self) -> None:
        """Let everything happen that can happen at this instant, before time moves on."""
        while self._ready or (self._scheduled and self._scheduled[0].when() <= self.time() + RESOLUTION_S):
            await asyncio.sleep(0)

    def block(self, seconds: float) -> None:
        """Let time pass while nothing else can happen, as code does that never yields."""
        self._jump.time_s += seconds

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Set a timer; without a seed those of one moment go off in the order in which they were set."""
        if self._shuffled is not None:
            return super().call_at(when, callback, *args, context=context)
        timer = _InTurn(when, callback, args, self, context)
        timer.number = next(self._numbers)
        heappush(self._scheduled, timer)
        timer._scheduled = True  # type: ignore[attr-defined]  # noqa: SLF001 what the loop counts its cancelled timers by
        return timer

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Refuse: a thread would run in the machine's time."""
        _ = executor, args
        raise RuntimeError(f"a virtual loop has no threads: {getattr(func, '__qualname__', func)} needs one")

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Refuse other threads: when they call is up to the machine."""
        if threading.get_ident() != self._thread:
            raise RuntimeError("a virtual loop takes no calls from other threads")
        return self.call_soon(callback, *args, context=context)

    def _run_once(self) -> None:
        if self._shuffled is not None and len(self._ready) > 1:
            self._shuffle(self._shuffled)
        super()._run_once()  # type: ignore[misc]

    def _shuffle(self, by: random.Random) -> None:
        """Let the tasks that are ready change places with each other; what is no task's step stays where it is."""
        places = [place for place, handle in enumerate(self._ready) if _steps_a_task(handle)]
        if len(places) > 1:
            handles = [self._ready[place] for place in places]
            by.shuffle(handles)
            for place, handle in zip(places, handles, strict=True):
                self._ready[place] = handle


def _steps_a_task(handle: asyncio.Handle) -> bool:
    callback = handle._callback  # type: ignore[attr-defined]  # noqa: SLF001 nothing public says what a handle does
    return isinstance(getattr(callback, "__self__", None), asyncio.Task)


def running_loop() -> VirtualLoop:
    """Return the virtual loop that this code runs on; raises `RuntimeError` on another one."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise RuntimeError("this is no virtual loop")  # noqa: TRY004 where it runs is wrong, not what was given
    return loop


def virtually(coroutine: Coroutine[Any, Any, T], *, seed: int | None = None, within_s: float | None = None) -> T:
    """
    Run a coroutine to its end on a virtual loop, then cancel what it left behind.

    Raises `TimeoutError` when it is not over after `within_s` virtual seconds, and `SimulationStuck` when nothing that
    could still happen would end it.
    """
    loop = VirtualLoop(seed)
    try:
        return loop.run_until_complete(_within(coroutine, within_s))
    finally:
        _end(loop)


def _end(loop: VirtualLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:  # one that ignores it is left to the garbage collector
        loop.run_until_complete(asyncio.wait(left, timeout=END_S))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


async def _within(coroutine: Coroutine[Any, Any, T], seconds: float | None) -> T:
    async with asyncio.timeout(seconds):
        return await coroutine
