"""
`http`: calls a URL; the answer's status says whether the job succeeded.

Every attempt of a job run carries the same `Idempotency-Key`, so a receiver can tell a retry from a new call; with
`signature` the request is signed as in Standard Webhooks. The call of a flow carries `Eventjobs-Callback`; an answer of
status 202 with the header `Eventjobs-Suspended`, which says what it waits for, suspends the flow until that address is
called. Without a `body` of its own, the request has what the job gets: `{"input": …, "outputs": {"<row>": …}}`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias

import aiohttp
import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationInfo, field_validator

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext, Result, Suspended
from eventjobs.handlers.registry import Handler
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import refusal, told
from eventjobs.outbound.secrets import is_reference
from eventjobs.outbound.signature import signature_headers

ANSWER_BYTES_MAX: Final = 64 * 1024
SUSPENDED: Final = "Eventjobs-Suspended"

_SHOWN_CHARS_MAX: Final = 8 * 1024
_RETRYABLE_BELOW_500: Final = frozenset({408, 425, 429})
_SERVER_ERRORS: Final = 500
_ACCEPTED: Final = 202
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_TOKEN: Final = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$")
_VALUE: Final = re.compile(r"^[\t\x20-\x7e\x80-\U0010ffff]{0,4096}$")
_RANGE: Final = re.compile(r"^([1-5]\d\d)(?:-([1-5]\d\d))?$")
_OURS: Final = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer", "expect"}
    | {
        "idempotency-key",
        "eventjobs-run",
        "eventjobs-job",
        "eventjobs-attempt",
        "eventjobs-term",
        "eventjobs-callback",
        "eventjobs-due",
    }
    | {"webhook-id", "webhook-timestamp", "webhook-signature"}
)


def _sendable(headers: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError("a header's name or value holds characters that cannot be sent")
        if name.lower() in _OURS:
            raise ValueError(f"the header {name} is set by the service")
    return headers


Headers: TypeAlias = Annotated[Mapping[str, str], AfterValidator(_sendable)]
"""What a configuration adds to a request."""


class Signature(BaseModel):
    """The secret that signs, as `secret://name`; during a rotation the previous one signs too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: str = Field(min_length=1)
    previous_secret: str | None = Field(default=None, min_length=1)

    @field_validator("secret", "previous_secret")
    @classmethod
    def _is_secret(cls, secret: str | None, info: ValidationInfo) -> str | None:
        # A context comes with a definition, which is kept for ever; a run has none, and the secrets filled in.
        if secret is not None and info.context is not None and not is_reference(secret):
            raise ValueError("must be secret://name")
        return secret


