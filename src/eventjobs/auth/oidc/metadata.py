"""What the provider says of itself: where to go, what it supports, and the keys with which it signs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from eventjobs.auth.oidc.calls import fetch
from eventjobs.auth.oidc.faults import ProviderAway

WELL_KNOWN: Final = "/.well-known/openid-configuration"
FRESH_S: Final = 3_600.0
STALE_S: Final = 86_400.0
"""How long an answer does where no newer one is to be had."""
AGAIN_S: Final = 5.0
"""How soon a provider that was away is asked again."""
NEW_KEYS_S: Final = 30.0
"""How soon the keys are asked for again when a token names an unknown one."""

T = TypeVar("T")

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_KINDS: Final = ("RSA", "EC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """A provider's discovery document, as far as it is needed."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    posts_secret: bool
    """Whether it wants a client's secret in the form, not in a header."""
    answers_with_issuer: bool
    """Whether each of its answers says whose it is (RFC 9207)."""


class Provider:
    """Asks an issuer for its metadata and keys, and remembers them."""

    def __init__(self, issuer: str, monotonic: Callable[[], float]) -> None:
        self._issuer = issuer
        self._metadata = _Kept(self._fetch_metadata, monotonic)
        self._keys = _Kept(self._fetch_keys, monotonic)

    async def metadata(self) -> Metadata:
        """Return what the provider says of itself; raises `ProviderAway`."""
        return await self._metadata.get(FRESH_S)

    async def keys(self) -> KeySet:
        """Return the keys with which it signs; raises `ProviderAway`."""
        return await self._keys.get(FRESH_S)

    async def newer_keys(self) -> KeySet:
        """Return keys that were asked for just now, at most so often; raises `ProviderAway`."""
        return await self._keys.get(NEW_KEYS_S)

    async def _fetch_metadata(self) -> Metadata:
        document = await fetch(self._issuer.rstrip("/") + WELL_KNOWN)
        if document.get("issuer") != self._issuer:
            raise ProviderAway("its metadata is another issuer's")
        methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return Metadata(
            authorization_endpoint=_url(document, "authorization_endpoint"),
            token_endpoint=_url(document, "token_endpoint"),
            jwks_uri=_url(document, "jwks_uri"),
            end_session_endpoint=_url(document, "end_session_endpoint") if "end_session_endpoint" in document else None,
            posts_secret="client_secret_basic" not in methods and "client_secret_post" in methods,
            answers_with_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        )

    async def _fetch_keys(self) -> KeySet:
        found = (await fetch((await self.metadata()).jwks_uri)).get("keys")
        keys = [key for one in (found if isinstance(found, list) else []) if (key := _key(one)) is not None]
        if not keys:
            raise ProviderAway("it shows no key that signs")
        return KeySet(keys)


class _Kept(Generic[T]):
    """An answer that is asked for again when it is no longer fresh, by one at a time."""

    def __init__(self, ask: Callable[[], Awaitable[T]], monotonic: Callable[[], float]) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._kept: T | None = None
        self._asked_at = float("-inf")
        self._failed: tuple[float, str] = (float("-inf"), "")

    async def get(self, fresh_s: float) -> T:
        async with self._lock:
            if self._kept is not None and self._age() < fresh_s:
                return self._kept
            failed_at, why = self._failed
            if self._monotonic() - failed_at < AGAIN_S:
                return self._old(why)
            try:
                self._kept = await self._ask()
            except ProviderAway as away:
                self._failed = (self._monotonic(), str(away))
                return self._old(str(away))
            self._asked_at = self._monotonic()
            return self._kept

    def _old(self, why: str) -> T:
        if self._kept is None or self._age() >= STALE_S:
            raise ProviderAway(why)
        return self._kept

    def _age(self) -> float:
        return self._monotonic() - self._asked_at


def _url(document: Mapping[str, Any], name: str) -> str:
    url = document.get(name)
    if not isinstance(url, str) or not is_safe(url):
        raise ProviderAway(f"its {name} is no https URL")
    return url


def is_safe(url: str) -> bool:
    """Tell whether nobody on the way reads or changes what is sent to a URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def _key(document: Any) -> Key | None:
    """Return a public key that signs, `None` for one of another kind or use, or that is none."""
    if not isinstance(document, dict) or document.get("kty") not in _KINDS or document.get("use", "sig") != "sig":
        return None
    try:
        return JWKRegistry.import_key(document)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
