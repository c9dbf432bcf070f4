"""
`http`: calls a URL; the answer's status says whether the job succeeded.

Every attempt of a job run carries the same `Idempotency-Key`, so a receiver can tell a retry from a new call; with
`signature` the request is signed as in Standard Webhooks.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

import aiohttp
import orjson
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationInfo, field_validator

from eventjobs.errors import JobFailed
from eventjobs.handlers.addresses import OutboundRules
from eventjobs.handlers.context import HandlerContext, Result
from eventjobs.handlers.outbound import refusal
from eventjobs.handlers.registry import Handler
from eventjobs.handlers.secrets import is_reference
from eventjobs.handlers.signature import signature_headers

ANSWER_BYTES_MAX: Final = 64 * 1024

_SHOWN_CHARS_MAX: Final = 8 * 1024
_RETRYABLE_BELOW_500: Final = frozenset({408, 425, 429})
_SERVER_ERRORS: Final = 500
_TOKEN: Final = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$")
_VALUE: Final = re.compile(r"^[\t\x20-\x7e\x80-\U0010ffff]{0,4096}$")
_RANGE: Final = re.compile(r"^([1-5]\d\d)(?:-([1-5]\d\d))?$")
_OURS: Final = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer", "expect"}
    | {"idempotency-key", "eventjobs-run", "eventjobs-job", "eventjobs-attempt", "eventjobs-term"}
    | {"webhook-id", "webhook-timestamp", "webhook-signature"}
)


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
    headers: Mapping[str, str] = Field(default_factory=dict)
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

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: Mapping[str, str]) -> Mapping[str, str]:
        for name, value in headers.items():
            if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
                raise ValueError("a header's name or value holds characters that cannot be sent")
            if name.lower() in _OURS:
                raise ValueError(f"the header {name} is set by the service")
        return headers

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


async def run(context: HandlerContext, config: HttpConfig) -> Result:
    """Send the request once and judge the answer."""
    context.outbound.check(config.url)
    body, content_type = _encoded(config.body)
    headers = content_type | dict(config.headers) | _own_headers(context)
    if config.signature is not None:
        signature = config.signature
        headers |= signature_headers(
            context.idempotency_key, context.now(), body, signature.secret, signature.previous_secret
        )
    status, output = await _exchange(context, config, headers, body)
    context.log("info", f"{config.method} answered {status}", status=status)
    if config.accepts(status):
        return Result(output=output)
    retryable = status >= _SERVER_ERRORS or status in _RETRYABLE_BELOW_500
    raise JobFailed(f"the answer's status is {status}", output=output, retryable=retryable)


async def _exchange(
    context: HandlerContext, config: HttpConfig, headers: Mapping[str, str], body: bytes
) -> tuple[int, Mapping[str, Any]]:
    try:
        async with (
            context.outbound.session(total_s=config.timeout.total_seconds()) as session,
            session.request(
                config.method, config.url, headers=headers, data=body or None, allow_redirects=False
            ) as answer,
        ):
            return answer.status, await _read(answer)
    except TimeoutError:
        raise JobFailed(f"no complete answer within {config.timeout.total_seconds():g} s") from None
    except (aiohttp.ClientError, OSError) as error:
        refused = refusal(error)
        if refused is not None:
            raise JobFailed(str(refused), retryable=False) from None
        raise JobFailed(f"the call failed: {str(error) or type(error).__name__}") from None


def _own_headers(context: HandlerContext) -> dict[str, str]:
    return {
        "Idempotency-Key": context.idempotency_key,
        "Eventjobs-Run": context.run,
        "Eventjobs-Job": f"{context.job.kind}/{context.job.id}",
        "Eventjobs-Attempt": str(context.attempt),
        "Eventjobs-Term": str(context.term),
        "User-Agent": "eventjobs",
    }


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
