"""Signed webhooks and heartbeats against a real HTTP server (REL76 to REL83)."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from eventjobs.channels.message import Message
from eventjobs.channels.webhook import BODY_BYTES_MAX, HeartbeatChannel, WebhookChannel, body_of
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.outbound.secrets import SecretStore
from tests.channels.sinks import Call, HttpSink
from tests.support.time import FrozenClock

KEY = base64.b64encode(b"a key of thirty-two bytes, or so").decode()
LOCAL = GuardedOutbound(OutboundRules.parse(["127.0.0.1"]))


@pytest.fixture
async def sink() -> AsyncIterator[HttpSink]:
    sink = await HttpSink().open()
    yield sink
    await sink.close()


@pytest.fixture
def secrets(tmp_path: Path, sink: HttpSink) -> SecretStore:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "hook").write_text(f"whsec_{KEY}\n")
    (tmp_path / "acme" / "where").write_text(f"{sink.url}/secret-path")
    return SecretStore([tmp_path])


def channel(secrets: SecretStore, outbound: GuardedOutbound = LOCAL) -> WebhookChannel:
    return WebhookChannel(outbound, secrets, FrozenClock(), total_s=0.5)


def message(recipient: str, **fields: Any) -> Message:
    known = {
        "id": "0123456789abcdef",
        "workspace": "acme",
        "kind": "alert.raised",
        "subject_kind": "schedule",
        "subject": "nightly",
        "signed_with": "secret://hook",
        "about": {"alert": "late", "at": "2026-12-01T20:10:00Z", "due": "2026-12-01T20:00:00Z"},
    }
    return Message(**{**known, "recipient": recipient, **fields})


def signature(call: Call, key: bytes) -> str:
    signed = f"{call.id}.{call.headers['webhook-timestamp']}.".encode() + call.body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


async def test_REL81_while_keys_are_exchanged_a_receiver_may_know_either(
    sink: HttpSink, secrets: SecretStore, tmp_path: Path
) -> None:
    (tmp_path / "acme" / "new").write_text("another key")
    rotated = message(f"{sink.url}/hook", signed_with="secret://new", also_signed_with="secret://hook")
    assert (await channel(secrets).send(rotated)).ending == "sent"

    (call,) = sink.taken
    both = [signature(call, b"another key"), signature(call, base64.b64decode(KEY))]
    assert call.headers["webhook-signature"].split() == both


async def test_REL81_an_old_key_that_is_gone_keeps_no_message_back(
    sink: HttpSink, secrets: SecretStore, tmp_path: Path
) -> None:
    (tmp_path / "acme" / "new").write_text("another key")
    rotated = message(f"{sink.url}/hook", signed_with="secret://new", also_signed_with="secret://gone")
    assert (await channel(secrets).send(rotated)).ending == "sent"

    (call,) = sink.taken
    assert call.headers["webhook-signature"] == signature(call, b"another key")


async def test_REL81_a_receiver_can_check_who_sent_it_and_drop_a_second_copy(
    sink: HttpSink, secrets: SecretStore
) -> None:
    for _ in range(2):
        delivery = await channel(secrets).send(message(f"{sink.url}/hook"))
        assert (delivery.ending, delivery.detail) == ("sent", "status 200")

    first, second = sink.taken
    assert first.id == second.id == "msg_0123456789abcdef"
    assert first.headers["webhook-signature"] == signature(first, base64.b64decode(KEY))
    assert orjson.loads(first.body) == {
        "type": "alert.raised",
        "timestamp": "2026-12-01T20:10:00Z",
        "data": {
            "workspace": "acme",
            "schedule": "nightly",
            "run": None,
            "link": None,
            "alert": "late",
            "at": "2026-12-01T20:10:00Z",
            "due": "2026-12-01T20:00:00Z",
        },
    }


@pytest.mark.parametrize(
    ("fault", "ending", "reason", "retryable"),
    [
        (204, "sent", "", True),
        (302, "failed", "refused", True),
        (400, "failed", "refused", True),
        (410, "failed", "gone", False),
        (500, "failed", "refused", True),
        ("lie", "ambiguous", "no_answer", True),
        ("lose", "ambiguous", "no_answer", True),
        ("hang", "ambiguous", "no_answer", True),
    ],
)
async def test_a_try_ends_as_far_as_anybody_can_know(
    sink: HttpSink, secrets: SecretStore, fault: Any, ending: str, reason: str, retryable: bool
) -> None:
    sink.plans["/hook"] = [fault]

    delivery = await channel(secrets).send(message(f"{sink.url}/hook"))

    assert (delivery.ending, delivery.reason, delivery.retryable) == (ending, reason, retryable)
    assert len(sink.calls) == 1, "a redirect is not followed"


async def test_a_receiver_that_is_busy_says_for_how_long(sink: HttpSink, secrets: SecretStore) -> None:
    sink.plans["/hook"] = [429]

    assert (await channel(secrets).send(message(f"{sink.url}/hook"))).asked_s == 60


async def test_a_receiver_may_ask_for_a_day_and_not_for_ever(sink: HttpSink, secrets: SecretStore) -> None:
    sink.plans["/hook"], sink.asked_s = [429], "9" * 400

    assert (await channel(secrets).send(message(f"{sink.url}/hook"))).asked_s == 86_400


async def test_where_nobody_listens_nothing_was_sent(secrets: SecretStore) -> None:
    delivery = await channel(secrets).send(message("http://127.0.0.1:9/"))

    assert (delivery.ending, delivery.reason) == ("failed", "no_connection")


async def test_REL76_an_address_that_is_not_allowed_is_not_called(sink: HttpSink, secrets: SecretStore) -> None:
    delivery = await channel(secrets, GuardedOutbound()).send(message(f"{sink.url}/hook"))

    assert (delivery.ending, delivery.reason, delivery.retryable) == ("failed", "url_refused", False)
    assert sink.calls == []


async def test_a_url_may_be_a_secret_and_is_told_to_nobody(sink: HttpSink, secrets: SecretStore) -> None:
    sink.plans["/secret-path"] = [500]

    refused = await channel(secrets).send(message("secret://where"))
    assert (refused.ending, refused.detail) == ("failed", "status 500")
    assert (await channel(secrets).send(message("secret://where"))).ending == "sent"


@pytest.mark.parametrize("url", ["http://10.66.77.88/x", "http://user:word@x.test/", "http://hidden.localhost/x"])
async def test_REL90_where_a_secret_url_leads_is_told_to_nobody(tmp_path: Path, secrets: SecretStore, url: str) -> None:
    (tmp_path / "acme" / "where").write_text(url)

    for one in (channel(secrets, GuardedOutbound()), HeartbeatChannel(GuardedOutbound(), secrets)):
        delivery = await one.send(message("secret://where"))
        assert (delivery.ending, delivery.retryable) == ("failed", False)
        assert delivery.detail == "the secret URL leads where no calls are allowed"


async def test_a_secret_that_is_not_there_may_still_come(secrets: SecretStore, sink: HttpSink) -> None:
    delivery = await channel(secrets).send(message(f"{sink.url}/hook", signed_with="secret://other"))

    assert (delivery.ending, delivery.reason, delivery.retryable) == ("failed", "secret_missing", True)
    assert sink.calls == []


async def test_a_heartbeat_is_a_bare_call(sink: HttpSink, secrets: SecretStore) -> None:
    delivery = await HeartbeatChannel(LOCAL, secrets).send(message(f"{sink.url}/beat", kind="heartbeat", about={}))

    assert delivery.ending == "sent"
    assert [(call.method, call.path, call.body) for call in sink.taken] == [("GET", "/beat", b"")]


def test_what_is_posted_stays_small() -> None:
    about = {"alert": "failures", "failed_jobs": [{"job": "x", "detail": "y" * 3_000}] * 10}
    body = body_of(message("http://x.test/", about=about))

    assert len(body) < BODY_BYTES_MAX
    assert orjson.loads(body)["data"]["shortened"] is True
