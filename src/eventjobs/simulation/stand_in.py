"""
What takes the place of the handlers: it takes a given time and ends in a given way.

Services are checked against the handlers that are installed, as ever; only their work is not done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext, Result
from eventjobs.handlers.registry import Handler, Registry
from eventjobs.outbound.secrets import SecretStore

SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"


class _Unread(BaseModel):
    """A configuration that nobody reads: it was checked when the service was defined."""

    model_config = ConfigDict(extra="allow")


@dataclass(slots=True)
class Script:
    """
    How long job runs take and how they end, in turn by the order in which they start.

    A later attempt of a job run takes as long and ends as its first. An outcome is `succeeded`, `failed`, or
    `failed:<reason>`.
    """

    run_seconds: Sequence[float]
    outcomes: Sequence[str]
    _turns: dict[tuple[str, str, int], int] = field(default_factory=dict)

    async def perform(self, context: HandlerContext, _config: _Unread) -> Result:
        """Take the time, and end."""
        job_run = (context.workspace, context.run, context.row)
        turn = self._turns.setdefault(job_run, len(self._turns))
        await context.clock.sleep(self.run_seconds[turn % len(self.run_seconds)])
        state, _, reason = self.outcomes[turn % len(self.outcomes)].partition(":")
        if state == FAILED:
            raise JobFailed("as the simulation says", reason=reason or "error")
        return Result()


class StandIns(Registry):
    """The installed handlers with their names, defaults and configurations, and the script in place of their work."""

    def __init__(self, installed: Registry, script: Script) -> None:
        super().__init__(installed.handlers, installed.rules)
        self._script = script

    def get(self, name: str) -> Handler[Any]:
        """Return the stand-in for a handler; raises `Invalid` (`unknown_handler`) if there is none of that name."""
        real = super().get(name)
        return Handler(
            name=real.name,
            summary=real.summary,
            config=_Unread,
            run=self._script.perform,
            delivery=real.delivery,
            interruption_counts=real.interruption_counts,
        )


class NoSecrets(SecretStore):
    """No secret is read: nobody would use it."""

    def resolve(self, _workspace: str, config: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
        """Return the configuration as it is stored."""
        return dict(config), frozenset()
