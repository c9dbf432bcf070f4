"""An identity provider on loopback: it keeps the protocol, signs real tokens, and misbehaves as a test wants it to."""

import asyncio
import hashlib
import hmac
import html
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import orjson
from aiohttp import web
from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, RSAKey

from eventjobs.clock import SystemClock
from eventjobs.ids import SystemRandom

CLIENT, SECRET = "eventjobs", "pass:word/of ours"
PAGE = """<!doctype html><html lang="en"><title>Identity</title><h1>Who are you?</h1>
<form method="post" action="{action}"><label>Name <input name="subject" autofocus></label>
<button>Continue</button></form></html>"""


def coded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def plain(document: Any) -> str:
    return coded(orjson.dumps(document))


class IdentityProvider:
    """
    The provider; what is public may be changed by tests.

    `changed` moves the claims of each token before it is signed, `sign` does the signing.
    """

    def __init__(self) -> None:
        self.keys: list[Key] = [new_key("one")]
        self.secret: str | None = SECRET
        self.metadata: dict[str, Any] = {}
        self.changed: Callable[[dict[str, Any]], None] = lambda _: None
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.alg = "ES256"
        self.delay_s = 0.0
        self.is_down = False
        self.asked: list[str] = []
        self.issuer = ""
        self._codes: dict[str, dict[str, str]] = {}
        self._random = SystemRandom()

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[Self]:
        provider = cls()
        app = web.Application(middlewares=[provider._mood])
        app.add_routes(
            [
                web.get("/.well-known/openid-configuration", provider._discovery),
                web.get("/keys", provider._keys),
                web.get("/authorize", provider._ask),
                web.post("/authorize", provider._answer),
                web.post("/token", provider._token),
                web.get("/end", provider._end),
            ]
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        provider.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield provider
        finally:
            await runner.cleanup()

    def rotate(self, key: Key) -> None:
        """Sign with another key, and show no other."""
        self.keys = [key]

    def signed(self, claims: dict[str, Any]) -> str:
        key = self.keys[0]
        return jwt.encode({"alg": self.alg, "kid": key.kid}, claims, key, algorithms=[self.alg])

    def unsigned(self, claims: dict[str, Any]) -> str:
        return f"{plain({'alg': 'none', 'typ': 'JWT'})}.{plain(claims)}."

    def signed_with_what_is_public(self, claims: dict[str, Any]) -> str:
        """Take the public key for a secret, which a client believes that lets the token say how it is signed."""
        public = self.keys[0].as_pem(private=False)
        said = f"{plain({'alg': 'HS256', 'kid': self.keys[0].kid})}.{plain(claims)}"
        return f"{said}.{coded(hmac.digest(public, said.encode(), 'sha256'))}"

    def tampered(self, claims: dict[str, Any]) -> str:
        head, _, signature = self.signed(claims).split(".")
        _, body, _ = self.signed({**claims, "sub": "somebody else"}).split(".")
        return f"{head}.{body}.{signature}"

    def signed_text(self, _: dict[str, Any]) -> str:
        key = self.keys[0]
        return jws.serialize_compact({"alg": self.alg, "kid": key.kid}, b"no claims", key, algorithms=[self.alg])

    @web.middleware
    async def _mood(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        self.asked.append(request.path)
        await asyncio.sleep(self.delay_s)
        return web.Response(status=503) if self.is_down else await handler(request)

    async def _discovery(self, _: web.Request) -> web.Response:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=one",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/end",
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }
        return web.json_response({name: value for name, value in document.items() if value is not None})

    async def _keys(self, _: web.Request) -> web.Response:
        strange = [{"kty": "AKP", "kid": "tomorrow's"}, {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"}, {"kty": "EC"}]
        return web.json_response({"keys": [*strange, *(key.as_dict(private=False) for key in self.keys)]})

    async def _ask(self, request: web.Request) -> web.Response:
        return web.Response(text=PAGE.format(action=html.escape(request.path_qs)), content_type="text/html")

    async def _answer(self, request: web.Request) -> web.Response:
        asked, subject = dict(request.query), str((await request.post())["subject"])
        assert asked["response_type"] == "code"
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        assert asked["tenant"] == "one"
        answer = {"state": asked["state"], "iss": self.issuer, "session_state": "of no interest"}
        if subject == "":
            answer |= {"error": "access_denied", "error_description": "<b>no</b>"}
        else:
            code = answer["code"] = self._random.token(32)
            self._codes[code] = {**asked, "subject": subject}
        raise web.HTTPSeeOther(f"{asked['redirect_uri']}?{urlencode(answer)}")

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        asked = self._codes.pop(form["code"], None)
        if not self._knows(request, form):
            return web.json_response({"error": "invalid_client"}, status=401)
        if (
            asked is None
            or form["redirect_uri"] != asked["redirect_uri"]
            or coded(hashlib.sha256(form["code_verifier"].encode()).digest()) != asked["code_challenge"]
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(SystemClock().now().timestamp())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": asked["subject"],
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        }
        self.changed(claims)
        token = self.sign({name: value for name, value in claims.items() if value is not None})
        return web.json_response({"access_token": "of no interest", "token_type": "Bearer", "id_token": token})

    def _knows(self, request: web.Request, form: dict[str, str]) -> bool:
        methods = self.metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if self.secret is None:
            return form.get("client_id") == CLIENT and not scheme
        if "client_secret_post" in methods:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, self.secret)
        name, _, secret = b64decode(given).decode().partition(":")
        return (scheme, unquote_plus(name), unquote_plus(secret)) == ("Basic", CLIENT, self.secret)

    async def _end(self, request: web.Request) -> web.Response:
        assert jwt.decode(request.query["id_token_hint"], self.keys[0], algorithms=[self.alg]).claims["aud"] == CLIENT
        raise web.HTTPSeeOther(request.query["post_logout_redirect_uri"])


def new_key(kid: str, kind: str = "EC") -> Key:
    parameters = {"kid": kid, "use": "sig"}
    if kind == "RSA":
        return RSAKey.generate_key(2048, parameters)  # type: ignore[arg-type]
    return ECKey.generate_key("P-256", parameters)  # type: ignore[arg-type]


def answer_in(address: str) -> dict[str, str]:
    """Return what the provider sent a browser back with, as our page hands it in."""
    found = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    return {name: value for name, value in found.items() if name in ("state", "code", "error", "iss")}
