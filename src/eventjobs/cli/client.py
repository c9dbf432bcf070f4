"""The service's HTTP interface, as the commands use it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import aiohttp
import orjson

from eventjobs.cli.target import Target
from eventjobs.errors import ServiceRefused, ServiceUnreachable

ANSWER_S: Final = 60.0
CONNECT_S: Final = 5.0
SILENCE_S: Final = 60.0
"""A stream that says nothing at all for this long has died."""
LINE_BYTES_MAX: Final = 4 * 1024 * 1024
NDJSON: Final = "application/x-ndjson"
_ERRORS: Final = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `status`, the JSON document, and whether it repeats an earlier answer."""

    status: int
    document: Any
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """One server-sent event; `id` is the last position that the stream named."""

    event: str
    data: Any
    id: str | None


class Client:
    """
    A connection to one service, to be used in `async with`.

    Every method raises `ServiceRefused` for an error's answer and `ServiceUnreachable` where none came.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        headers = {"Accept": "application/json", "User-Agent": "eventjobs-cli"}
        if target.key is not None:
            headers["Authorization"] = f"Bearer {target.key}"
        self._session = aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=ANSWER_S, connect=CONNECT_S),
            read_bufsize=LINE_BYTES_MAX,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def get(self, path: str, params: Mapping[str, object] | None = None) -> Any:
        """Return a document."""
        return (await self._ask("GET", path, params=params)).document

    async def post(
        self,
        path: str,
        body: object,
        *,
        params: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send JSON and return the answer."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        return await self._ask("POST", path, params=params, data=orjson.dumps(body), headers=sent)

    async def lines(self, path: str, params: Mapping[str, object] | None = None) -> AsyncIterator[Any]:
        """Yield the documents of an NDJSON answer, one by one."""
        async with self._open("GET", path, params=params, headers={"Accept": NDJSON}, stream=True) as response:
            async for line in response.content:
                if line.strip():
                    yield orjson.loads(line)

    async def frames(
        self, path: str, params: Mapping[str, object] | None = None, *, last_id: str | None = None
    ) -> AsyncIterator[Frame]:
        """Yield server-sent events until the service closes the stream."""
        headers = {"Accept": "text/event-stream", **({} if last_id is None else {"Last-Event-ID": last_id})}
        async with self._open("GET", path, params=params, headers=headers, stream=True) as response:
            fields: dict[str, str] = {}
            async for raw in response.content:
                line = raw.decode().rstrip("\r\n")
                name, _, value = line.partition(":")
                if name:
                    value = value.removeprefix(" ")
                    fields[name] = f"{fields[name]}\n{value}" if name == "data" and name in fields else value
                elif not line and "data" in fields:
                    last_id = fields.get("id", last_id)
                    yield Frame(fields.get("event", "message"), orjson.loads(fields["data"]), last_id)
                    fields = {}

    async def _ask(self, method: str, path: str, **arguments: Any) -> Answer:
        async with self._open(method, path, **arguments) as response:
            text = await response.read()
            try:
                document = orjson.loads(text) if text.strip() else None
            except orjson.JSONDecodeError:
                raise ServiceUnreachable(f"{self.target.url} answers, but not like this service") from None
            return Answer(response.status, document, response.headers.get("Idempotency-Replayed") == "true")

    @asynccontextmanager
    async def _open(
        self, method: str, path: str, *, stream: bool = False, params: Mapping[str, object] | None = None, **more: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        given = {name: _text(value) for name, value in (params or {}).items() if value is not None}
        if stream:
            more["timeout"] = aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=SILENCE_S)
        try:
            async with self._session.request(method, self.target.url + path, params=given, **more) as response:
                if response.status >= _ERRORS:
                    raise ServiceRefused(_problem(response, await response.read()))
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise ServiceUnreachable(f"nobody answers at {self.target.url}: {reason}") from error


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _problem(response: aiohttp.ClientResponse, text: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        document = None
    if isinstance(document, dict):
        return {"status": response.status, **document}
    return {"status": response.status, "title": response.reason or "Refused", "detail": ""}
