"""
Messages that are wanted, sent: each is tried until the other side took it, or given up after a day.

A try begins with a fact and ends with one. Of several instances whichever begins a try sends; the others find it begun.
What this one says of a try is recorded as long as the log can be written; where it cannot, or where the process dies,
the try is over by itself after a minute, ambiguously, and the next one sends the same message under the same id.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

import structlog

from eventjobs.channels.message import Channel, Delivery, Message
from eventjobs.clock import Clock
from eventjobs.commands import begin_delivery, end_delivery
from eventjobs.commands.begin_delivery import BeginDelivery
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.end_delivery import EndDelivery
from eventjobs.commands.sparing import DIGEST
from eventjobs.domain.notification import TRY_S
from eventjobs.errors import LogFault
from eventjobs.events.notification import NotificationRequested
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.projections.outbox import DueNotification
from eventjobs.runner.heirs import Alone
from eventjobs.runner.ports import Lease, Peers, Surroundings
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.redaction import KnownSecrets
from eventjobs.telemetry.tasks import Tasks

POLL_S: Final = 1.0
OTHERS_S: Final = 5.0
"""How much later than the one before it an instance tries."""
EACH: Final = 2
"""How many messages to one recipient are on their way at the same time."""
OF_WORKSPACE: Final = 10
"""How many messages of one workspace are on their way at the same time, so that others have places too."""
AT_ONCE: Final = 100
LIMIT: Final = 500
SEND_S: Final = 45.0
"""After which a channel is not waited for any more: less than a try may take."""
SAY_S: Final = 1.0
OWN_PAGES: Final = frozenset({"schedule", "group", "service", "flow"})
"""The kinds of things with a page of their own; every other one is a job of some kind."""
LAST_WORDS_S: Final = 2.0
"""How long a stop waits for tries that are under way."""

_log: Final = structlog.get_logger("eventjobs.notifier")


class DueMessages(Protocol):
    """The messages whose time has come, from the view."""

    async def due(self, until: datetime, each: int, limit: int) -> Sequence[DueNotification]:
        """Return at most `each` of a recipient and `limit` in all, by turns of each workspace."""
        ...


class Notifier:
    """Sends what is wanted, through the channels that there are."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        surroundings: Surroundings,
        clock: Clock,
        lease: Lease,
        tasks: Tasks,
        *,
        metrics: Metrics,
        outbox: DueMessages,
        channels: Mapping[str, Channel],
        peers: Peers | None = None,
        secrets: KnownSecrets | None = None,
        public_url: str | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._surroundings = surroundings
        self._clock = clock
        self._lease = lease
        self._tasks = tasks
        self._metrics = metrics
        self._outbox = outbox
        self._channels = channels
        self._peers = peers or Alone()
        self._secrets = secrets or KnownSecrets()
        self._public_url = public_url
        self._under_way: set[tuple[str, str]] = set()
        self._of_recipient: Counter[tuple[str, str, str]] = Counter()
        self._of_workspace: Counter[str] = Counter()
        self._draining = False

    async def send_for_ever(self) -> None:
        """Look every second; a fault of log or database costs a look and nothing else."""
        while True:
            try:
                await self.look()
            except (LogFault, *DATABASE_FAULTS) as fault:
                _log.warning("outbox_unreadable", fault=type(fault).__name__)
            await self._clock.sleep(POLL_S)

    async def drain(self) -> None:
        """Begin nothing any more, and give what is under way a moment to end."""
        self._draining = True
        began = self._clock.monotonic()
        while self._under_way and self._clock.monotonic() - began < LAST_WORDS_S:
            await self._clock.sleep(LAST_WORDS_S / 20)

    async def look(self) -> None:
        """Begin to send what is due, as far as it is this one's turn and there is room."""
        if self._draining or not self._lease.trusted():
            return
        now = self._clock.now()
        waiting = await self._outbox.due(now, EACH, LIMIT)
        self._metrics.notifications_due.set(len(waiting))
        for due in waiting:
            if self._has_room(due) and (due.workspace, due.id) not in self._under_way and self._is_ours(due, now):
                self._under_way.add((due.workspace, due.id))
                self._of_recipient[due.receiver] += 1
                self._of_workspace[due.workspace] += 1
                _ = self._tasks.start(self._deliver(due), name=f"message {due.id}")

    def _has_room(self, due: DueNotification) -> bool:
        return (
            len(self._under_way) < AT_ONCE
            and self._of_workspace[due.workspace] < OF_WORKSPACE
            and self._of_recipient[due.receiver] < EACH
        )

    def _is_ours(self, due: DueNotification, now: datetime) -> bool:
        turn = self._peers.turn(due.workspace, due.id)
        return (now - due.next_at).total_seconds() >= turn * OTHERS_S

    async def _deliver(self, due: DueNotification) -> None:
        try:
            await self._try(due)
        except (LogFault, *DATABASE_FAULTS) as fault:
            _log.warning("delivery_unsaid", notification=due.id, fault=type(fault).__name__)
        except Exception:  # noqa: BLE001 one broken message must not keep the others back
            _log.exception("delivery_broke", notification=due.id)
            await self._clock.sleep(TRY_S)
        finally:
            self._under_way.discard((due.workspace, due.id))
            self._of_recipient[due.receiver] -= 1
            self._of_workspace[due.workspace] -= 1

    async def _try(self, due: DueNotification) -> None:
        begin = BeginDelivery(notification=due.id)
        began = self._clock.monotonic()
        context = self._surroundings.context(due.workspace)
        begun = (await self._dispatcher.dispatch(begin_delivery.SPEC, begin, context)).answer
        self._count(due.channel, begun, ending="ambiguous")
        if "attempt" not in begun:
            return
        delivery = await self._send(due, begun["wanted"])
        end = EndDelivery(
            notification=due.id,
            attempt=begun["attempt"],
            outcome=delivery.ending,
            reason=delivery.reason,
            detail=self._secrets.redact(delivery.detail)[:2_000],
            retryable=delivery.retryable,
            asked_s=delivery.asked_s,
        )
        ended = await self._say(due.workspace, end, until_s=began + TRY_S)
        self._count(due.channel, ended, ending=delivery.ending)

    def _count(self, channel: str, answer: Mapping[str, Any], *, ending: str) -> None:
        """Count what was recorded: how a try ended, and that there is no other one."""
        types = {event["type"] for event in answer["events"]}
        if types & {"notification.sent", "notification.failed"}:
            self._metrics.notifications.labels(channel, ending).inc()
        for outcome in ("given_up", "suppressed"):
            if f"notification.{outcome}" in types:
                self._metrics.notifications.labels(channel, outcome).inc()

    async def _send(self, due: DueNotification, wanted: NotificationRequested) -> Delivery:
        channel = self._channels.get(due.channel)
        if channel is None:
            return Delivery(ending="failed", reason="not_configured", detail=f"there is no channel {due.channel}")
        message = self._message(due, wanted)
        try:
            async with asyncio.timeout(SEND_S):
                return await channel.send(message)
        except TimeoutError:
            return Delivery(ending="ambiguous", reason="timeout", detail=f"no end within {SEND_S:g} s")
        except Exception as error:  # noqa: BLE001 whatever it was, nobody knows how far it came
            _log.exception("channel_broke", channel=due.channel)
            return Delivery(ending="ambiguous", reason="broke", detail=type(error).__name__)

    def _message(self, due: DueNotification, wanted: NotificationRequested) -> Message:
        return Message(
            id=due.id,
            workspace=due.workspace,
            kind=wanted.kind,
            subject_kind=wanted.subject.kind,
            subject=wanted.subject.id,
            recipient=wanted.recipient,
            run=wanted.run,
            signed_with=wanted.signed_with,
            also_signed_with=wanted.also_signed_with,
            about=self._secrets.redact_value(wanted.about),
            link=None if self._public_url is None else f"{self._public_url}/v1/{due.workspace}/{_path(wanted)}",
        )

    async def _say(self, workspace: str, end: EndDelivery, *, until_s: float) -> Mapping[str, Any]:
        """Record how a try ended; while the log cannot be written, ask again until the try is over by itself."""
        while True:
            try:
                context = self._surroundings.context(workspace)
                return (await self._dispatcher.dispatch(end_delivery.SPEC, end, context)).answer
            except LogFault:
                if self._clock.monotonic() >= until_s:
                    raise
                await self._clock.sleep(SAY_S)


def _path(wanted: NotificationRequested) -> str:
    """Return where what a message tells of is shown."""
    if wanted.kind == DIGEST:
        return "notifications?state=suppressed"
    if wanted.run is not None:
        return f"runs/{wanted.run}"
    kind = wanted.subject.kind
    return f"{kind if kind in OWN_PAGES else 'job'}s/{wanted.subject.id}"
