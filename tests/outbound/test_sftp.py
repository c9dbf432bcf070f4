import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from eventjobs.errors import JobFailed
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.outbound.sftp import SftpSession
from eventjobs.outbound.sftp_login import SftpLogin, SftpPlace
from tests.support.sftp import (
    CLIENT_KEY,
    HOST_KEY,
    OTHER_HOST_KEY,
    PASSWORD,
    SftpHost,
    private,
    public,
    sftp_server,
)

LOOPBACK = GuardedOutbound(OutboundRules.parse(["127.0.0.0/8"]))
CONTENT = bytes(range(256)) * 12_000


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[SftpHost]:
    async with sftp_server(tmp_path) as server:
        yield server


async def fetched(
    host: SftpHost, path: str = "/in.csv", *, by: GuardedOutbound = LOOPBACK, total_s: float = 5, **login: Any
) -> bytes:
    config = SftpLogin.model_validate(host.login(**login))
    async with by.sftp(host.place(), config, total_s=total_s) as session, session.open_read(path) as file:
        content = b""
        while chunk := await file.read():
            content += chunk
        return content


@pytest.mark.parametrize("login", [{}, {"password": None, "private_key": private(CLIENT_KEY)}], ids=["password", "key"])
async def test_a_file_is_read_with_a_password_or_a_key(host: SftpHost, login: Any) -> None:
    (host.root / "in.csv").write_bytes(CONTENT)
    assert await fetched(host, **login) == CONTENT


async def test_a_server_with_another_key_is_refused_before_it_is_told_anything(host: SftpHost) -> None:
    with pytest.raises(JobFailed, match=r"shows the host key ssh-ed25519 SHA256:.* not pinned") as failed:
        await fetched(host, host_key=public(OTHER_HOST_KEY))
    assert (failed.value.retryable, host.asked) == (False, [])


async def test_a_server_without_a_key_of_the_pinned_kind_is_refused(host: SftpHost) -> None:
    rsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg="  # noqa: E501
    with pytest.raises(JobFailed, match="no host key of the pinned kinds") as failed:
        await fetched(host, host_key=rsa)
    assert (failed.value.retryable, host.asked) == (False, [])


async def test_any_of_several_pinned_keys_will_do_so_that_a_server_can_change_its_key(host: SftpHost) -> None:
    (host.root / "in.csv").write_bytes(b"1")
    scanned = f"# 127.0.0.1:22 SSH-2.0\n[127.0.0.1]:22 {public(OTHER_HOST_KEY)}\n127.0.0.1 {public(HOST_KEY)} comment\n"
    assert await fetched(host, host_key=scanned) == b"1"


async def test_a_host_key_that_is_none_lets_nobody_through(host: SftpHost) -> None:
    with pytest.raises(JobFailed, match="no public key that can be read"):
        await fetched(host, host_key="ssh-ed25519 AAAAB3NzaC1yc2EAAAA")


@pytest.mark.parametrize(
    "login",
    [{"password": "wrong"}, {"password": None, "private_key": private(OTHER_HOST_KEY)}],
    ids=["password", "key"],
)
async def test_a_wrong_password_or_key_is_not_tried_again(host: SftpHost, login: Any) -> None:
    with pytest.raises(JobFailed, match="does not let acme in") as failed:
        await fetched(host, **login)
    assert not failed.value.retryable
    assert "wrong" not in failed.value.detail


async def test_a_key_that_cannot_be_read_is_not_shown(host: SftpHost) -> None:
    with pytest.raises(JobFailed, match="private_key cannot be read") as failed:
        await fetched(host, private_key="-----BEGIN OPENSSH PRIVATE KEY-----\nhidden\n")
    assert "hidden" not in failed.value.detail


async def test_a_file_that_is_not_there_may_still_come_but_one_that_is_forbidden_may_not(host: SftpHost) -> None:
    with pytest.raises(JobFailed, match="is not there") as missing:
        await fetched(host)
    assert missing.value.retryable
    (host.root / "folder").mkdir()
    with pytest.raises(JobFailed):
        await fetched(host, "/folder")


async def test_permission_denied_is_not_tried_again(host: SftpHost, monkeypatch: pytest.MonkeyPatch) -> None:
    (host.root / "in.csv").write_bytes(b"1")

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "no")

    # Whoever runs these tests as root may read everything.
    monkeypatch.setattr("asyncssh.sftp.SFTPServer.open", deny)
    with pytest.raises(JobFailed, match="does not allow acme to use /in") as failed:
        await fetched(host)
    assert not failed.value.retryable


async def test_a_connection_that_breaks_in_the_middle_can_be_tried_again(host: SftpHost) -> None:
    (host.root / "in.csv").write_bytes(CONTENT)
    host.drop_after = len(CONTENT) // 2
    with pytest.raises(JobFailed, match="failed at /in") as failed:
        await fetched(host)
    assert failed.value.retryable


async def test_a_server_that_stops_answering_is_given_up(host: SftpHost) -> None:
    (host.root / "in.csv").write_bytes(CONTENT)
    host.hang_after = len(CONTENT) // 2
    with pytest.raises(JobFailed, match="too slow with /in") as failed:
        await fetched(host, total_s=0.5)
    assert failed.value.retryable


async def test_nobody_at_the_port_can_be_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = SftpHost(Path(), port=taken.getsockname()[1])
        with pytest.raises(JobFailed, match="cannot be reached") as failed:
            await fetched(nobody)
    assert failed.value.retryable


