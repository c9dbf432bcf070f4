"""Size, time, kind and frame of requests."""

import asyncio
import gzip
import zlib

import pytest

from eventjobs.api.body import BODY_BYTES_MAX
from tests.api.rig import Rig, started, with_workspace
from tests.api.wire import head, send
from tests.support.capturing import capture_logs

JSON = "Content-Type: application/json"


async def test_a_body_of_exactly_one_mebibyte_is_read(rig: Rig) -> None:
    body = b'{"id": "x", "handler": "noop"' + b" " * (BODY_BYTES_MAX - 30) + b"}"

    assert len(body) == BODY_BYTES_MAX
    assert (await rig.post("/v1/acme/commands/AddService", body)).status == 201


async def test_a_length_beyond_the_limit_is_refused_before_the_body_is_read(rig: Rig) -> None:
    answered = await send(rig, head(rig, "/v1/acme/commands/AddService", JSON, f"Content-Length: {BODY_BYTES_MAX + 1}"))

    assert (answered.status, answered.code, answered.closed) == (413, "body_too_large", True)


async def test_chunks_that_grow_beyond_the_limit_are_refused_at_it(rig: Rig) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"

    answered = await send(rig, head(rig, "/v1/acme/commands", JSON, "Transfer-Encoding: chunked"), *[chunk] * 100)

    assert (answered.status, answered.code, answered.closed) == (413, "body_too_large", True)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(b"{}", mtime=0)), ("deflate", zlib.compress(b"{}")), ("br", b"{}"), ("gzip, gzip", b"{}")],
)
async def test_a_compressed_body_is_415(rig: Rig, encoding: str, body: bytes) -> None:
    answered = await send(
        rig,
        head(
            rig, "/v1/acme/commands/AddService", JSON, f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}"
        ),
        body,
    )

    assert (answered.status, answered.code) == (415, "encoded_body")


async def test_a_slow_body_is_408_after_the_deadline_in_all() -> None:
    async with started(body_timeout_s=0.5) as rig:
        await with_workspace(rig)
        before = rig.log.known_head.position

        answered = await send(
            rig, head(rig, "/v1/acme/commands/AddService", JSON, "Content-Length: 100"), *[b" "] * 100, pause_s=0.1
        )

        assert (answered.status, answered.code, answered.closed) == (408, "body_too_slow", True)
        assert rig.log.known_head.position == before


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json; charset=utf-16",
    ],
)
async def test_another_kind_of_body_is_415(rig: Rig, kind: str | None) -> None:
    extra = [] if kind is None else [f"Content-Type: {kind}"]
    answered = await send(rig, head(rig, "/v1/acme/commands/AddService", *extra, "Content-Length: 2"), b"{}")

    assert (answered.status, answered.code) == (415, "not_json_type")


async def test_json_with_its_charset_is_read(rig: Rig) -> None:
    headers = {"Content-Type": "application/json; charset=UTF-8"}

    assert (await rig.command("AddService", {"handler": "noop"}, headers=headers)).status == 201


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Content-Length: 2", "Content-Length: 3"),
        ("Content-Length: -1",),
        ("Content-Length: 0x2",),
        ("Host: 127.0.0.1", "Host: evil.test"),
        ("Bad Header: x",),
        ("X-Nul: a\x00b",),
    ],
)
async def test_an_ambiguous_frame_is_400_and_the_connection_ends(rig: Rig, lines: tuple[str, ...]) -> None:
    answered = await send(rig, head(rig, "/v1/acme/commands/AddService", JSON, *lines), b"{}")

    assert (answered.status, answered.closed) == (400, True)
    assert "Traceback" not in answered.body.decode()


async def test_headers_and_addresses_are_bounded(rig: Rig) -> None:
    long_header = await send(rig, head(rig, "/v1/me", f"X-Long: {'x' * 9_000}", method="GET"))
    long_address = await send(rig, head(rig, f"/v1/me?x={'x' * 9_000}", method="GET"))
    many_headers = await send(rig, head(rig, "/v1/me", *[f"X-{n}: 1" for n in range(200)], method="GET"))

    assert {long_header.status, long_address.status, many_headers.status} <= {400, 431}


async def test_malformed_cookies_are_nobodys_business(rig: Rig) -> None:
    cookies = "; ".join(f"=\x01{n}" for n in range(300))

    assert (await send(rig, head(rig, "/v1/me", f"Cookie: {cookies}", method="GET"))).status in {200, 400}