class HttpConfig(BaseModel):
    """One request. `body` is sent as JSON, a text as it is; `success` lists statuses or ranges of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="http or https")
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: Headers = Field(default_factory=dict)
    body: JsonValue = None
    success: Sequence[str | int] = Field(default=("200-299",), min_length=1)
    timeout: Annotated[timedelta, Field(gt=timedelta(), le=timedelta(hours=1))] = timedelta(seconds=10)
    signature: Signature | None = None

    @field_validator("url")
    @classmethod
    def _callable(cls, url: str, info: ValidationInfo) -> str:
        if is_reference(url):
            return url
        # Without rules this is a run, where the context's port checks.
        rules = (info.context or {}).get("outbound")
        objection = rules.objection(url) if isinstance(rules, OutboundRules) else None
        if objection is not None:
            raise ValueError(f"the URL {objection}")
        return url

    @field_validator("success")
    @classmethod
    def _ranges(cls, success: Sequence[str | int]) -> Sequence[str | int]:
        for entry in success:
            if not _RANGE.fullmatch(str(entry)):
                raise ValueError(f"{str(entry)[:20]!r} is not a status or a range such as 200-299")
        return success

    def accepts(self, status: int) -> bool:
        """Tell whether a status counts as success."""
        found = (_RANGE.fullmatch(str(entry)) for entry in self.success)
        return any(int(match[1]) <= status <= int(match[2] or match[1]) for match in found if match)


async def run(context: HandlerContext, config: HttpConfig) -> Result | Suspended:
    """Send the request once and judge the answer."""
    context.outbound.check(config.url)
    body, content_type = _encoded(_body(context, config))
    headers = content_type | dict(config.headers) | own_headers(context)
    if config.signature is not None:
        signature = config.signature
        headers |= signature_headers(
            context.idempotency_key, context.now(), body, signature.secret, signature.previous_secret
        )
    status, output, waits_for = await _exchange(context, config, headers, body)
    context.log("info", f"{config.method} answered {status}", status=status)
    if context.callback_url is not None and status == _ACCEPTED and waits_for is not None:
        return Suspended(waits_for=waits_for)
    if config.accepts(status):
        return Result(output=output)
    raise JobFailed(f"the answer's status is {status}", output=output, retryable=may_come_right(status))


def may_come_right(status: int) -> bool:
    """Tell whether a call that was answered so may succeed another time."""
    return status >= _SERVER_ERRORS or status in _RETRYABLE_BELOW_500


async def _exchange(
    context: HandlerContext, config: HttpConfig, headers: Mapping[str, str], body: bytes
) -> tuple[int, Mapping[str, Any], str | None]:
    try:
        async with (
            context.outbound.session(total_s=config.timeout.total_seconds()) as session,
            session.request(
                config.method, config.url, headers=headers, data=body or None, allow_redirects=False
            ) as answer,
        ):
            return answer.status, await _read(answer), answer.headers.get(SUSPENDED)
    except TimeoutError:
        raise JobFailed(f"no complete answer within {config.timeout.total_seconds():g} s") from None
    except (aiohttp.ClientError, OSError) as error:
        refused = refusal(error)
        if refused is not None:
            raise JobFailed(str(refused), retryable=False) from None
        raise JobFailed(f"the call failed: {told(error)}") from None


def own_headers(context: HandlerContext) -> dict[str, str]:
    """Return what tells the receiver which attempt calls."""
    callback = {} if context.callback_url is None else {"Eventjobs-Callback": context.callback_url}
    due = {} if context.due is None else {"Eventjobs-Due": f"{context.due:%Y-%m-%dT%H:%M:%SZ}"}
    return {
        **callback,
        **due,
        "Idempotency-Key": context.idempotency_key,
        "Eventjobs-Run": context.run,
        "Eventjobs-Job": f"{context.job.kind}/{context.job.id}",
        "Eventjobs-Attempt": str(context.attempt),
        "Eventjobs-Term": str(context.term),
        "User-Agent": "eventjobs",
    }


def _body(context: HandlerContext, config: HttpConfig) -> JsonValue:
    """Return the configured body, or where there is none what the job gets from its row and earlier stages."""
    if config.body is not None or config.method not in _WITH_BODY or not (context.input or context.outputs):
        return config.body
    return {"input": context.input, "outputs": {str(row): output for row, output in context.outputs.items()}}


def _encoded(body: JsonValue) -> tuple[bytes, dict[str, str]]:
    match body:
        case None:
            return b"", {}
        case str():
            return body.encode(), {"Content-Type": "text/plain; charset=utf-8"}
        case _:
            return orjson.dumps(body), {"Content-Type": "application/json"}


async def _read(answer: aiohttp.ClientResponse) -> Mapping[str, Any]:
    """Read at most 64 kB as they came over the line, and show them as JSON or as text."""
    raw = bytearray()
    async for chunk in answer.content.iter_chunked(ANSWER_BYTES_MAX):
        raw += chunk
        if len(raw) > ANSWER_BYTES_MAX:
            break
    output: dict[str, Any] = {"status": answer.status, "content_type": answer.headers.get("Content-Type", "")[:200]}
    whole = len(raw) <= ANSWER_BYTES_MAX
    if whole and len(raw) <= _SHOWN_CHARS_MAX and answer.content_type == "application/json":
        try:
            return output | {"body": orjson.loads(raw)}
        except orjson.JSONDecodeError:
            pass
    text = raw.decode("utf-8", "replace")
    return output | {"body": text[:_SHOWN_CHARS_MAX], "truncated": not whole or len(text) > _SHOWN_CHARS_MAX}


HANDLER: Final = Handler(name="http", summary="Calls a URL", config=HttpConfig, run=run)
