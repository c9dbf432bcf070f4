"""
Files on an SFTP server that shows a pinned host key.

A server with any other key is refused before anything is told to it. Nothing of this machine's own SSH set-up counts:
no agent, no keys, configuration or known hosts of the account that runs the service. Whatever fails is `JobFailed`,
which can be tried again unless somebody has to change something first.
"""

import asyncio
import posixpath
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Final, cast

import asyncssh

from eventjobs.errors import AddressRefused, JobFailed
from eventjobs.outbound.sftp_login import SftpLogin, SftpPlace

CHUNK_BYTES: Final = 1024 * 1024

_BLOCK_BYTES: Final = 32 * 1024

_LOGIN_S_MAX: Final = 20.0
_ANSWER_S_MAX: Final = 60.0
_KEEP_ALIVE_S: Final = 15
_PART_SUFFIX: Final = ".part"

Connect = Callable[[str, int], Awaitable[socket.socket]]


@dataclass(frozen=True, slots=True)
class SftpFacts:
    """What a server tells about a file: its size in bytes, and when it was written last, by the server's clock."""

    size: int
    modified: float


class SftpFile:
    """
    An open file. `read` and `write` go on where the last one ended.

    Several requests are on their way at once, each small enough for any server. The library could do that too, but
    complains in the log about those that a cancelled read leaves behind.
    """

    def __init__(self, session: "SftpSession", file: asyncssh.SFTPClientFile, path: str) -> None:
        self._session = session
        self._file = file
        self._path = path
        self._at = 0

    async def read(self, at: int | None = None) -> bytes:
        """Return up to a mebibyte, which begins `at` if that is given; nothing at the end."""
        begin = self._at if at is None else at
        async with self._session.asked(self._path):
            offsets = range(begin, begin + CHUNK_BYTES, _BLOCK_BYTES)
            blocks = await asyncio.gather(*(self._file.read(_BLOCK_BYTES, offset) for offset in offsets))
        found = bytearray()
        for block in blocks:
            found += cast("bytes", block)
            if len(block) < _BLOCK_BYTES:
                # The end, or a server that gives less than it was asked for: what follows would leave a gap.
                break
        self._at = begin + len(found)
        return bytes(found)

    async def write(self, data: bytes) -> None:
        """Write all of `data`."""
        for begin in range(0, len(data), CHUNK_BYTES):
            async with self._session.asked(self._path):
                offsets = range(begin, min(begin + CHUNK_BYTES, len(data)), _BLOCK_BYTES)
                await asyncio.gather(
                    *(self._file.write(data[offset : offset + _BLOCK_BYTES], self._at + offset) for offset in offsets)
                )
        self._at += len(data)

    async def sync(self) -> None:
        """Bring what was written onto the server's disk, where it offers that."""
        async with self._session.asked(self._path):
            with suppress(asyncssh.SFTPOpUnsupported):
                await self._file.fsync()

    async def facts(self) -> SftpFacts:
        """Return what this file is like now, whatever its name stands for meanwhile."""
        async with self._session.asked(self._path):
            return _facts(self._path, await self._file.stat())


