"""
`python`: calls a function that an installed package offers in the entry-point group `eventjobs.jobs`.

A configuration names an entry point, by its name or as its `module:function`; nothing else can be imported. The
function takes `(context, params)`: an `async def` runs in the event loop with the handler's context, any other function
in a thread with a `ThreadContext`. If `params` is annotated with a pydantic model, it is validated first.
"""

import asyncio
import inspect
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext, Level, Result, Suspended
from eventjobs.handlers.registry import Handler

GROUP: Final = "eventjobs.jobs"


class PythonConfig(BaseModel):
    """Which function, and what it gets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    function: str = Field(min_length=1, max_length=300, description="an entry point's name, or its module:function")
    params: Mapping[str, JsonValue] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ThreadContext:
    """The context as code in a thread may use it; `stop` is set when the attempt is stopped or cancelled."""

    context: HandlerContext
    loop: asyncio.AbstractEventLoop
    stop: threading.Event = field(default_factory=threading.Event)

    def progress(self, fraction: float | None, text: str, **counts: int) -> None:
        """Say how far the work is; waits until it was said."""
        asyncio.run_coroutine_threadsafe(self.context.progress(fraction, text, **counts), self.loop).result()

    def log(self, level: Level, text: str, **fields: Any) -> None:
        """Write one line into the attempt's log."""
        self.loop.call_soon_threadsafe(lambda: self.context.log(level, text, **fields))


async def run(context: HandlerContext, config: PythonConfig) -> Result | Suspended:
    """Call the function; what it returns is the output, unless it is a `Result`, or `Suspended` of a flow."""
    function = _load(_find(config.function))
    params = _params(function, config.params)
    if inspect.iscoroutinefunction(function):
        returned = await function(context, params)
    else:
        returned = await _in_thread(context, function, params)
    return returned if isinstance(returned, (Result, Suspended)) else Result(output=returned)


async def _in_thread(context: HandlerContext, function: Callable[..., Any], params: Any) -> Any:
    threaded = ThreadContext(context, asyncio.get_running_loop())
    try:
        return await asyncio.to_thread(function, threaded, params)
    finally:
        # A thread cannot be ended from outside; a well-meaning function looks at this.
        threaded.stop.set()


def _find(wanted: str) -> EntryPoint:
    offered = entry_points(group=GROUP)
    for point in offered:
        if wanted in {point.name, point.value}:
            return point
    known = ", ".join(sorted(point.name for point in offered)) or "none"
    raise JobFailed(f"no installed package offers the job {wanted!r} in {GROUP}; there are: {known}", retryable=False)


def _load(point: EntryPoint) -> Callable[..., Any]:
    try:
        function = point.load()
    except Exception as error:  # noqa: BLE001 - importing runs anybody's code
        raise JobFailed(f"{point.value} cannot be imported: {type(error).__name__}: {error}", retryable=False) from None
    if not callable(function):
        raise JobFailed(f"{point.value} is not a function", retryable=False)
    return function  # type: ignore[no-any-return]


def _params(function: Callable[..., Any], params: Mapping[str, JsonValue]) -> Any:
    model = _model(function)
    if model is None:
        return dict(params)
    try:
        return model.model_validate(params)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, found["loc"])) for found in error.errors(include_input=False))
        raise JobFailed(f"the params are not valid: {wrong}", retryable=False) from None


def _model(function: Callable[..., Any]) -> type[BaseModel] | None:
    try:
        names = list(inspect.signature(function).parameters)
        hint = get_type_hints(function).get(names[1])
    except (IndexError, NameError, TypeError, ValueError):
        return None
    return hint if isinstance(hint, type) and issubclass(hint, BaseModel) else None


HANDLER: Final = Handler(
    name="python", summary="Calls a function of an installed package", config=PythonConfig, run=run
)
