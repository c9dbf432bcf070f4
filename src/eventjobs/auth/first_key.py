"""
The first key of a log in which no key was ever issued: every role, everywhere.

Of several instances that start at once the log's compare-and-swap picks the one whose key it is.
"""

from dataclasses import dataclass
from typing import Final

from eventjobs.auth.keyring import Keyring
from eventjobs.auth.token import LOOKUP_BYTES, PREFIX, SECRET_BYTES, parse_token
from eventjobs.domain.access import ROLES
from eventjobs.domain.streams import key_stream
from eventjobs.errors import SettingsInvalid, VersionConflict
from eventjobs.events.access import KeyIssued
from eventjobs.events.recorded import Provenance
from eventjobs.ids import EVERYWHERE, Ids, Random
from eventjobs.log.port import Append, EventLog

FIRST_KEY_ID: Final = "admin"
GIVEN_CHARS_MIN: Final = 16
GIVEN_CHARS_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class FirstKey:
    """The key that this process issued; `given` says that the operator chose its text (then no file is written)."""

    text: str
    given: bool


async def ensure_first_key(
    log: EventLog, keyring: Keyring, ids: Ids, random: Random, given: str | None = None
) -> FirstKey | None:
    """
    Issue the key `admin` if no key was ever issued; return it if it was this process that did.

    `given` is its text (`EVENTJOBS_ADMIN_KEY`), else it is made. Raises `SettingsInvalid` for a text that no client
    could send. The keyring must be loaded.
    """
    if given is not None:
        _check(given)
    if not keyring.is_empty:
        return None
    text = given or f"{PREFIX}{random.token(LOOKUP_BYTES).replace('_', '-')}_{random.token(SECRET_BYTES)}"
    try:
        await log.append(_issued(text, ids))
    except VersionConflict:
        await keyring.load()
        return None
    await keyring.load()
    return FirstKey(text, given is not None)


def _issued(text: str, ids: Ids) -> Append:
    token, stream = parse_token(text), key_stream(EVERYWHERE, FIRST_KEY_ID)
    event = KeyIssued(
        lookup=token.lookup,
        secret_sha256=token.digest.hex(),
        roles=tuple(sorted(ROLES)),
        workspaces=(EVERYWHERE,),
        read_only=False,
    )
    provenance = Provenance(actor="system", command_id=ids.new())
    return Append(events=[(stream, event)], expected={stream: 0}, provenance=provenance)


def _check(given: str) -> None:
    sendable = given.isascii() and given.isprintable() and " " not in given
    if not sendable or not GIVEN_CHARS_MIN <= len(given) <= GIVEN_CHARS_MAX:
        raise SettingsInvalid(
            f"EVENTJOBS_ADMIN_KEY: {GIVEN_CHARS_MIN} to {GIVEN_CHARS_MAX} visible ASCII characters without a space"
        )
