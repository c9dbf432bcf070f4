"""
One try to sign in, as the browser keeps it between leaving for the provider and coming back.

The cookie holds a secret, when it was made and which page to show then. `state`, `nonce` and the PKCE verifier are made
from all three, so none of them is kept here, and a cookie whose time or page was changed fits no answer any more.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Self

LASTS: Final = timedelta(minutes=10)
SECRET_BYTES: Final = 32

_TEXT: Final = re.compile(r"([0-9]{1,10})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{0,2700})")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that began at `began`, in seconds since 1970; `page` is where the dashboard shall go on."""

    began: int
    secret: str = field(repr=False)
    page: str

    @classmethod
    def begin(cls, secret: str, page: str, now: datetime) -> Self:
        """Begin one with a new secret."""
        return cls(int(now.timestamp()), secret, page)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the try of a cookie, `None` for what none of ours holds."""
        found = _TEXT.fullmatch(text)
        if found is None:
            return None
        began, secret, page = found.groups()
        try:
            return cls(int(began), secret, urlsafe_b64decode(page + "=" * (-len(page) % 4)).decode())
        except (Error, UnicodeDecodeError):
            return None

    @property
    def text(self) -> str:
        """What the cookie holds."""
        return f"{self.began}.{self.secret}.{_plain(self.page.encode())}"

    @property
    def state(self) -> str:
        """What the provider's answer must bring back."""
        return self._made("state")

    @property
    def nonce(self) -> str:
        """What the ID token must hold."""
        return self._made("nonce")

    @property
    def verifier(self) -> str:
        """What proves to the provider that whoever asked is who comes with the code."""
        return self._made("verifier")

    @property
    def challenge(self) -> str:
        """The verifier as the provider is told of it before."""
        return _plain(hashlib.sha256(self.verifier.encode()).digest())

    @property
    def digest(self) -> bytes:
        """What is remembered of a try that led to a session."""
        return hashlib.sha256(self.secret.encode()).digest()

    @property
    def over_at(self) -> datetime:
        """The instant from which on it is too late."""
        return datetime.fromtimestamp(self.began, UTC) + LASTS

    def _made(self, purpose: str) -> str:
        said = f"{purpose}\n{self.began}\n{self.page}".encode()
        return _plain(hmac.new(self.secret.encode(), said, hashlib.sha256).digest())


def _plain(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
