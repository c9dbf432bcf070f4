"""
HTTP and SFTP to others: every address is checked, and the connection goes to the address that was checked.

Names are looked up by ourselves, which refuses a name if any of its addresses is not allowed; the socket is made only
for an address that passed, so neither a literal address nor a second look-up gets around it.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from eventjobs.errors import AddressRefused, JobFailed
from eventjobs.outbound.addresses import HTTP, SFTP, Address, OutboundRules, Ports
from eventjobs.outbound.sftp_login import SftpLogin, SftpPlace

if TYPE_CHECKING:
    from eventjobs.outbound.sftp import SftpSession

_CONNECT_S_MAX: Final = 10.0
_LINE_BYTES_MAX: Final = 8 * 1024


async def _refuse_redirect(_session: aiohttp.ClientSession, _context: SimpleNamespace, _found: object) -> None:
    raise AddressRefused("the answer is a redirect; redirects are not followed")


_NO_REDIRECTS: Final = aiohttp.TraceConfig()
_NO_REDIRECTS.on_request_redirect.append(_refuse_redirect)


@dataclass(frozen=True, slots=True)
class GuardedOutbound:
    """The real `Outbound`."""

    rules: OutboundRules = field(default_factory=OutboundRules)

    def check(self, url: str) -> None:
        """Refuse a URL by its text."""
        objection = self.rules.objection(url)
        if objection is not None:
            raise JobFailed(f"the URL {objection}", retryable=False)

    @asynccontextmanager
    async def session(self, *, total_s: float) -> AsyncIterator[aiohttp.ClientSession]:
        """Open a session: no proxies, cookies, decompression or redirects."""
        guard = _Guard(self.rules)
        connector = aiohttp.TCPConnector(
            resolver=guard,
            socket_factory=guard.open_socket,
            use_dns_cache=False,
            force_close=True,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=total_s, sock_connect=_CONNECT_S_MAX),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers={"Accept-Encoding": "identity"},
            max_line_size=_LINE_BYTES_MAX,
            max_field_size=_LINE_BYTES_MAX,
            trace_configs=[_NO_REDIRECTS],
        ) as session:
            yield session

    @asynccontextmanager
    async def sftp(self, place: SftpPlace, login: SftpLogin, *, total_s: float) -> AsyncIterator["SftpSession"]:
        """Open a session with an SFTP server that shows a pinned host key; whatever fails is `JobFailed`."""
        from eventjobs.outbound.sftp import open_session  # noqa: PLC0415 slow to import, and not everybody's

        async with open_session(partial(connected, self.rules), place, login, total_s=total_s) as session:
            yield session


async def allowed_addresses(rules: OutboundRules, host: str, port: int, family: int, ports: Ports) -> Sequence[Any]:
    """Look a name up as `getaddrinfo` does; raises `AddressRefused` if any of its addresses may not be reached."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    if not rules.names(host, port):
        for _, _, _, _, (address, *_) in found:
            if not rules.admits(_plain(address), port, ports):
                raise AddressRefused(f"{host} leads to {address}:{port}, which is not allowed")
    return found


async def connected(rules: OutboundRules, host: str, port: int) -> socket.socket:
    """Connect to the first address of an SFTP server that answers; raises `OSError`, also where none may be reached."""
    failed: OSError = ConnectionError(f"{host} has no address")
    for family, kind, proto, _, where in await allowed_addresses(rules, host, port, socket.AF_UNSPEC, SFTP):
        made = socket.socket(family=family, type=kind, proto=proto)
        made.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(made, where)
        except OSError as error:
            made.close()
            failed = error
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise failed


def refusal(error: BaseException | None) -> AddressRefused | None:
    """Return our own refusal, if it is the cause of what the HTTP client raised."""
    while error is not None:
        if isinstance(error, AddressRefused):
            return error
        error = getattr(error, "os_error", None) or error.__cause__ or error.__context__
    return None


def told(error: Exception) -> str:
    """Return what went wrong with a call, without the URL: it may be a secret that no longer looks like itself."""
    match refusal(error) or error:
        case aiohttp.ClientResponseError(message=message):
            return message or "the answer is not HTTP"
        case aiohttp.InvalidURL():
            return "the URL cannot be called"
        case other:
            return str(other) or type(other).__name__


class _Guard(AbstractResolver):
    def __init__(self, rules: OutboundRules) -> None:
        self._rules = rules
        self._granted: set[tuple[str, int]] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await allowed_addresses(self._rules, host, port, family, HTTP)
        self._granted |= {(str(address), port) for _, _, _, _, (address, *_) in found}
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=found_family,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for found_family, _, proto, _, (address, *_) in found
        ]

    async def close(self) -> None:
        """Nothing is held."""

    def open_socket(self, info: Any) -> socket.socket:
        """Make the socket for one address; literal ones come here without having been resolved."""
        family, kind, proto, _, (address, port, *_) = info
        if (address, port) not in self._granted and not self._rules.admits(_plain(address), port):
            raise AddressRefused(f"{address}:{port} is not allowed")
        made = socket.socket(family=family, type=kind, proto=proto)
        made.setblocking(False)
        return made


def _plain(address: object) -> Address:
    """Return an address without the zone that a link-local one may have."""
    return ip_address(str(address).partition("%")[0])
