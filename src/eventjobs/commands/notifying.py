"""
Messages that are wanted: each is requested by the append that decides what it tells of, once.

Sending is somebody else's work (`runner/notifier.py`), and changes nothing of what was decided.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from eventjobs.commands.context import Context
from eventjobs.commands.world import World
from eventjobs.domain.notification import Channel, Progress, notification_id
from eventjobs.domain.notification_policy import Recipients
from eventjobs.domain.streams import notification_stream
from eventjobs.events.notification import NotificationRequested
from eventjobs.events.run import Ref
from eventjobs.events.schedule import Alerts


def request(world: World, context: Context, messages: Iterable[tuple[Sequence[str], NotificationRequested]]) -> None:
    """Want these messages, each with the key that it is about; one that was wanted before is left alone."""
    named = {
        notification_stream(context.workspace, notification_id(context.workspace, key, one.channel, one.recipient)): one
        for key, one in messages
    }
    world.need(named)
    for stream, message in named.items():
        if world.state(stream).state is Progress.ABSENT:
            world.emit(stream, message)


def message(
    channel: Channel, recipient: str, *, kind: str, subject: Ref, run: str | None, about: Mapping[str, Any]
) -> NotificationRequested:
    """Return a message; what of `about` is not known is left out."""
    known = {name: _plain(value) for name, value in about.items() if value is not None}
    return NotificationRequested(kind=kind, channel=channel, recipient=recipient, subject=subject, run=run, about=known)


def _plain(value: Any) -> Any:
    """Return an instant as the log writes it: free values hold what JSON has, and nothing else."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def to_all(
    told: Alerts | Recipients, disabled: frozenset[tuple[str, str]], **what: Any
) -> Iterator[NotificationRequested]:
    """Yield the same message to everybody who is told, but not to webhooks that are gone."""
    for address in told.email:
        yield message(Channel.EMAIL, address, **what)
    for webhook in told.webhook:
        if (Channel.WEBHOOK, webhook.url) not in disabled:
            post = message(Channel.WEBHOOK, webhook.url, **what)
            yield replace(post, signed_with=webhook.secret, also_signed_with=webhook.previous_secret)
