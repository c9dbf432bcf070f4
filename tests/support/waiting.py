"""Wait for a condition with a deadline, instead of sleeping."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeVar

T = TypeVar("T")


async def eventually(condition: Callable[[], T | Awaitable[T]], timeout_s: float = 10.0, every_s: float = 0.02) -> T:
    """Return the first truthy value of `condition`; an exception in it counts as not yet."""
    last: object = None
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    value = condition()
                    last = await value if isawaitable(value) else value
                except (OSError, LookupError, AssertionError) as error:
                    last = error
                else:
                    if last:
                        return last  # type: ignore[return-value]
                await asyncio.sleep(every_s)
    except TimeoutError:
        raise AssertionError(f"not so within {timeout_s} s; the last answer was {last!r}") from None