async def test_a_server_that_says_nothing_lets_nobody_in() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        config = SftpLogin.model_validate(SftpHost(Path()).login())
        place = SftpPlace("acme", "127.0.0.1", silent.getsockname()[1], "/x")
        with pytest.raises(JobFailed, match=r"let nobody in within 0\.1 s"):
            async with LOOPBACK.sftp(place, config, total_s=0.1):
                pass


async def test_a_private_address_is_refused(host: SftpHost) -> None:
    with pytest.raises(JobFailed, match="not allowed") as failed:
        await fetched(host, by=GuardedOutbound())
    assert not failed.value.retryable


async def test_a_name_is_looked_up_once_and_its_address_is_the_one_that_is_called(
    host: SftpHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    (host.root / "in.csv").write_bytes(b"1")
    answers = ["127.0.0.1", "10.0.0.1"]

    async def look_up(_: object, name: str, port: int, **__: object) -> list[Any]:
        assert name == "files.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    monkeypatch.setattr(type(asyncio.get_running_loop()), "getaddrinfo", look_up, raising=False)
    place = SftpPlace("acme", "files.example", host.port, "/in.csv")
    config = SftpLogin.model_validate(host.login())
    async with LOOPBACK.sftp(place, config, total_s=5) as session:
        assert await session.facts("/in.csv")
    assert answers == ["10.0.0.1"]
    with pytest.raises(JobFailed, match=r"10\.0\.0\.1"):
        async with LOOPBACK.sftp(place, config, total_s=5):
            pass


async def break_off(session: SftpSession) -> None:
    async with session.replace("/out.csv") as file:
        await file.write(b"half")
        raise ZeroDivisionError


@pytest.mark.parametrize("plain", [False, True], ids=["posix rename", "plain rename"])
async def test_a_written_file_appears_whole_or_not_at_all(host: SftpHost, plain: bool) -> None:
    host.plain_rename_only = plain
    (host.root / "out.csv").write_bytes(b"old")
    config = SftpLogin.model_validate(host.login())
    async with LOOPBACK.sftp(host.place(), config, total_s=5) as session:
        with pytest.raises(ZeroDivisionError):
            await break_off(session)
        assert [path.name for path in host.root.iterdir()] == ["out.csv"]
        assert (host.root / "out.csv").read_bytes() == b"old"
        async with session.replace("/out.csv") as file:
            await file.write(CONTENT)
            await file.write(b"end")
        assert (host.root / "out.csv").read_bytes() == CONTENT + b"end"
        assert [path.name for path in host.root.iterdir()] == ["out.csv"]


async def test_files_are_moved_never_over_another_and_removed(host: SftpHost) -> None:
    (host.root / "a.csv").write_bytes(b"a")
    (host.root / "b.csv").write_bytes(b"b")
    config = SftpLogin.model_validate(host.login())
    async with LOOPBACK.sftp(host.place(), config, total_s=5) as session:
        with pytest.raises(JobFailed):
            await session.rename("/a.csv", "/b.csv")
        await session.make_folder("/done/2026")
        await session.make_folder("/done/2026")
        await session.rename("/a.csv", "/done/2026/a.csv")
        await session.remove("/b.csv")
        await session.remove("/b.csv")
        assert await session.facts("/b.csv") is None
        found = await session.facts("/done/2026/a.csv")
    assert found is not None
    assert found.size == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sftp://u@files.example.org/in/a.csv", SftpPlace("u", "files.example.org", 22, "/in/a.csv")),
        ("sftp://u@files.example.org/~/in/a%20b.csv", SftpPlace("u", "files.example.org", 22, "in/a b.csv")),
        ("sftp://a%40b@files.example.org/a%23.csv", SftpPlace("a@b", "files.example.org", 22, "/a#.csv")),
    ],
)
def test_a_url_names_user_server_and_path(url: str, expected: SftpPlace) -> None:
    assert SftpPlace.parse(url, OutboundRules()) == expected


@pytest.mark.parametrize(
    "url",
    [
        "sftp://files.example.org/a.csv",
        "sftp://u:p@files.example.org/a.csv",
        "sftp://u@files.example.org",
        "sftp://u@files.example.org/in/",
        "sftp://u@files.example.org/in/../a.csv",
        "sftp://u@files.example.org/in/%2e%2e/a.csv",
        "sftp://u@files.example.org/a%00.csv",
        "sftp://u@files.example.org/a%FF.csv",
        "sftp://u@files.example.org/a.csv?x=1",
        "sftp://u@files.example.org:2222/a.csv",
        "sftp://u@files.example.org:80/a.csv",
        "sftp://u@127.0.0.1/a.csv",
        "sftp://u@localhost/a.csv",
        "sftp://u@169.254.169.254/a.csv",
        "http://u@files.example.org/a.csv",
    ],
)
def test_a_url_that_names_no_place_or_a_forbidden_one_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        SftpPlace.parse(url, OutboundRules())


@pytest.mark.parametrize(
    "login",
    [
        {"host_key": "anything", "password": "secret://p"},
        {"host_key": public(HOST_KEY)},
        {"host_key": public(HOST_KEY), "password": PASSWORD},
        {"host_key": public(HOST_KEY), "private_key": private(CLIENT_KEY)},
        {"password": "secret://p"},
    ],
    ids=["no key", "no way in", "plain password", "plain private key", "no host key"],
)
def test_a_definition_pins_a_key_and_keeps_its_secrets_elsewhere(login: Any) -> None:
    with pytest.raises(ValidationError):
        SftpLogin.model_validate(login, context={})


def test_a_definition_may_keep_the_host_key_elsewhere_too() -> None:
    login = {"host_key": "secret://files.host", "private_key": "secret://files.key"}
    assert SftpLogin.model_validate(login, context={}).host_key == "secret://files.host"
