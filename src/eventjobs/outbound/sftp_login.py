"""Which SFTP server a job means, as whom it logs in, and which host keys it believes."""

import re
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from eventjobs.outbound.addresses import SFTP, OutboundRules
from eventjobs.outbound.secrets import is_reference

SFTP_URL: Final = re.compile(r"^sftp://", re.IGNORECASE)

_HOST_KEY: Final = re.compile(r"(?:^|\s)((?:ssh|ecdsa)-[a-z0-9-]+ AAAA[A-Za-z0-9+/]+={0,2})(?=\s|$)")
_HOME: Final = "/~/"


class SftpLogin(BaseModel):
    """
    How a job logs in, and what the server has to show.

    `host_key` holds the server's public keys as `ssh-keyscan HOST` prints them, one a line; any other key is refused.
    Password and private key are `secret://name`; a server that wants both gets both.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host_key: str = Field(
        min_length=1, max_length=16_384, description="the server's keys, as ssh-keyscan prints them, or secret://name"
    )
    password: str | None = Field(default=None, min_length=1, description="as secret://name")
    private_key: str | None = Field(
        default=None, min_length=1, description="in OpenSSH or PEM form, without a passphrase, as secret://name"
    )

    @field_validator("host_key")
    @classmethod
    def _is_key(cls, host_key: str) -> str:
        if not is_reference(host_key) and not _HOST_KEY.search(host_key):
            raise ValueError("holds no public key such as ssh-ed25519 AAAA…; ssh-keyscan prints those of a server")
        return host_key

    @field_validator("password", "private_key")
    @classmethod
    def _is_secret(cls, secret: str | None, info: ValidationInfo) -> str | None:
        # A context comes with a definition, which is kept for ever; a run has none, and the secrets filled in.
        if secret is not None and info.context is not None and not is_reference(secret):
            raise ValueError("must be secret://name")
        return secret

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if self.password is None and self.private_key is None:
            raise ValueError("needs a password or a private_key")
        return self

    @property
    def host_keys(self) -> list[str]:
        """The keys of the server, each as `type base64`."""
        lines = (line for line in self.host_key.splitlines() if not line.lstrip().startswith("#"))
        return [found[1] for line in lines if (found := _HOST_KEY.search(line))]


@dataclass(frozen=True, slots=True)
class SftpPlace:
    """A path on an SFTP server, from `sftp://user@host[:port]/path`; `/~/` begins in the user's own folder."""

    user: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str, rules: OutboundRules | None = None) -> "SftpPlace":
        """Read a URL; raises `ValueError` for one that names no such place or that the rules forbid by its text."""
        objection = rules.objection(url, SFTP) if rules is not None else None
        if objection is not None:
            raise ValueError(f"the URL {objection}")
        parts = urlsplit(url)
        path = unquote(parts.path, errors="strict")
        if parts.query or parts.fragment or not parts.username or parts.password is not None or not parts.hostname:
            raise ValueError("the URL must have the form sftp://user@host/path, with ? and # as %3F and %23")
        if path.endswith("/") or any(part in {"", ".", ".."} for part in path[1:].split("/")) or not path.isprintable():
            raise ValueError("the URL's path may not hold empty parts, . or .., and must name a file")
        path = path.removeprefix(_HOME) if path.startswith(_HOME) else path
        return cls(unquote(parts.username), parts.hostname, parts.port or SFTP["sftp"], path)

    @property
    def server(self) -> str:
        """The server, for people."""
        return f"{self.host}:{self.port}"
