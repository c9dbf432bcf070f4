"""A real SFTP server on loopback, whose files lie in a folder of the test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from eventjobs.outbound.sftp_login import SftpPlace
from tests.support.waiting import eventually

USER = "acme"
PASSWORD = "correct horse"
HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
OTHER_HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
CLIENT_KEY = asyncssh.generate_private_key("ssh-ed25519")


def public(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode().strip()


def private(key: asyncssh.SSHKey) -> str:
    return key.export_private_key().decode()


@dataclass
class SftpHost:
    """The server: its folder, and how it shall misbehave."""

    root: Path
    port: int = 0
    drop_after: int | None = None
    hang_after: int | None = None
    plain_rename_only: bool = False
    hang_at_rename: bool = False
    renaming: bool = False
    asked: list[str] = field(default_factory=list)
    logins: int = 0
    read: int = 0
    sessions: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str, *, user: str = USER) -> str:
        return f"sftp://{user}@127.0.0.1:{self.port}{path}"

    def place(self, path: str = "/x", *, user: str = USER) -> SftpPlace:
        return SftpPlace.parse(self.url(path, user=user))

    def login(self, **given: Any) -> dict[str, Any]:
        """Return what a configuration says, with the secrets filled in."""
        return {"host_key": public(HOST_KEY), "password": PASSWORD, **given}


class _Door(asyncssh.SSHServer):
    def __init__(self, host: SftpHost) -> None:
        self._host = host

    def begin_auth(self, _username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._host.asked.append(password)
        return self._let_in(username == USER and password == PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._let_in(username == USER and public(key) == public(CLIENT_KEY))

    def _let_in(self, is_right: bool) -> bool:
        self._host.logins += is_right
        return is_right


class _Files(asyncssh.SFTPServer):
    def __init__(self, channel: asyncssh.SSHServerChannel, host: SftpHost) -> None:
        super().__init__(channel, chroot=str(host.root))
        self._host = host
        host.sessions += 1

    def exit(self) -> None:
        self._host.sessions -= 1

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        host = self._host
        if host.drop_after is not None and offset >= host.drop_after:
            self.channel.get_connection().abort()
        if host.hang_after is not None and offset >= host.hang_after:
            await host.over.wait()
        data: bytes = super().read(file_obj, offset, size)  # type: ignore[assignment]
        host.read += len(data)
        return data

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._host.renaming = True
        if self._host.hang_at_rename:
            await self._host.over.wait()
            raise asyncssh.SFTPFailure("too late")
        super().rename(oldpath, newpath)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        if self._host.plain_rename_only:
            raise asyncssh.SFTPOpUnsupported("no such extension")
        super().posix_rename(oldpath, newpath)


@asynccontextmanager
async def sftp_server(root: Path) -> AsyncIterator[SftpHost]:
    host = SftpHost(root)
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: _Door(host),
        server_host_keys=[HOST_KEY],
        sftp_factory=lambda channel: _Files(channel, host),
    )
    host.port = listener.get_port()
    try:
        yield host
        host.over.set()
        await eventually(lambda: host.sessions == 0)
    finally:
        listener.close()
        await listener.wait_closed()
