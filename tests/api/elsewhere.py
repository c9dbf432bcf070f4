"""The server on Postgres in a thread with an event loop of its own, for tests that call it and wait."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig

T = TypeVar("T")
START_S = 30.0


class Elsewhere:
    """The rig, and how to ask it from here."""

    def __init__(self, rig: Rig, loop: asyncio.AbstractEventLoop) -> None:
        self.rig = rig
        self._loop = loop

    def ask(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something where the server runs, and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(START_S)

    @property
    def head(self) -> int:
        """The log's newest position; nothing is written but by requests."""
        return self.rig.log.known_head.position


@contextmanager
def elsewhere(url: str, **changed: Any) -> Iterator[Elsewhere]:
    """Start a server on a migrated database, in another thread."""
    is_up = threading.Event()
    found: list[Elsewhere] = []
    failed: list[BaseException] = []
    over: list[asyncio.Event] = []

    async def serve() -> None:
        over.append(asyncio.Event())
        async with on_postgres(url, **changed) as rig:
            found.append(Elsewhere(rig, asyncio.get_running_loop()))
            is_up.set()
            await over[0].wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 raised again where it is waited for
            failed.append(error)
        finally:
            is_up.set()

    thread = threading.Thread(target=run, name="server", daemon=True)
    thread.start()
    try:
        assert is_up.wait(START_S)
        if failed:
            raise failed[0]
        yield found[0]
    finally:
        if found:
            found[0]._loop.call_soon_threadsafe(over[0].set)
        thread.join(START_S)
    assert not thread.is_alive(), "the server did not end"
    if failed:
        raise failed[0]
