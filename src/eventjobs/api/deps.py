"""All that the HTTP surface is put together from; `app.py` fills it in."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eventjobs.api.connections import ConnectionLimits
from eventjobs.api.places import Places
from eventjobs.api.ports import Following, LogLines, Page, Readiness, Views
from eventjobs.audit.findings import Found
from eventjobs.audit.verify import Read
from eventjobs.auth.callbacks import CallbackKey
from eventjobs.auth.keyring import Keyring
from eventjobs.auth.oidc.client import OidcClient
from eventjobs.auth.people import People
from eventjobs.auth.sessions import Sessions
from eventjobs.clock import Clock
from eventjobs.commands.context import HandlerCatalog, Limits, Reach
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.ids import EVERYWHERE, Ids, Random
from eventjobs.log.port import EventLog
from eventjobs.outbound.secrets import SecretStore
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.progress import Progress
from eventjobs.telemetry.tasks import Tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDeps:
    """
    The parts.

    `hosts` are names under which clients may call besides loopback. Setting `draining` makes `/readyz` and commands
    answer 503; live streams end when `closing` is set and the application shuts down. A key has
    `requests_per_second`. By `provider` people sign in, where one is configured.

    `ledger` tells how far the audit of occurrences is and how much it found, `found` what it found. `read_stored` reads
    the log as storage holds it, nothing from memory.
    """

    dispatcher: Dispatcher
    log: EventLog
    views: Views
    following: Following
    readiness: Readiness
    log_lines: LogLines
    keyring: Keyring
    people: People
    sessions: Sessions
    clock: Clock
    ids: Ids
    random: Random
    catalog: HandlerCatalog
    callbacks: CallbackKey
    limits: Limits
    instance: str
    metrics: Metrics
    tasks: Tasks
    progress: Progress
    version: str
    secrets: SecretStore = field(default_factory=SecretStore)
    reach: Reach = field(default_factory=Reach)
    hosts: Sequence[str] = ()
    live_streams_per_key: int = 300
    requests_per_second: float = 5_000.0
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    pages: Mapping[str, Page] = field(default_factory=dict)
    body_timeout_s: float = 10.0
    provider: OidcClient | None = None
    ledger: Callable[[], Mapping[str, Any] | None] | None = None
    found: Callable[[], Awaitable[Found | None]] | None = None
    read_stored: Read | None = None
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    batch_places: Places = field(default_factory=lambda: Places(2_000), init=False, repr=False)
    """How many commands of batches are worked on at a time."""
    why_places: Places = field(default_factory=lambda: Places(1), init=False, repr=False)
    """Who asks why looks back through years of an owner: decisions read over the same few connections."""
    plan_places: Places = field(default_factory=lambda: Places(1), init=False, repr=False)
    """A long text takes a thread of its own for seconds."""
    proof_places: Places = field(default_factory=lambda: Places(1), init=False, repr=False)
    """Who verifies the log reads all of it."""
    known_workspaces: set[str] = field(default_factory=lambda: {EVERYWHERE}, init=False, repr=False)
    """Those that were seen to exist; none ever ceases to."""
    _counters: dict[tuple[str, str], Callable[[], None]] = field(default_factory=dict, init=False, repr=False)

    def trusts(self, issuer: str) -> bool:
        """Tell whether people sign in by this issuer, now."""
        return self.provider is not None and self.provider.issuer == issuer

    def count_command(self, command: str, outcome: str) -> None:
        """Count a command by what became of it; to look a labelled counter up costs more than to count."""
        add = self._counters.get((command, outcome))
        if add is None:
            add = self._counters[command, outcome] = self.metrics.commands.labels(command, outcome).inc
        add()