@pytest.mark.parametrize("method", ["TRACE", "PATCH", "PUT", "DELETE", "OPTIONS"])
async def test_another_method_is_405_with_what_is_allowed(rig: Rig, method: str) -> None:
    answered = await rig.call(method, "/v1/workspaces")

    assert (answered.status, answered.code) == (405, "method_not_allowed")
    assert answered.headers["Allow"] == "GET,HEAD,POST"


async def test_a_malformed_request_is_one_line_in_the_log_without_what_was_sent(rig: Rig) -> None:
    with capture_logs() as lines:
        answered = await send(rig, head(rig, "/v1/workspaces", "Bad Header: x", method="GET"))

    assert answered.status == 400
    assert lines == [{"event": "malformed_request", "kind": "BadHttpMessage", "log_level": "info"}]


async def test_a_method_override_is_ignored(rig: Rig) -> None:
    answered = await rig.get("/v1/acme/commands", headers={"X-HTTP-Method-Override": "POST"})

    assert (answered.status, answered.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/", 404, "no_such_path"),
        ("/v2", 404, "no_such_path"),
        ("/..%2f..%2fetc/passwd", 404, "no_such_path"),
        ("/docs/..%2fpages.py", 404, "no_such_path"),
        ("/v1/%00/runs", 400, "bad_text"),
        ("/v1/acme;x=y/runs", 404, "unknown_workspace"),
        ("//v1/acme", 404, "no_such_path"),
        ("/v1/acme/commands/AddService/extra", 404, "no_such_path"),
        ("/v1/%ff%fe/runs", 404, "unknown_workspace"),
        ("/v1/acme%0a", 404, "unknown_workspace"),
    ],
)
async def test_an_odd_path_is_404_or_400(rig: Rig, path: str, status: int, code: str) -> None:
    answered = await send(rig, head(rig, path, method="GET"))

    assert (answered.status, answered.code) == (status, code)


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "localhost:80:80", "evil.test:8080", ""])
async def test_an_unknown_host_is_421(rig: Rig, host: str) -> None:
    answered = await send(rig, head(rig, "/healthz", f"Host: {host}", method="GET"))

    assert (answered.status, answered.code) == (421, "unknown_host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "127.0.0.1:80", "[::1]:80", "[::1]"])
async def test_loopback_is_known_by_all_its_names(rig: Rig, host: str) -> None:
    assert (await send(rig, head(rig, "/healthz", f"Host: {host}", method="GET"))).status == 200


async def test_a_configured_host_is_known() -> None:
    async with started(hosts=("jobs.example.org",)) as rig:
        named = await send(rig, head(rig, "/healthz", "Host: Jobs.Example.org:443", method="GET"))

        assert named.status == 200


async def test_forwarded_headers_change_nothing(rig: Rig) -> None:
    forged = {"X-Forwarded-Host": "evil.test", "X-Forwarded-For": "6.6.6.6", "Forwarded": "host=evil.test"}

    answered = await rig.get("/v1/me", headers=forged)

    assert answered.status == 200
    assert b"evil" not in answered.body


async def test_every_answer_carries_its_id_and_the_security_headers(rig: Rig) -> None:
    for path in ("/v1/me", "/nowhere", "/healthz", "/openapi.json", "/metrics"):
        headers = (await rig.get(path)).headers
        assert headers["X-Request-Id"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Server"] == "eventjobs"
        assert "Access-Control-Allow-Origin" not in headers


async def test_a_client_that_leaves_before_the_answer_is_obeyed(rig: Rig) -> None:
    body = b'{"id": "left", "handler": "noop"}'
    _, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    writer.write(head(rig, "/v1/acme/commands/AddService", JSON, f"Content-Length: {len(body)}") + body)
    await writer.drain()
    writer.close()

    again = await rig.command("AddService", {"id": "left", "handler": "noop"})

    assert (again.status, again.json["version"]) == (200, 1)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("Idempotency-Key: a", "Idempotency-Key: b"), "bad_idempotency_key"),
        (('If-Match: "1"', 'If-Match: "2"'), "bad_if_match"),
    ],
)
async def test_a_header_that_is_given_twice_says_nothing(rig: Rig, lines: tuple[str, ...], code: str) -> None:
    ending = ("Content-Length: 2", "Connection: close")
    answered = await send(rig, head(rig, "/v1/acme/commands/AddService", JSON, *lines, *ending), b"{}")

    assert (answered.status, answered.code) == (400, code)
