"""
The seal of an export: of whom it tells, up to where, and what its lines are, signed where there is a key (Ed25519).

It is the last line of the file. Signed are five lines, each ended by U+000A: the form, the workspace (`*`: the whole
log), the last position, its chain value, and the SHA-256 of all that stands before the seal.
"""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

FORM: Final = "eventjobs/export/1"
"""How a line begins to be a seal, and what the first signed line is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What an export says of itself; `sha256` is of every byte before it."""

    workspace: str
    position: int
    chain: bytes
    sha256: bytes

    def signed_text(self) -> bytes:
        """Return the bytes that a signature covers."""
        said = (FORM, self.workspace, self.position, self.chain.hex(), self.sha256.hex())
        return "".join(f"{part}\n" for part in said).encode()

    def line(self, key: Ed25519PrivateKey | None) -> bytes:
        """Return the last line of the export."""
        signed = {} if key is None else _signature(self.signed_text(), key)
        said = {
            "seal": FORM,
            "workspace": self.workspace,
            "position": self.position,
            "chain": self.chain.hex(),
            "sha256": self.sha256.hex(),
            **signed,
        }
        return orjson.dumps(said) + b"\n"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal that was read, and by which key (32 bytes) it was signed, if it was."""

    seal: Seal
    key: bytes | None


def read_seal(line: bytes) -> Sealed | None:
    """Return the seal that a line is, none for any other line; raises `ValueError` for a seal that is not one's own."""
    if not line.startswith(b'{"seal":'):
        return None
    said: dict[str, Any] = orjson.loads(line)
    if said.get("seal") != FORM:
        raise ValueError(f"the seal is not of the form {FORM}")
    try:
        seal = Seal(
            workspace=str(said["workspace"]),
            position=int(said["position"]),
            chain=bytes.fromhex(said["chain"]),
            sha256=bytes.fromhex(said["sha256"]),
        )
        if "signature" not in said:
            return Sealed(seal, None)
        key, signature = b64decode(said["key"], validate=True), b64decode(said["signature"], validate=True)
        Ed25519PublicKey.from_public_bytes(key).verify(signature, seal.signed_text())
    except (KeyError, TypeError) as error:
        raise ValueError(f"the seal is incomplete: {error}") from None
    except InvalidSignature:
        raise ValueError("the signature is not that of the seal") from None
    return Sealed(seal, key)


def read_private_key(file: Path) -> Ed25519PrivateKey:
    """Return the key in a PEM file; raises `OSError`, and `ValueError` where it is no unencrypted Ed25519 key."""
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(  # noqa: TRY004 what is wrong is the file
            f"{file} is no unencrypted private key of Ed25519 in PEM form"
        )
    return key


def read_public_key(file: Path) -> bytes:
    """Return the 32 bytes of the public key in a PEM file; raises `OSError`, and `ValueError` where it is none."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(  # noqa: TRY004 what is wrong is the file
            f"{file} is no public key of Ed25519 in PEM form"
        )
    return key.public_bytes_raw()


def _signature(text: bytes, key: Ed25519PrivateKey) -> dict[str, str]:
    public = key.public_key().public_bytes_raw()
    return {"key": b64encode(public).decode(), "signature": b64encode(key.sign(text)).decode()}
