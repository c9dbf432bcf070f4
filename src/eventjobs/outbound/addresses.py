"""
Which hosts and addresses outbound calls may reach.

Everything that is not a public unicast address is refused, in all its spellings, unless the deployment allows it:
`EVENTJOBS_OUTBOUND_ALLOW` lists hosts (`hooks.internal`), hosts with a port (`127.0.0.1:8080`) and networks
(`10.20.0.0/16`).
"""

import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

Address: TypeAlias = IPv4Address | IPv6Address

Ports: TypeAlias = Mapping[str, int]
"""The schemes that a call may have, and the one port at which each reaches public addresses."""

HTTP: Final[Ports] = {"http": 80, "https": 443}
SFTP: Final[Ports] = {"sftp": 22}

_URL_CHARS_MAX: Final = 2_048
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f]")
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
_TRANSLATED_LOCAL: Final = IPv6Network("64:ff9b:1::/48")
_COMPATIBLE: Final = IPv6Network("::/96")
_LOCAL_NAMES: Final = ("localhost", "local", "internal")


@dataclass(frozen=True, slots=True)
class OutboundRules:
    """What is allowed beyond public addresses at the usual ports (80 and 443, for SFTP 22)."""

    hosts: frozenset[str] = frozenset()
    sockets: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = field(default=())

    @classmethod
    def parse(cls, entries: Iterable[str]) -> "OutboundRules":
        """Read the setting's entries; raises `ValueError` for one that is none of the three forms."""
        hosts, sockets, networks = set(), set(), []
        for entry in (text.strip() for text in entries):
            if not entry:
                continue
            if "/" in entry or literal(entry) is not None:
                networks.append(ip_network(entry if "/" in entry else str(literal(entry))))
                continue
            parts = urlsplit(f"//{entry}")
            if parts.hostname is None or parts.path or parts.username is not None:
                raise ValueError(f"{entry!r} is not a host, host:port or network")
            host = spelled(parts.hostname)
            if parts.port is None:
                hosts.add(host)
            else:
                sockets.add((host, parts.port))
        return cls(frozenset(hosts), frozenset(sockets), tuple(networks))

    def names(self, host: str, port: int) -> bool:
        """Tell whether the rules name this host, with this port or with any."""
        spelling = spelled(host)
        return spelling in self.hosts or (spelling, port) in self.sockets

    def admits(self, address: Address, port: int, ports: Ports = HTTP) -> bool:
        """Tell whether a connection to exactly this address may be made, whatever name led to it."""
        if self.names(str(address), port) or any(address in network for network in self.networks):
            return True
        return is_public(address) and port in ports.values()

    def objection(self, url: str, ports: Ports = HTTP) -> str | None:
        """Return why a URL may not be called as far as its text tells, or `None`."""
        if len(url) > _URL_CHARS_MAX or _UNPRINTABLE.search(url):
            return "is too long or holds spaces or control characters"
        if "#" in url:
            return "holds a fragment"
        try:
            parts = urlsplit(url)
            port = ports.get(parts.scheme, 0) if parts.port is None else parts.port
        except ValueError:
            return "is not a URL"
        return _malformed(parts, ports) or self._unreachable(parts.hostname or "", port, ports)

    def _unreachable(self, host: str, port: int, ports: Ports) -> str | None:
        if self.names(host, port):
            return None
        address = literal(host)
        if address is not None:
            return None if self.admits(address, port, ports) else f"leads to {host}:{port}, which is not allowed"
        if self.networks or any(literal(allowed) for allowed, _ in self.sockets):
            # Its address may be one of these: the connection will tell.
            return None
        if spelled(host).rsplit(".", 1)[-1] in _LOCAL_NAMES:
            return f"leads to {host}, a private name"
        if port in ports.values():
            return None
        return f"has port {port}, which is not {_joined(ports.values(), 'or')}"


def is_public(address: Address) -> bool:
    """Tell whether an address is globally reachable unicast, looking through IPv6 forms that carry an IPv4 address."""
    if isinstance(address, IPv6Address):
        carried = _carried(address)
        if carried is not None:
            return is_public(carried)
        if address.is_site_local or address in _TRANSLATED_LOCAL:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def literal(host: str) -> Address | None:
    """Return the address that a host spells, also as one number, in hex or octal (`2130706433`, `0x7f.1`)."""
    try:
        return ip_address(host.rstrip("."))
    except ValueError:
        pass
    try:
        # What the C library takes for an IPv4 address, it would also connect to.
        return IPv4Address(socket.inet_aton(host.rstrip(".")))
    except (OSError, UnicodeError, ValueError):
        return None


def spelled(host: str) -> str:
    """Return one spelling for a host: lower case, no dot at the end, addresses in canonical form."""
    plain = host.lower().rstrip(".")
    address = literal(plain)
    return plain if address is None else str(address)


def _malformed(parts: SplitResult, ports: Ports) -> str | None:
    if parts.scheme not in ports:
        return f"does not begin with {_joined((f'{scheme}://' for scheme in ports), 'or')}"
    if parts.password is not None or (parts.username is not None and ports is not SFTP):
        return "holds a user name or password"
    return None if parts.hostname else "names no host"


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _TRANSLATED or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _joined(entries: Iterable[object], word: str) -> str:
    return f" {word} ".join(map(str, entries))