class SftpSession:
    """One login; a path that does not begin with `/` begins in the user's folder."""

    def __init__(self, client: asyncssh.SFTPClient, place: SftpPlace, deadline: float) -> None:
        self._client = client
        self._place = place
        self._deadline = deadline

    @asynccontextmanager
    async def open_read(self, path: str) -> AsyncIterator[SftpFile]:
        """Open a regular file for reading."""
        async with self._opened(path, "rb") as file:
            yield file

    @asynccontextmanager
    async def replace(
        self, path: str, *, part: str | None = None, litter: str | None = None, may_replace: bool = True
    ) -> AsyncIterator[SftpFile]:
        """
        Write a file that appears under `path` when the block ends well, and not at all otherwise.

        Until then it is called `part`, in the same folder; others there whose names begin with `litter` are removed.
        Without `may_replace` a file that is called `path` already is a failure, before the block and after it.
        """
        folder = posixpath.dirname(path)
        unfinished = path + _PART_SUFFIX if part is None else posixpath.join(folder, part)
        if litter is not None:
            await self._tidy(folder, litter)
        if not may_replace and await self.facts(path) is not None:
            raise JobFailed(
                f"the file {path} is there already on the SFTP server {self._place.server}", retryable=False
            )
        try:
            async with self._opened(unfinished, "wb") as file:
                yield file
            await (self._rename_over if may_replace else self.rename)(unfinished, path)
        except BaseException:
            with suppress(JobFailed):
                await self.remove(unfinished)
            raise

    async def facts(self, path: str) -> SftpFacts | None:
        """Return what a file is like, `None` if it is not there."""
        async with self.asked(path):
            try:
                return _facts(path, await self._client.stat(path))
            except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
                return None

    async def rename(self, path: str, to: str) -> None:
        """Move a file; fails where `to` is taken."""
        async with self.asked(path):
            await self._client.rename(path, to)

    async def remove(self, path: str) -> None:
        """Delete a file; one that is not there is no failure."""
        async with self.asked(path):
            with suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
                await self._client.remove(path)

    async def make_folder(self, path: str) -> None:
        """Make a folder and those above it, as far as they are not there."""
        async with self.asked(path):
            await self._client.makedirs(path, exist_ok=True)

    async def _tidy(self, folder: str, litter: str) -> None:
        """Remove files by the beginning of their names; not every server shows its folders."""
        async with self.asked(folder or "."):
            try:
                # As bytes: of others' names nobody knows the encoding, and one alone would fail the whole list.
                found = await self._client.listdir((folder or ".").encode())
            except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
                found = []
                await self._client.makedirs(folder, exist_ok=True)
            except asyncssh.SFTPPermissionDenied:
                return
        for name in (raw.decode(errors="replace") for raw in found):
            if name.startswith(litter):
                await self.remove(posixpath.join(folder, name))

    @asynccontextmanager
    async def asked(self, path: str) -> AsyncIterator[None]:
        """Put a limit to one request, and tell in our words what fails."""
        now = asyncio.get_running_loop().time()
        with _explained(self._place, path):
            async with asyncio.timeout_at(min(self._deadline, now + _ANSWER_S_MAX)):
                yield

    @asynccontextmanager
    async def _opened(self, path: str, mode: str) -> AsyncIterator[SftpFile]:
        async with self.asked(path):
            file = await self._client.open(path, mode, block_size=0)
        try:
            yield SftpFile(self, file, path)
        finally:
            # Where the connection is gone the server closes it by itself.
            with suppress(JobFailed):
                async with self.asked(path):
                    await file.close()

    async def _rename_over(self, path: str, to: str) -> None:
        async with self.asked(to):
            try:
                await self._client.posix_rename(path, to)
            except asyncssh.SFTPOpUnsupported:
                # Without this extension there is a moment in which neither file is there. Nothing is removed for a file
                # that somebody took away.
                await self._client.stat(path)
                with suppress(asyncssh.SFTPNoSuchFile):
                    await self._client.remove(to)
                await self._client.rename(path, to)


@asynccontextmanager
async def open_session(
    connect: Connect, place: SftpPlace, login: SftpLogin, *, total_s: float
) -> AsyncIterator[SftpSession]:
    """Log in at the place's server; the session ends with the block and after `total_s` seconds."""
    deadline = asyncio.get_running_loop().time() + total_s
    shown: list[str] = []
    async with _closing(await _logged_in(connect, place, login, shown, min(total_s, _LOGIN_S_MAX))) as connection:
        with _explained(place, "/"):
            async with asyncio.timeout(_ANSWER_S_MAX):
                client = await connection.start_sftp_client()
        yield SftpSession(client, place, deadline)


