"""What goes wrong: faults that begin at drawn moments, last for a while, and end; all of them when it is calm."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from tests.simulation.database import Links

if TYPE_CHECKING:
    from tests.simulation.member import Member
    from tests.simulation.world import World

Fault: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]
STEPS_S = (-3600.0, -61.0, -5.0, -1.0, 1.0, 5.0, 61.0, 900.0, 3600.0)


class Weather:
    """Draws faults and plays them."""

    def __init__(self, world: "World", random: Random) -> None:
        self._world = world
        self._random = random
        self._faults: set[asyncio.Task[None]] = set()
        self._kinds: dict[str, Fault] = {
            "kill": self._kill,
            "hold": self._hold,
            "block": self._block,
            "leave": self._leave,
            "cut": self._cut,
            "outage": self._outage,
            "flash": self._flash,
            "read_only": self._read_only,
            "full": self._full,
            "rough": self._rough,
            "step": self._step,
            "dark": self._dark,
            "rebuild": self._rebuild,
        }

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is wrong, or about to be."""
        return not self._faults

    def draw(self, window_s: float) -> None:
        """Draw what happens in the next seconds."""
        for kind, chance in self._world.options.faults.items():
            if self._random.random() < chance:
                task = asyncio.ensure_future(self._play(kind, window_s * self._random.random()))
                self._faults.add(task)
                task.add_done_callback(self._faults.discard)

    async def calm(self) -> None:
        """End every fault, now."""
        faults = list(self._faults)
        for task in faults:
            task.cancel()
        if faults:
            await asyncio.wait(faults)
        for member in self._world.members:
            member.machine.spare()

    async def _play(self, kind: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self._world.seen.note(f"fault_{kind}")
        async with self._kinds[kind]():
            pass

    async def _last(self, shortest_s: float, longest_s: float) -> None:
        """Short ones more often."""
        await asyncio.sleep(shortest_s + (longest_s - shortest_s) * self._random.random() ** 2)

    def _anyone(self) -> "Member | None":
        there = [member for member in self._world.members if member.is_up and not member.machine.held]
        return self._random.choice(there) if there else None

    @asynccontextmanager
    async def _kill(self) -> AsyncIterator[None]:
        member = self._anyone()
        if member is not None:
            if self._random.random() < 0.7:
                member.machine.after(int(400 * self._random.random() ** 2), lambda: self._world.kill(member))
            else:
                self._world.kill(member)
        yield

    @asynccontextmanager
    async def _hold(self) -> AsyncIterator[None]:
        member = self._anyone()
        if member is None:
            yield
            return
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def stop() -> None:
            member.hold()
            if not begun.done():
                begun.set_result(None)

        if self._random.random() < 0.7:
            member.machine.after(int(300 * self._random.random() ** 2), stop)
        else:
            stop()
        try:
            await asyncio.wait([begun], timeout=30.0)
            await self._last(0.1, 40.0)
            yield
        finally:
            if member.is_alive:
                worked = any(run.instance == member.name for run in self._world.open_runs())
                if worked and not member.lease.trusted():
                    self._world.seen.note("lease_lost_while_running")
                member.machine.spare()
                member.release()
                member.troubled_at = self._world.loop.time()

    @asynccontextmanager
    async def _block(self) -> AsyncIterator[None]:
        member = self._anyone()
        if member is None:
            yield
            return
        member.block()
        try:
            await self._last(0.5, 45.0)
            yield
        finally:
            if member.is_alive:
                member.unblock()
                member.troubled_at = self._world.loop.time()

    @asynccontextmanager
    async def _leave(self) -> AsyncIterator[None]:
        member = self._anyone()
        if member is not None and not member.is_leaving:
            member.run(member.leave(), "leave")
        yield

    @asynccontextmanager
    async def _cut(self) -> AsyncIterator[None]:
        member = self._anyone()
        if member is None:
            yield
            return
        cut = self._world.database.cut
        ends = {member.machine, member.thread} if self._random.random() < 0.8 else {member.machine}
        cut |= ends
        try:
            await self._last(0.5, 40.0)
            yield
        finally:
            cut -= ends
            member.troubled_at = self._world.loop.time()

    @asynccontextmanager
    async def _outage(self) -> AsyncIterator[None]:
        self._world.database.is_down = True
        try:
            await self._last(1.0, 60.0)
            yield
        finally:
            self._world.database.is_down = False
            self._world.outage_over()

    @asynccontextmanager
    async def _flash(self) -> AsyncIterator[None]:
        """The server is restarted: whatever was under way is lost."""
        self._world.database.is_down = True
        try:
            await self._last(0.002, 0.5)
            yield
        finally:
            self._world.database.is_down = False
            self._world.outage_over()

    @asynccontextmanager
    async def _read_only(self) -> AsyncIterator[None]:
        self._world.database.is_read_only = True
        try:
            await self._last(1.0, 40.0)
            yield
        finally:
            self._world.database.is_read_only = False
            self._world.outage_over()

    @asynccontextmanager
    async def _full(self) -> AsyncIterator[None]:
        self._world.database.is_full = True
        try:
            await self._last(1.0, 40.0)
            yield
        finally:
            self._world.database.is_full = False
            self._world.outage_over()

    @asynccontextmanager
    async def _rough(self) -> AsyncIterator[None]:
        database, draw = self._world.database, self._random.random
        database.links = Links(
            lost_before=0.1 * draw(),
            lost_after=0.1 * draw(),
            late=0.03 * draw(),
            slow=0.2 * draw(),
            slow_s=4.0 * draw(),
            notify_lost=draw(),
            view_lag_s=3.0 * draw() ** 2,
        )
        try:
            await self._last(3.0, 60.0)
            yield
        finally:
            database.links = database.calm

    @asynccontextmanager
    async def _step(self) -> AsyncIterator[None]:
        """The database's clock is set; sometimes it is set right again later."""
        seconds = self._random.choice(STEPS_S)
        self._world.database.step(seconds)
        self._world.seen.note("clock_forward" if seconds > 0 else "clock_back")
        if self._random.random() < 0.7:
            await self._last(5.0, 60.0)
            self._world.database.step(-seconds)
        yield

    @asynccontextmanager
    async def _dark(self) -> AsyncIterator[None]:
        """Everybody is gone at once, for minutes or hours."""
        self._world.dark_until = self._world.loop.time() + 30.0 + 3.0 * 3600 * self._random.random() ** 4
        for member in list(self._world.members):
            self._world.kill(member)
        yield

    @asynccontextmanager
    async def _rebuild(self) -> AsyncIterator[None]:
        """The views are filled again from the beginning, or from where a backup has them."""
        self._world.database.rebuild(int(self._random.choice((0.0, 1.0)) * self._random.random() * 1_000))
        yield
