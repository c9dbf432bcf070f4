"""
The attempts of one stage, side by side.

`asyncio.gather` runs over wrappers that return values, so one job's failure never ends another. That a stage is over is
read from the run's recorded state, not from this gather.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from eventjobs.commands.ending import AttemptResult
from eventjobs.runner.attempt import Attempt
from eventjobs.telemetry.tasks import Tasks


async def run_together(
    attempts: Sequence[Attempt], tasks: Tasks, landed: Callable[[Attempt, AttemptResult], None]
) -> None:
    """Run attempts in parallel; `landed` gets each one's value as soon as it is there."""
    for attempt in attempts:
        attempt.task = tasks.start(attempt.run(), name=f"attempt {attempt.row}.{attempt.number}", joined=True)
        attempt.task.add_done_callback(partial(_land, attempt, landed))
    await asyncio.gather(*(attempt.task for attempt in attempts if attempt.task), return_exceptions=True)


def _land(
    attempt: Attempt, landed: Callable[[Attempt, AttemptResult], None], task: asyncio.Task[AttemptResult]
) -> None:
    # Cancelled before its first step, the wrapper had no chance to say so.
    landed(attempt, attempt.cancelled() if task.cancelled() else task.result())
