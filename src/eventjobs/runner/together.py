"""Several things at once, of which none outlives the others' failure."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def together(doing: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of these and wait for each, then raise the first fault: what is begun anew meets none of the old."""
    for fault in await asyncio.gather(*doing, return_exceptions=True):
        if fault is not None:
            raise fault
