"""
All keys, in memory: loaded once, then followed from the log.

Before each decision the ring catches up with the log, so a key that was revoked fails on the next request.
"""

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol

from eventjobs.auth.following import Following
from eventjobs.auth.token import TOKEN_CHARS_MAX, Token, parse_token
from eventjobs.domain.access import Grant, actor_of
from eventjobs.events.access import KeyIssued, KeyRevoked
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.port import EventLog, Filter

KEY_FACTS: Final = Filter(types=(KeyIssued.TYPE, KeyRevoked.TYPE))
_NOBODY: Final = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A key as it was issued, whose it is, and whether it was revoked since; `stream` is where its facts are."""

    stream: StreamId
    lookup: str
    secret_sha256: bytes = field(repr=False)
    grant: Grant
    member: str | None = None
    revoked: bool = False

    @property
    def actor(self) -> str:
        """Its name in events."""
        return actor_of(self.stream.workspace, self.stream.id)

    def actor_in(self, workspace: str) -> str:  # noqa: ARG002 a key has one name everywhere
        """Its name in events of `workspace`."""
        return self.actor

    def is_valid(self, now: datetime) -> bool:
        """Tell whether it may act at `now`."""
        expires_at = self.grant.expires_at
        return not self.revoked and (expires_at is None or now < expires_at)


class KeySource(Protocol):
    """Where the ring starts from, so that it need not read the whole log."""

    async def load(self) -> tuple[int, Iterable[StoredKey]]:
        """Return every key that was ever issued, and the position up to which that is so."""
        ...


class Keyring:
    """Finds the key that a request presents."""

    def __init__(self, log: EventLog, now: Callable[[], datetime], source: KeySource | None = None) -> None:
        self._now = now
        self._source = source
        self._following = Following(log, KEY_FACTS, self._apply)
        self._by_lookup: dict[str, StoredKey] = {}
        self._lookups: dict[StreamId, str] = {}

    @property
    def position(self) -> int:
        """The position up to which every key's facts are known."""
        return self._following.position

    @property
    def is_empty(self) -> bool:
        """Whether no key was ever issued, as far as is known."""
        return not self._by_lookup

    async def load(self) -> None:
        """Take the source's keys, then read the log to its head."""
        position = self._following.position
        if self._source is not None:
            position, keys = await self._source.load()
            for key in keys:
                self._keep(key)
        await self._following.begin(position)

    async def find(self, text: str) -> StoredKey | None:
        """Return the valid key with this text; takes as long for a wrong secret as for an unknown key."""
        token = Token("", _NOBODY) if len(text) > TOKEN_CHARS_MAX else parse_token(text)
        await self._following.catch_up()
        key = self._by_lookup.get(token.lookup)
        matches = hmac.compare_digest(token.digest, _NOBODY if key is None else key.secret_sha256)
        return key if key is not None and matches and key.is_valid(self._now()) else None

    async def find_again(self, lookup: str) -> StoredKey | None:
        """Return the valid key that was found before and has this lookup."""
        await self._following.catch_up()
        key = self._by_lookup.get(lookup)
        return key if key is not None and key.is_valid(self._now()) else None

    async def is_valid(self, key: StoredKey) -> bool:
        """Tell whether a key that was found before may still act."""
        return await self.find_again(key.lookup) is not None

    def _apply(self, fact: Recorded[Any]) -> None:
        match fact.event:
            case KeyIssued() as issued:
                self._keep(issued_key(fact.stream, issued))
            case KeyRevoked():
                lookup = self._lookups.get(fact.stream)
                if lookup is not None:
                    self._by_lookup[lookup] = replace(self._by_lookup[lookup], revoked=True)
            case _:
                pass  # no key's business

    def _keep(self, key: StoredKey) -> None:
        self._by_lookup[key.lookup] = key
        self._lookups[key.stream] = key.lookup


def issued_key(stream: StreamId, issued: KeyIssued) -> StoredKey:
    """Return the key that a fact issued."""
    return StoredKey(
        stream=stream,
        lookup=issued.lookup,
        secret_sha256=bytes.fromhex(issued.secret_sha256),
        grant=Grant(
            roles=frozenset(issued.roles),
            workspaces=frozenset(issued.workspaces),
            read_only=issued.read_only,
            expires_at=issued.expires_at,
        ),
        member=issued.member,
    )
