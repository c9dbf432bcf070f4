from ipaddress import ip_address

import pytest

from eventjobs.outbound.addresses import OutboundRules, is_public, literal

NOTHING = OutboundRules()

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "169.254.169.254", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1",
    "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::1", "::", "fd00::1", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_unicast_is_known_as_such(address: str) -> None:
    assert not is_public(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    assert NOTHING.objection(f"http://{host}/") is not None


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808"])
def test_a_public_address_may_be_called(address: str) -> None:
    assert is_public(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    assert NOTHING.objection(f"https://{host}/") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://0/",
        "http://127.0.0.1./",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://a.localhost/",
        "http://printer.local/",
        "http://metadata.google.internal/",
        "http://[::ffff:7f00:1]/",
    ],
)
def test_a_private_target_is_refused_in_every_spelling(url: str) -> None:
    assert NOTHING.objection(url) is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://user:password@example.org/",
        "http://user@example.org/",
        "http://example.org:25/",
        "http://example.org:0/",
        "http://example.org:8080/",
        "http://example.org/#fragment",
        "http://example.org/#",
        "http://example.org/a\r\nX: y",
        "http://exa mple.org/",
        "http://example.org/\x00",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "javascript:alert(1)",
        "//example.org/",
        "example.org",
        "http://",
        "http:///path",
        "http://example.org:99999/",
        "http://[::1/",
        "http://example.org/" + "x" * 3000,
        "",
    ],
)
def test_a_url_that_is_not_a_plain_web_address_is_refused(url: str) -> None:
    assert NOTHING.objection(url) is not None


@pytest.mark.parametrize("url", ["http://example.org", "https://example.org:443/a?b=c", "http://example.org:80/ä"])
def test_a_plain_web_address_is_fine(url: str) -> None:
    assert NOTHING.objection(url) is None


def test_an_allowed_socket_allows_no_other_port() -> None:
    rules = OutboundRules.parse(["127.0.0.1:8080"])
    assert rules.objection("http://127.0.0.1:8080/readyz") is None
    assert rules.objection("http://127.0.0.1:8081/") is not None
    assert rules.objection("http://127.0.0.1/") is not None
    assert rules.admits(ip_address("127.0.0.1"), 8080)
    assert not rules.admits(ip_address("127.0.0.2"), 8080)


def test_an_allowed_host_allows_all_its_ports_and_spellings() -> None:
    rules = OutboundRules.parse(["Hooks.Internal"])
    assert rules.objection("http://hooks.internal.:9000/") is None
    assert rules.objection("http://other.internal/") is not None


def test_an_allowed_network_allows_its_addresses_alone() -> None:
    rules = OutboundRules.parse(["10.20.0.0/16", " fd00::/8", ""])
    assert rules.objection("http://10.20.3.4:9000/") is None
    assert rules.objection("http://[fd12::1]:9000/") is None
    assert rules.objection("http://10.21.0.1/") is not None
    assert rules.objection("http://service.internal:9000/") is None, "its address decides, when it is called"
    assert not rules.admits(ip_address("127.0.0.1"), 80)


def test_a_bare_address_is_allowed_at_every_port() -> None:
    for entry, url in (("::1", "http://[::1]:81/"), ("127.0.0.1", "http://127.0.0.1:81/")):
        assert OutboundRules.parse([entry]).objection(url) is None


@pytest.mark.parametrize("entry", ["http://example.org", "10.0.0.1/8", "a/b", "user@host", "host:port"])
def test_an_entry_of_no_known_form_is_refused(entry: str) -> None:
    with pytest.raises(ValueError):
        OutboundRules.parse([entry])


@pytest.mark.parametrize("host", ["example.org", "1.2.3.4.5", "a1", ""])
def test_a_name_is_no_address(host: str) -> None:
    assert literal(host) is None
