"""
What this service is to the provider: one of its clients.

`begin` says where to send the browser, `finish` who came back: the code is changed for an ID token by this service
itself, and that is all that is asked of the provider. Nothing else that it gives is looked at or kept.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from eventjobs.auth.oidc.attempt import Attempt
from eventjobs.auth.oidc.calls import OK, post_form
from eventjobs.auth.oidc.faults import SignInRefused
from eventjobs.auth.oidc.id_token import Expected, identity_of
from eventjobs.auth.oidc.metadata import Metadata, Provider
from eventjobs.auth.people import Identity

CALLBACK: Final = "/signed-in"
"""The page to which the provider sends the browser back."""
HINT_CHARS_MAX: Final = 4_000
"""How long an ID token may be to be shown again in an address."""

_ERROR: Final = re.compile(r"[a-z0-9_]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """Who we are to the provider; `public_url` is where browsers reach us, `name` how people call the provider."""

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    scopes: Sequence[str]
    name: str
    public_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAnswer:
    """What the provider sent the browser back with: a code or an error, and whose answer it says it is."""

    state: str
    code: str | None = field(default=None, repr=False)
    error: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, and the ID token that says so, if it is short enough to be shown again."""

    identity: Identity
    id_token: str | None = field(repr=False)


class OidcClient:
    """Signs people in by one provider."""

    def __init__(self, settings: OidcSettings, provider: Provider) -> None:
        self._settings = settings
        self._provider = provider

    @property
    def name(self) -> str:
        """How people call the provider."""
        return self._settings.name

    @property
    def issuer(self) -> str:
        """Whose word counts."""
        return self._settings.issuer

    async def begin(self, attempt: Attempt) -> str:
        """Return the address at which the provider asks who it is; raises `ProviderAway`."""
        metadata, settings = await self._provider.metadata(), self._settings
        return _with(
            metadata.authorization_endpoint,
            response_type="code",
            client_id=settings.client_id,
            redirect_uri=self._callback,
            scope=" ".join(settings.scopes),
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=attempt.challenge,
            code_challenge_method="S256",
        )

    async def finish(self, attempt: Attempt, answer: ProviderAnswer, now: datetime) -> SignedIn:
        """Return who signed in; raises `SignInRefused` and `ProviderAway`."""
        if now >= attempt.over_at or not hmac.compare_digest(answer.state.encode(), attempt.state.encode()):
            raise SignInRefused("this sign-in was not begun here, or is over")
        metadata = await self._provider.metadata()
        if answer.issuer != self.issuer and (answer.issuer is not None or metadata.answers_with_issuer):
            raise SignInRefused("the answer is not this provider's")
        if answer.error is not None or answer.code is None:
            raise SignInRefused(f"it answered {_shown(answer.error)}")
        token = await self._token(metadata, attempt, answer.code)
        expected = Expected(
            issuer=self.issuer, client_id=self._settings.client_id, nonce=attempt.nonce, now_s=now.timestamp()
        )
        identity = await identity_of(token, self._provider, expected)
        return SignedIn(identity, token if len(token) <= HINT_CHARS_MAX else None)

    async def sign_out_url(self, id_token: str | None) -> str | None:
        """Return where the provider ends its own session, `None` where it offers nothing; raises `ProviderAway`."""
        end = (await self._provider.metadata()).end_session_endpoint
        if end is None:
            return None
        hint = {} if id_token is None else {"id_token_hint": id_token}
        back = f"{self._settings.public_url}/"
        return _with(end, client_id=self._settings.client_id, post_logout_redirect_uri=back, **hint)

    @property
    def _callback(self) -> str:
        return f"{self._settings.public_url}{CALLBACK}"

    async def _token(self, metadata: Metadata, attempt: Attempt, code: str) -> str:
        """Change the code for the ID token."""
        settings = self._settings
        secret, login = settings.client_secret, None
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "code_verifier": attempt.verifier,
        }
        if secret is not None and not metadata.posts_secret:
            login = (settings.client_id, secret)
        else:
            form |= {"client_id": settings.client_id, **({} if secret is None else {"client_secret": secret})}
        status, document = await post_form(metadata.token_endpoint, form, login=login)
        token = document.get("id_token")
        if status != OK:
            raise SignInRefused(f"it takes no code: {_shown(document.get('error'))}")
        if not isinstance(token, str):
            raise SignInRefused("it gave no ID token")
        return token


def _with(url: str, **more: str) -> str:
    parts = urlsplit(url)
    query: Mapping[str, str] = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **more}
    return urlunsplit(parts._replace(query=urlencode(query), fragment=""))


def _shown(error: object) -> str:
    """Return the provider's code for what went wrong; any other text of it is not repeated."""
    return error if isinstance(error, str) and _ERROR.fullmatch(error) else "an error of its own"
