"""
Messages by HTTP, signed as Standard Webhooks has it; and the call that tells an outside monitor of a success.

The body says what happened, as JSON: `{type, timestamp, data}`. Its `webhook-id` is the message's and the same for
every try, so a receiver can drop a second copy. 2xx is a success; a redirect is not followed; 410 says that nobody is
there any more. A try that may have arrived and was not answered is ambiguous.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import aiohttp
import orjson

from eventjobs.channels.message import Delivery, Message
from eventjobs.clock import Clock
from eventjobs.domain.notification import ASKED_S_MAX
from eventjobs.errors import JobFailed
from eventjobs.outbound.guarded import GuardedOutbound, refusal
from eventjobs.outbound.secrets import SCHEME, SecretStore, is_reference
from eventjobs.outbound.signature import signature_headers

TOTAL_S: Final = 10.0
BODY_BYTES_MAX: Final = 20_000
AGENT: Final = "eventjobs"

_GONE: Final = 410
_TELLS_WHERE: Final = frozenset({"url_refused", "address_refused"})
_PUSHED_BACK: Final = frozenset({429, 503})


class WebhookChannel:
    """Posts a signed message."""

    def __init__(
        self, outbound: GuardedOutbound, secrets: SecretStore, clock: Clock, *, total_s: float = TOTAL_S
    ) -> None:
        self._total_s = total_s
        self._outbound = outbound
        self._secrets = secrets
        self._clock = clock

    async def send(self, message: Message) -> Delivery:
        """Try once."""
        body = body_of(message)
        try:
            url = _revealed(self._secrets, message.workspace, message.recipient)
            key = _revealed(self._secrets, message.workspace, message.signed_with or "")
        except JobFailed as fault:
            return Delivery(ending="failed", reason="secret_missing", detail=str(fault))
        headers = signature_headers(f"msg_{message.id}", self._clock.now(), body, key, self._key_before(message))
        headers = {**headers, "Content-Type": "application/json"}
        return _discreet(message, await call(self._outbound, "POST", url, headers, body, total_s=self._total_s))

    def _key_before(self, message: Message) -> str | None:
        """Return the key that is on its way out; one that is gone already keeps no message back."""
        if message.also_signed_with is None:
            return None
        try:
            return _revealed(self._secrets, message.workspace, message.also_signed_with)
        except JobFailed:
            return None


class HeartbeatChannel:
    """Calls a URL, and nothing more."""

    def __init__(self, outbound: GuardedOutbound, secrets: SecretStore) -> None:
        self._outbound = outbound
        self._secrets = secrets

    async def send(self, message: Message) -> Delivery:
        """Try once."""
        try:
            url = _revealed(self._secrets, message.workspace, message.recipient)
        except JobFailed as fault:
            return Delivery(ending="failed", reason="secret_missing", detail=str(fault))
        delivery = await call(self._outbound, "GET", url, {"webhook-id": f"msg_{message.id}"}, None)
        return _discreet(message, delivery)


def body_of(message: Message) -> bytes:
    """Return what is posted; what makes it too large is left out."""
    data = {
        "workspace": message.workspace,
        message.subject_kind: message.subject,
        "run": message.run,
        "link": message.link,
        **message.about,
    }
    body = _body(message, data)
    if len(body) <= BODY_BYTES_MAX:
        return body
    short = {name: value for name, value in data.items() if name not in ("failed_jobs", "jobs", "description")}
    return _body(message, {**short, "shortened": True})


def _body(message: Message, data: Mapping[str, Any]) -> bytes:
    return orjson.dumps({"type": message.kind, "timestamp": message.about.get("at"), "data": data})


def _revealed(secrets: SecretStore, workspace: str, text: str) -> str:
    return secrets.read(workspace, text.removeprefix(SCHEME)) if is_reference(text) else text


def _discreet(message: Message, delivery: Delivery) -> Delivery:
    """Leave out where a URL leads that is itself a secret."""
    if is_reference(message.recipient) and delivery.reason in _TELLS_WHERE:
        return replace(delivery, detail="the secret URL leads where no calls are allowed")
    return delivery


async def call(
    outbound: GuardedOutbound,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    total_s: float = TOTAL_S,
) -> Delivery:
    """Make one call under the rules for calls to others, and say how it ended; the answer's body is not read."""
    try:
        outbound.check(url)
        async with (
            outbound.session(total_s=total_s) as session,
            session.request(
                method, url, headers={**headers, "User-Agent": AGENT}, data=body, allow_redirects=False
            ) as answer,
        ):
            return _ending(answer)
    except JobFailed as refused:
        return Delivery(ending="failed", reason="url_refused", detail=str(refused), retryable=False)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as fault:
        refused_address = refusal(fault)
        if refused_address is not None:
            return Delivery(ending="failed", reason="address_refused", detail=str(refused_address), retryable=False)
        return Delivery(ending="failed", reason="no_connection", detail=f"no connection: {type(fault).__name__}")
    except (aiohttp.ClientError, OSError, TimeoutError) as fault:
        doubt = f"the request went out and was not answered: {type(fault).__name__}"
        return Delivery(ending="ambiguous", reason="no_answer", detail=doubt)


def _ending(answer: aiohttp.ClientResponse) -> Delivery:
    status = answer.status
    detail = f"status {status}"
    if status // 100 == 2:  # noqa: PLR2004 success
        return Delivery(ending="sent", detail=detail)
    if status == _GONE:
        return Delivery(ending="failed", reason="gone", detail=detail, retryable=False)
    asked = _asked_s(answer) if status in _PUSHED_BACK else None
    return Delivery(ending="failed", reason="refused", detail=detail, asked_s=asked)


def _asked_s(answer: aiohttp.ClientResponse) -> float | None:
    """Return the seconds of `Retry-After`, a day at most; a date there is not understood."""
    text = answer.headers.get("Retry-After", "").strip()
    return min(float(text), ASKED_S_MAX) if text.isascii() and text.isdigit() else None
