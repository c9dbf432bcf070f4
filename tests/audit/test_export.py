"""Exports that say what they are: one position, whose they are, and by whom signed (REL97, REL98)."""

from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from eventjobs.audit.export import export_lines
from eventjobs.audit.seal import Seal, read_private_key, read_public_key
from eventjobs.audit.verify import BATCH, Broken, Verified, verify_export
from eventjobs.clock import SystemClock
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.memory import MemoryEventLog
from tests.log.facts import CODEC, append_to, noted

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
ANOTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture
async def log() -> MemoryEventLog:
    log = MemoryEventLog(CODEC, SystemClock())
    for number in range(4):
        await log.append(append_to(StreamId("acme", f"note:{number}"), noted("ours")))
        await log.append(append_to(StreamId("globex", f"note:{number}"), noted("canary")))
    return log


async def lines_of(log: MemoryEventLog, workspace: str = "*", key: Ed25519PrivateKey | None = KEY) -> list[bytes]:
    until = log.known_head.position
    return [line async for line in export_lines(log.read, until, workspace=workspace, key=key)]


async def test_REL97_an_export_is_of_one_position_and_signed_while_others_write(log: MemoryEventLog) -> None:
    await log.append(append_to(StreamId("acme", "note:long"), *[noted()] * BATCH))
    until = log.known_head

    async def busy(after: int, limit: int) -> Sequence[Recorded[object]]:
        await log.append(append_to(StreamId("acme", f"note:after-{after}"), noted("meanwhile")))
        return await log.read(after, limit)

    lines = [line async for line in export_lines(busy, until.position, key=KEY)]
    assert log.known_head.position > until.position
    verdict = verify_export(lines, PUBLIC)
    assert isinstance(verdict, Verified)
    assert (verdict.positions, verdict.chain, verdict.left_out) == (until.position, until.chain, 0)
    assert verdict.sealed is not None
    assert (verdict.sealed.seal.position, verdict.sealed.key) == (until.position, PUBLIC)


async def test_REL97_the_export_of_a_workspace_shows_nothing_of_another_and_proves_the_same(
    log: MemoryEventLog,
) -> None:
    lines = await lines_of(log, "acme")
    assert b"canary" not in b"".join(lines)
    assert b"globex" not in b"".join(lines)
    verdict = verify_export(lines, PUBLIC)
    assert isinstance(verdict, Verified)
    assert (verdict.positions, verdict.chain) == (log.known_head.position, log.known_head.chain)
    assert verdict.left_out == 5


async def test_an_export_without_a_key_is_sealed_and_says_that_nobody_signed(log: MemoryEventLog) -> None:
    lines = await lines_of(log, key=None)
    verdict = verify_export(lines)
    assert isinstance(verdict, Verified)
    assert verdict.sealed is not None
    assert verdict.sealed.key is None
    assert isinstance(verify_export(lines, PUBLIC), Broken)


async def test_REL98_what_was_changed_in_a_signed_export_is_found(log: MemoryEventLog) -> None:
    whole, ours = await lines_of(log), await lines_of(log, "acme")
    seal = orjson.loads(whole[-1])
    *_, last = [orjson.loads(line) for line in whole[:-1]]
    hidden = orjson.dumps({name: last[name] for name in ("position", "leaf", "chain")}) + b"\n"
    shorter = Seal(workspace="*", position=8, chain=bytes.fromhex(orjson.loads(whole[7])["chain"]), sha256=bytes(32))
    broken = {
        "cut before its seal": (whole[:-1], "no seal"),
        "cut, with the seal": ([*whole[:-2], whole[-1]], "another chain value"),
        "longer": ([*whole, whole[-2]], "after the seal"),
        "an event left out": ([*whole[:-2], hidden, whole[-1]], "other lines"),
        "an event left out, and no seal": ([*whole[:-2], hidden], "no seal says for whom"),
        "left out for a workspace, said to be the whole": (
            [*ours[:-1], orjson.dumps(orjson.loads(ours[-1]) | {"workspace": "*"}) + b"\n"],
            "not that of the seal",
        ),
        "sealed anew by another": (await lines_of(log, key=ANOTHER), "not signed with that key"),
        "another's key beside our signature": (
            [*whole[:-1], orjson.dumps(seal | {"key": orjson.loads((await lines_of(log, key=ANOTHER))[-1])["key"]})],
            "not that of the seal",
        ),
        "a seal of other lines": ([*whole[:8], shorter.line(KEY)], "other lines"),
        "blank lines put in": ([whole[0], b"\n", *whole[1:]], "other lines"),
        "half a seal": ([*whole[:-1], whole[-1][:40]], "neither an event nor a seal"),
        "a seal of a later form": (
            [*whole[:-1], whole[-1].replace(b"export/1", b"export/2")],
            "not of the form eventjobs/export/1",
        ),
        "no chain value in the seal": (
            [*whole[:-1], orjson.dumps({name: seal[name] for name in seal if name != "chain"})],
            "incomplete",
        ),
    }
    for name, (lines, what) in broken.items():
        verdict = verify_export(lines, PUBLIC)
        assert isinstance(verdict, Broken), name
        assert what in verdict.what, name


async def test_a_link_of_what_is_left_out_is_checked_too(log: MemoryEventLog) -> None:
    lines = await lines_of(log, "acme")
    place = next(place for place, line in enumerate(lines[1:], 1) if b"type" not in line)
    fact = orjson.loads(lines[place])
    lines[place] = orjson.dumps(fact | {"leaf": "00" * 32}) + b"\n"
    verdict = verify_export(lines, PUBLIC)
    assert isinstance(verdict, Broken)
    assert verdict.position == place + 1


def test_keys_are_read_from_pem_files_and_other_files_are_refused(tmp_path: Path) -> None:
    private, public = tmp_path / "key.pem", tmp_path / "key.pub"
    private.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert read_private_key(private).public_key().public_bytes_raw() == read_public_key(public) == PUBLIC
    with pytest.raises(ValueError, match="no unencrypted private key"):
        read_private_key(public)
    with pytest.raises(ValueError, match="no public key"):
        read_public_key(private)