async def _logged_in(
    connect: Connect, place: SftpPlace, login: SftpLogin, shown: list[str], seconds: float
) -> asyncssh.SSHClientConnection:
    options = _options(place, login, shown)
    try:
        async with asyncio.timeout(seconds):
            opened = await connect(place.host, place.port)
            try:
                return await asyncssh.connect(place.host, place.port, sock=opened, options=options, config=None)
            except BaseException:
                opened.close()
                raise
    except TimeoutError:
        raise JobFailed(f"the SFTP server {place.server} let nobody in within {seconds:g} s") from None
    except AddressRefused as refused:
        raise JobFailed(str(refused), retryable=False) from None
    except (OSError, asyncssh.Error) as error:
        raise _not_in(error, place, shown) from None


@asynccontextmanager
async def _closing(connection: asyncssh.SSHClientConnection) -> AsyncIterator[asyncssh.SSHClientConnection]:
    try:
        yield connection
    finally:
        # A server that does not take part in the farewell must not hold anybody up.
        connection.abort()
        with suppress(OSError, asyncssh.Error):
            await connection.wait_closed()


def _options(place: SftpPlace, login: SftpLogin, shown: list[str]) -> asyncssh.SSHClientConnectionOptions:
    class Client(asyncssh.SSHClient):
        def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
            """Only asked about a key that is not pinned."""
            shown.append(f"{key.get_algorithm()} {key.get_fingerprint()}")
            return False

    return asyncssh.SSHClientConnectionOptions(
        config=None,
        client_factory=Client,
        username=place.user,
        # Never empty: the account's own list would be taken instead.
        known_hosts=(_host_keys(login), [], []),
        password=login.password,
        client_keys=None if login.private_key is None else [_private_key(login.private_key)],
        agent_path=None,
        gss_host=None,
        x509_trusted_certs=None,
        keepalive_interval=_KEEP_ALIVE_S,
    )


def _host_keys(login: SftpLogin) -> list[asyncssh.SSHKey]:
    try:
        found = [asyncssh.import_public_key(line) for line in login.host_keys]
    except asyncssh.KeyImportError:
        found = []
    if not found:
        raise JobFailed("the host_key holds no public key that can be read", retryable=False)
    return found


def _private_key(text: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(text)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        raise JobFailed(
            "the private_key cannot be read; it has to be in OpenSSH or PEM form, without a passphrase", retryable=False
        ) from None


def _not_in(error: Exception, place: SftpPlace, shown: list[str]) -> JobFailed:
    why = f"the SFTP server {place.server} "
    if shown:
        why += f"shows the host key {shown[0]}, which is not pinned in host_key; nothing was sent to it"
    elif isinstance(error, asyncssh.PermissionDenied):
        why += f"does not let {place.user} in with this password or key"
    elif isinstance(error, (asyncssh.KeyExchangeFailed, asyncssh.HostKeyNotVerifiable)):
        why += f"has no host key of the pinned kinds, or speaks an outdated SSH: {error}"
    else:
        return JobFailed(f"{why}cannot be reached: {str(error) or type(error).__name__}")
    return JobFailed(why, retryable=False)


@contextmanager
def _explained(place: SftpPlace, path: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise JobFailed(f"the SFTP server {place.server} was too slow with {path}") from None
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        # It may still come, so another attempt makes sense.
        raise JobFailed(f"the file {path} is not there on the SFTP server {place.server}") from None
    except asyncssh.SFTPPermissionDenied:
        raise JobFailed(
            f"the SFTP server {place.server} does not allow {place.user} to use {path}", retryable=False
        ) from None
    except (OSError, asyncssh.Error) as error:
        detail = str(error) or type(error).__name__
        raise JobFailed(f"the SFTP server {place.server} failed at {path}: {detail}") from None


def _facts(path: str, found: asyncssh.SFTPAttrs) -> SftpFacts:
    if found.type not in {asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN} or found.size is None:
        raise JobFailed(f"{posixpath.basename(path)} is not a plain file", retryable=False)
    return SftpFacts(found.size, float(found.mtime or 0))
