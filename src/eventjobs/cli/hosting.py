"""An instance of the service inside this process, from start to stop, whatever comes between."""

import asyncio
import errno
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from eventjobs.app import Service
from eventjobs.cli.databases import reaching_the_database
from eventjobs.cli.output import fail
from eventjobs.cli.target import unknown_settings
from eventjobs.errors import Interrupted, UsageWrong
from eventjobs.settings import Settings

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
ADDRESS_FAULTS: Final = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES})


def run(work: Coroutine[Any, Any, int]) -> int:
    """Run on the fastest event loop there is."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


@asynccontextmanager
async def hosted(settings: Settings) -> AsyncIterator[Service]:
    """
    Yield a started service and stop it at the end.

    A signal while it starts undoes what was begun and raises `Interrupted`; later ones set `stopping`. Raises
    `UsageWrong` for an address that cannot be had.
    """
    for sentence in unknown_settings(os.environ):
        fail(sentence)
    service = await _started(settings)
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, service.stopping.set)
    try:
        yield service
    finally:
        if not service.draining.is_set():
            await service.stop()


async def _started(settings: Settings) -> Service:
    this = asyncio.current_task()
    for number in SIGNALS:
        if this is not None:
            asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    with reaching_the_database():
        try:
            return await Service.start(settings)
        except asyncio.CancelledError:
            raise Interrupted("stopped while starting") from None
        except OSError as error:
            if error.errno not in ADDRESS_FAULTS:
                raise
            where = f"{settings.bind}:{settings.port}"
            raise UsageWrong(f"cannot listen on {where}; give another --port ({error.strerror})") from error


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 it is not made for every system
    except ImportError:
        return None
    return uvloop.new_event_loop
