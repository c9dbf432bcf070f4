"""The keyring's start from the view of keys."""

from datetime import UTC, datetime

from eventjobs.auth.keyring import Keyring
from eventjobs.auth.token import parse_token
from eventjobs.auth.viewed_keys import ViewedKeys
from eventjobs.domain.streams import key_stream
from eventjobs.events.access import KeyIssued, KeyRevoked
from eventjobs.postgres.pool import TimedPool
from tests.support.views import Writer, new_log, project_all, projector_on

LATER = datetime(2100, 1, 1, tzinfo=UTC)


def issued(text: str, member: str | None = None) -> KeyIssued:
    token = parse_token(text)
    return KeyIssued(
        lookup=token.lookup,
        secret_sha256=token.digest.hex(),
        roles=("operator", "reader"),
        workspaces=("acme",),
        read_only=True,
        expires_at=LATER,
        member=member,
    )


async def test_keys_of_the_view_are_those_of_the_log(pool: TimedPool) -> None:
    log = new_log()
    writer, projector = Writer(log), projector_on(log, pool)
    assert await ViewedKeys(pool).load() == (0, [])
    await writer.append([(key_stream("acme", "kept"), issued("ej_kept_secret", member="ada"))])
    await writer.append([(key_stream("*", "gone"), issued("ej_gone_secret"))])
    await writer.append([(key_stream("*", "gone"), KeyRevoked())])
    await project_all(projector)
    position = log.known_head.position
    await writer.append([(key_stream("acme", "new"), issued("ej_new_secret"))])

    loaded, _ = await ViewedKeys(pool).load()
    from_view, from_log = Keyring(log, log_time, ViewedKeys(pool)), Keyring(log, log_time)
    await from_view.load()
    await from_log.load()

    assert loaded == position
    for text in ("ej_kept_secret", "ej_gone_secret", "ej_new_secret"):
        assert await from_view.find(text) == await from_log.find(text)
    assert await from_view.find("ej_gone_secret") is None
    assert await from_view.find("ej_new_secret") is not None
    kept = await from_view.find("ej_kept_secret")
    assert kept is not None
    assert (kept.actor, kept.grant.read_only, kept.grant.expires_at) == ("key:acme/kept", True, LATER)
    assert kept.member == "ada"


def log_time() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)
