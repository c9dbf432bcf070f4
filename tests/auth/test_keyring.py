"""Keys in memory: found by their public part, proven by their secret, and gone when they are revoked."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from eventjobs.auth.first_key import ensure_first_key
from eventjobs.auth.keyring import Keyring, StoredKey
from eventjobs.auth.token import looks_like_token, parse_token
from eventjobs.clock import SystemClock
from eventjobs.domain.access import ROLES
from eventjobs.domain.streams import key_stream
from eventjobs.errors import SettingsInvalid
from eventjobs.events import EVENT_TYPES
from eventjobs.events.access import KeyIssued, KeyRevoked
from eventjobs.events.recorded import Event, Provenance, StreamId
from eventjobs.ids import SystemIds, SystemRandom
from eventjobs.log.codec import Codec
from eventjobs.log.memory import Fault, MemoryEventLog
from eventjobs.log.port import Append

NOW = SystemClock().now()
BY = Provenance(actor="system", command_id=SystemIds().new())


@pytest.fixture
def log() -> MemoryEventLog:
    return MemoryEventLog(Codec(EVENT_TYPES), SystemClock())


@pytest.fixture
def keyring(log: MemoryEventLog) -> Keyring:
    return Keyring(log, SystemClock().now)


async def write(log: MemoryEventLog, stream: StreamId, event: Event, version: int = 0) -> None:
    await log.append(Append(events=[(stream, event)], expected={stream: version}, provenance=BY))


def issued(text: str, **fields: object) -> KeyIssued:
    token = parse_token(text)
    given = {"roles": ("reader",), "workspaces": ("acme",), "read_only": False, **fields}
    return KeyIssued(lookup=token.lookup, secret_sha256=token.digest.hex(), **given)  # type: ignore[arg-type]


KEY = "ej_" + "a" * 12 + "_" + "s" * 43
STREAM = key_stream("acme", "ci")


async def test_an_issued_key_is_found_at_once(log: MemoryEventLog, keyring: Keyring) -> None:
    await write(log, STREAM, issued(KEY))

    found = await keyring.find(KEY)

    assert found is not None
    assert (found.actor, found.grant.roles) == ("key:acme/ci", frozenset({"reader"}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ej_",
        "ej__",
        "ej_" + "a" * 12 + "_",
        KEY[:-1],
        KEY + "s",
        KEY[:-1] + "S",
        KEY.replace("aaa", "aab"),
        KEY.upper(),
        "Ωmega",
        "\udcff",
        "ej_" + "a" * 12 + "_\udcff",
        "x" * 100_000,
    ],
)
async def test_another_text_finds_nothing(log: MemoryEventLog, keyring: Keyring, text: str) -> None:
    await write(log, STREAM, issued(KEY))

    assert await keyring.find(text) is None


async def test_a_revoked_key_is_no_longer_found(log: MemoryEventLog, keyring: Keyring) -> None:
    await write(log, STREAM, issued(KEY))
    found = await keyring.find(KEY)
    assert found is not None

    await write(log, STREAM, KeyRevoked(), 1)

    assert await keyring.find(KEY) is None
    assert not await keyring.is_valid(found)


async def test_a_key_ends_at_its_expiry(log: MemoryEventLog) -> None:
    now = [NOW]
    keyring = Keyring(log, lambda: now[0])
    await write(log, STREAM, issued(KEY, expires_at=NOW + timedelta(hours=1)))

    now[0] = NOW + timedelta(minutes=59, seconds=59)
    assert await keyring.find(KEY) is not None
    now[0] = NOW + timedelta(hours=1)
    assert await keyring.find(KEY) is None


async def test_keys_of_one_id_in_two_workspaces_have_two_names(log: MemoryEventLog, keyring: Keyring) -> None:
    other = KEY.replace("a", "b")
    everywhere = KEY.replace("a", "c")
    await write(log, STREAM, issued(KEY))
    await write(log, key_stream("beta", "ci"), issued(other))
    await write(log, key_stream("*", "ci"), issued(everywhere))

    found = [await keyring.find(text) for text in (KEY, other, everywhere)]

    assert [key.actor for key in found if key] == ["key:acme/ci", "key:beta/ci", "key:ci"]


async def test_many_facts_are_read_in_pages(log: MemoryEventLog, keyring: Keyring) -> None:
    texts = [f"ej_{n:012d}_{'s' * 43}" for n in range(2_500)]
    for n, text in enumerate(texts):
        await write(log, key_stream("acme", f"k{n}"), issued(text))

    assert await keyring.find(texts[-1]) is not None
    assert await keyring.find(texts[0]) is not None
    assert keyring.position == log.known_head.position


class _Source:
    """A view of keys, as it stood at a position."""

    def __init__(self, position: int, keys: Iterable[StoredKey]) -> None:
        self._loaded = position, keys

    async def load(self) -> tuple[int, Iterable[StoredKey]]:
        return self._loaded


async def test_what_the_source_has_is_not_read_again(log: MemoryEventLog, keyring: Keyring) -> None:
    await write(log, STREAM, issued(KEY))
    found = await keyring.find(KEY)
    assert found is not None
    position = log.known_head.position
    await write(log, STREAM, KeyRevoked(), 1)

    fresh = Keyring(log, SystemClock().now, _Source(position, [found]))
    await fresh.load()

    assert not fresh.is_empty
    assert await fresh.find(KEY) is None
    assert fresh.position == position + 1


class TestTheFirstKey:
    async def test_it_has_every_role_everywhere_and_is_made_once(self, log: MemoryEventLog, keyring: Keyring) -> None:
        await keyring.load()
        first = await ensure_first_key(log, keyring, SystemIds(), SystemRandom())
        again = await ensure_first_key(log, keyring, SystemIds(), SystemRandom())

        assert first is not None
        assert (first.given, again) == (False, None)
        assert looks_like_token(first.text)
        found = await keyring.find(first.text)
        assert found is not None
        assert (found.actor, found.grant.roles, found.grant.workspaces) == (
            "key:admin",
            frozenset(ROLES),
            frozenset({"*"}),
        )

    async def test_the_secret_is_not_in_the_log(self, log: MemoryEventLog, keyring: Keyring) -> None:
        first = await ensure_first_key(log, keyring, SystemIds(), SystemRandom(), "correct-horse-battery-staple")

        assert first is not None
        assert all(first.text.encode() not in fact.data for fact in await log.read(0, 100))

    @pytest.mark.parametrize(
        "text", ["correct-horse-battery-staple", "ej_mine_is-this-long-secret", "ej_no-second-part"]
    )
    async def test_a_chosen_text_works_as_it_is(self, log: MemoryEventLog, keyring: Keyring, text: str) -> None:
        first = await ensure_first_key(log, keyring, SystemIds(), SystemRandom(), text)

        assert first is not None
        assert (first.text, first.given) == (text, True)
        assert await keyring.find(text) is not None
        assert await keyring.find(text + "x") is None

    @pytest.mark.parametrize(
        "text", ["short", "has spaces in its middle", "ünïcödé-key-of-some-length", "x" * 513, "tab\t" * 8]
    )
    async def test_a_text_that_nobody_could_send_is_refused(
        self, log: MemoryEventLog, keyring: Keyring, text: str
    ) -> None:
        with pytest.raises(SettingsInvalid):
            await ensure_first_key(log, keyring, SystemIds(), SystemRandom(), text)

        assert log.known_head.position == 1

    async def test_of_two_instances_one_wins_and_both_know_the_key(self, log: MemoryEventLog) -> None:
        one, other = Keyring(log, SystemClock().now), Keyring(log, SystemClock().now)
        await one.load()
        await other.load()

        first = await ensure_first_key(log, one, SystemIds(), SystemRandom())
        second = await ensure_first_key(log, other, SystemIds(), SystemRandom())

        assert first is not None
        assert second is None
        assert await other.find(first.text) is not None

    async def test_a_revoked_first_key_is_not_made_again(self, log: MemoryEventLog, keyring: Keyring) -> None:
        await ensure_first_key(log, keyring, SystemIds(), SystemRandom())
        await write(log, key_stream("*", "admin"), KeyRevoked(), 1)
        fresh = Keyring(log, SystemClock().now)
        await fresh.load()

        assert await ensure_first_key(log, fresh, SystemIds(), SystemRandom()) is None

    async def test_an_unwritable_log_makes_no_key(self) -> None:
        class Unavailable:
            async def next(self, _: Append) -> Fault:
                return Fault.UNAVAILABLE

        log = MemoryEventLog(Codec(EVENT_TYPES), SystemClock(), faults=Unavailable())
        keyring = Keyring(log, SystemClock().now)

        with pytest.raises(Exception, match="cannot be written"):
            await ensure_first_key(log, keyring, SystemIds(), SystemRandom())
        assert keyring.is_empty
