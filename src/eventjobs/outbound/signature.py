"""Signing as in Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, base64, one signature a secret."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final

_PREFIX: Final = "whsec_"


def signature_headers(
    message_id: str, at: datetime, body: bytes, secret: str, previous_secret: str | None = None
) -> Mapping[str, str]:
    """Return the three headers; during a rotation both secrets sign, so that a receiver may know either."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    keys = [_key(text) for text in (secret, previous_secret) if text]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(key, signed)}" for key in keys),
    }


def _signature(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    """`whsec_` marks base64; other texts are keys as they are."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return secret.encode()
