"""
What an ID token proves: that this provider says who somebody is, to us, for this try, and now.

The checks are those of OpenID Connect Core, section 3.1.3.7.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from eventjobs.auth.oidc.attempt import LASTS
from eventjobs.auth.oidc.faults import SignInRefused
from eventjobs.auth.oidc.metadata import Provider
from eventjobs.auth.people import Identity

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures with a public key; never `none`, and nothing with a secret that others have as well."""
LEEWAY_S: Final = 60
"""How much the provider's clock may differ from ours."""
SUBJECT_CHARS_MAX: Final = 255
HEADER_BYTES_MAX: Final = 16 * 1024


class _Headers(JWSRegistry):
    """What a token's header may hold: also what nobody here knows (RFC 7515, section 4), and certificates."""

    max_header_length = HEADER_BYTES_MAX


_HEADERS: Final = _Headers(algorithms=ALGORITHMS, strict_check_header=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token must say: whose it is, for whom, for which try, and when that is."""

    issuer: str
    client_id: str
    nonce: str
    now_s: float


async def identity_of(token: str, provider: Provider, expected: Expected) -> Identity:
    """Return whom a token proves; raises `SignInRefused`, and `ProviderAway` where its keys cannot be had."""
    try:
        claims = _claims(token, await provider.keys())
    except (InvalidKeyIdError, BadSignatureError):  # keys without an id are rotated, too
        claims = _read(token, await provider.newer_keys())
    except JoseError as error:
        raise _unproven(error) from error
    _check(claims, expected)
    return Identity(expected.issuer, claims["sub"])


def _read(token: str, keys: KeySet) -> Mapping[str, Any]:
    try:
        return _claims(token, keys)
    except JoseError as error:
        raise _unproven(error) from error


def _claims(token: str, keys: KeySet) -> Mapping[str, Any]:
    try:
        return jwt.decode(token, keys, registry=_HEADERS).claims
    except (ValueError, TypeError, KeyError) as error:
        raise SignInRefused("its ID token cannot be read") from error


def _unproven(error: JoseError) -> SignInRefused:
    return SignInRefused(f"its ID token is not proven ({error.error})")


def _check(claims: Mapping[str, Any], expected: Expected) -> None:
    """Raise `SignInRefused` for the first thing that is not as it must be."""
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if claims.get("iss") != expected.issuer:
        raise SignInRefused("its ID token is another issuer's")
    if not isinstance(audiences, list) or expected.client_id not in audiences:
        raise SignInRefused("its ID token is for somebody else")
    if claims.get("azp", expected.client_id if len(audiences) == 1 else None) != expected.client_id:
        raise SignInRefused("its ID token was given to somebody else")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise SignInRefused("its ID token is for another sign-in")
    _check_times(claims, expected.now_s)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= SUBJECT_CHARS_MAX or not subject.isprintable():
        raise SignInRefused("its ID token names nobody")


def _check_times(claims: Mapping[str, Any], now_s: float) -> None:
    issued, expires, begins = (_seconds(claims, name) for name in ("iat", "exp", "nbf"))
    if expires is None or expires <= now_s - LEEWAY_S:
        raise SignInRefused("its ID token is over")
    if issued is None or not now_s - LASTS.total_seconds() - LEEWAY_S <= issued <= now_s + LEEWAY_S:
        raise SignInRefused("its ID token was not issued just now")
    if "nbf" in claims and (begins is None or begins > now_s + LEEWAY_S):
        raise SignInRefused("its ID token does not hold yet")


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
