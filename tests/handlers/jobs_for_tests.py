"""Functions as an installed package would offer them."""

import threading
import time
from typing import Any

from pydantic import BaseModel

from eventjobs.handlers.context import HandlerContext, Result, Suspended
from eventjobs.handlers.python import ThreadContext

stopped = threading.Event()


class Params(BaseModel):
    times: int


async def in_the_loop(context: HandlerContext, params: dict[str, Any]) -> dict[str, Any]:
    await context.progress(0.5, "half", processed=1)
    return {"params": params, "run": context.run, "thread": threading.current_thread() is threading.main_thread()}


def in_a_thread(context: ThreadContext, _: dict[str, Any]) -> Result:
    context.progress(0.25, "quarter")
    context.log("info", "from a thread", n=1)
    return Result(counts={"processed": 2}, output=threading.current_thread() is threading.main_thread())


def checked(_: ThreadContext, params: Params) -> int:
    return params.times * 2


def until_stopped(context: ThreadContext, _: dict[str, Any]) -> None:
    context.progress(None, "waiting")
    while not context.stop.is_set():
        time.sleep(0.005)
    stopped.set()


async def suspends(context: HandlerContext, _: dict[str, Any]) -> Suspended:
    context.log("info", f"asked at {context.callback_url}")
    return Suspended(waits_for="the buyer", counts={"asked": 1})


def breaks(*_: object) -> None:
    raise ZeroDivisionError("of course")


NOT_CALLABLE = 1
