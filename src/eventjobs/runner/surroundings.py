"""The contexts of commands that the service gives itself."""

from dataclasses import dataclass

from eventjobs.clock import Clock
from eventjobs.commands.context import Context, HandlerCatalog, Limits
from eventjobs.ids import Ids, Random


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSurroundings:
    """One process: its identity, its clock, its chance, and the deployment's limits."""

    instance: str
    clock: Clock
    ids: Ids
    random: Random
    catalog: HandlerCatalog
    limits: Limits

    def context(self, workspace: str, *, causation: str | None = None, correlation: str | None = None) -> Context:
        """Return a fresh context with this instance as the actor."""
        return Context(
            workspace=workspace,
            now=self.clock.now(),
            actor=f"instance:{self.instance}",
            command_id=self.ids.new(),
            ids=self.ids,
            random=self.random,
            instance=self.instance,
            catalog=self.catalog,
            limits=self.limits,
            causation=causation,
            correlation=correlation,
        )
