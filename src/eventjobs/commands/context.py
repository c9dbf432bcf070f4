"""What a decision may know besides the command and the states: the instant, the actor, and the ports of chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from eventjobs.domain.access import Grant
from eventjobs.errors import FieldError
from eventjobs.events.recorded import Provenance
from eventjobs.ids import Ids, Random
from eventjobs.outbound.addresses import OutboundRules


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerFacts:
    """What a decision needs to know of a handler: its default delivery, and whether interruptions count."""

    delivery: str
    interruption_counts: bool


class HandlerCatalog(Protocol):
    """The handlers that this installation has."""

    def find(self, name: str) -> HandlerFacts | None:
        """Return the facts of the handler `name`, or `None`."""
        ...

    def names(self) -> Sequence[str]:
        """Return the names of all handlers, sorted."""
        ...

    def schema(self, name: str) -> Mapping[str, Any]:
        """Return the JSON schema of an installed handler's configuration."""
        ...

    def problems(self, name: str, config: Mapping[str, Any]) -> Sequence[FieldError]:
        """Return what is wrong with a configuration, with paths under `config`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The deployment's limits (SPEC decision 13); periods in seconds, `None`: none."""

    min_period_s: int = 900
    jobs_per_schedule: int = 50
    schedules_per_workspace: int = 100_000
    runs_per_owner: int | None = None
    runs_per_workspace: int | None = None
    recipients: int = 20
    groups_per_workspace: int = 5_000
    connect_jobs_per_workspace: int = 20_000
    jobs_per_group: int = 50
    group_kinds: tuple[str, ...] = ("import",)
    expiry_days: int | None = None
    alert_mails_per_hour: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom this installation can tell: whether it can send mail, and what its calls may reach."""

    mail: bool = True
    rules: OutboundRules = OutboundRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """
    One command's surroundings.

    `grant` is `None` for what the service does by itself (`actor` is then `instance:<id>` or `system`). `instance` runs
    what is opened here.
    """

    workspace: str
    now: datetime
    actor: str
    command_id: str
    ids: Ids
    random: Random
    instance: str
    catalog: HandlerCatalog
    limits: Limits
    reach: Reach = Reach()
    grant: Grant | None = None
    causation: str | None = None
    correlation: str | None = None

    @property
    def provenance(self) -> Provenance:
        """What the log keeps of it."""
        return Provenance(
            actor=self.actor,
            command_id=self.command_id,
            causation=self.causation,
            correlation=self.correlation or self.command_id,
        )
