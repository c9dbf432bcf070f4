"""
What went wrong, as `application/problem+json`, by one table.

Handlers raise and never build an error's answer. What is only wrong about a request, not about what it asks for, is an
`HttpRefusal`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import structlog
from aiohttp import web

from eventjobs.api.codes import stable
from eventjobs.errors import (
    Conflict,
    DatabaseFault,
    FieldError,
    Forbidden,
    ForkedHistory,
    Invalid,
    LogFull,
    LogUnavailable,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Stale,
    VersionConflict,
)
from eventjobs.log.faults import sqlstate

_log: Final = structlog.get_logger("eventjobs.api")

TITLES: Final[Mapping[int, str]] = {
    400: "The request cannot be read",
    401: "No valid key",
    403: "This is not allowed",
    404: "There is no such thing here",
    405: "The method is not offered here",
    408: "The body came too slowly",
    409: "The state forbids it",
    412: "Decided on an older version",
    413: "The body is too large",
    415: "The body is not JSON",
    417: "The expectation is not met here",
    421: "This host is not served here",
    422: "The fields are wrong",
    429: "Too many",
    431: "The head is too large",
    500: "An unforeseen error",
    503: "Not available now",
    507: "The log's disk is full",
}

_HTTP_CODES: Final[Mapping[int, str]] = {
    400: "bad_request",
    404: "no_such_path",
    405: "method_not_allowed",
    413: "body_too_large",
    417: "expectation_failed",
}
RETRY_AFTER_S: Final = "1"
DETAIL_CHARS_MAX: Final = 300
BAD_CURSOR: Final = "bad_cursor"


class HttpRefusal(Rejected):
    """A request refused for its form; `status` is its answer's, `headers` go with it."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        close: bool = False,
    ) -> None:
        super().__init__(code, detail, errors=errors, extra=extra)
        self.status = status
        self.headers: Mapping[str, str] = headers or {}
        self.close = close


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error's answer; `close` ends the connection after it."""

    status: int
    code: str
    detail: str
    errors: Sequence[FieldError] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    close: bool = False

    def document(self, request_id: str) -> dict[str, Any]:
        """Return the body."""
        return {
            "status": self.status,
            "code": self.code,
            "title": TITLES.get(self.status, "Refused"),
            "detail": self.detail,
            "errors": [{"path": error.path, "code": error.code, "detail": error.detail} for error in self.errors],
            "request_id": request_id,
            **self.extra,
        }


_REJECTED: Final[Sequence[tuple[type[Rejected], int]]] = (
    (Invalid, 422),
    (NotFound, 404),
    (Conflict, 409),
    (Forbidden, 403),
    (Stale, 412),
)

_BY_CODE: Final[Mapping[str, int]] = {BAD_CURSOR: 400}
"""What is no wrong field but a wrong request, whoever notices."""

_RETRY: Final = {"Retry-After": RETRY_AFTER_S}
_NONE: Final = {"outcome": "none"}

AWAY: Final = Problem(status=503, code="unavailable", detail="the database is away", extra=_NONE, headers=_RETRY)

_FAULTS: Final[Sequence[tuple[type[Exception], Problem]]] = (
    (
        OutcomeUnknown,
        Problem(
            status=503,
            code="outcome_unknown",
            detail="nobody can say yet whether it was written; repeat it with its Idempotency-Key",
            extra={"outcome": "unknown"},
            headers=_RETRY,
        ),
    ),
    (LogFull, Problem(status=507, code="log_full", detail="nothing was written: the disk is full", extra=_NONE)),
    (
        LogUnavailable,
        Problem(status=503, code="unavailable", detail="nothing was written", extra=_NONE, headers=_RETRY),
    ),
    (
        VersionConflict,
        Problem(status=503, code="busy", detail="others wrote first; nothing was written", extra=_NONE, headers=_RETRY),
    ),
    (
        ForkedHistory,
        Problem(
            status=503,
            code="history_forked",
            detail="the log's history is not the one that was read before: an operator must look at it",
            extra=_NONE,
            headers=_RETRY,
        ),
    ),
    (DatabaseFault, AWAY),
    (TimeoutError, Problem(status=503, code="busy", detail="it took too long", extra=_NONE, headers=_RETRY)),
    (OSError, AWAY),
)

_DRIVER: Final = "asyncpg"
_NOT_NOW: Final = ("08", "25", "53", "55P03", "57")

UNFORESEEN: Final = Problem(
    status=500, code="unforeseen", detail="an unforeseen error; it was logged under the request's id"
)


def problem_of(error: Exception) -> Problem:
    """Return the answer to an error; an unforeseen one is logged with its trace."""
    match error:
        case HttpRefusal():
            return _refused(error, error.status, error.headers, close=error.close)
        case Rejected():
            return _refused(error, _status_of(error), {})
        case web.HTTPException():
            return _http(error)
        case _:
            return _fault(error)


def _status_of(error: Rejected) -> int:
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    return next((status for kind, status in _REJECTED if isinstance(error, kind)), 422)


def _fault(error: Exception) -> Problem:
    for kind, problem in _FAULTS:
        if isinstance(error, kind):
            _note(problem, error)
            return problem
    if _is_away(error):
        _note(AWAY, error)
        return AWAY
    _log.error("request_broke", exc_info=error)
    return UNFORESEEN


def _note(problem: Problem, error: Exception) -> None:
    """Log one line: during an outage every request fails, and a trace of each would fill the disk and stop the loop."""
    _log.warning("request_failed", code=problem.code, fault=type(error).__name__, detail=str(error)[:DETAIL_CHARS_MAX])


def _is_away(error: Exception) -> bool:
    """Tell whether a driver's error means that the database is away or has no room for more, not that we erred."""
    state = sqlstate(error)
    if state:
        return state.startswith(_NOT_NOW)
    return type(error).__module__.partition(".")[0] == _DRIVER


def _refused(error: Rejected, status: int, headers: Mapping[str, str], *, close: bool = False) -> Problem:
    return Problem(
        status=status,
        code=stable(error.code),
        detail=error.detail,
        errors=[replace(one, code=stable(one.code)) for one in error.errors],
        extra=error.extra,
        headers=headers,
        close=close,
    )


def _http(error: web.HTTPException) -> Problem:
    allow = error.headers.get("Allow")
    return Problem(
        status=error.status,
        code=_HTTP_CODES.get(error.status, f"http_{error.status}"),
        detail=TITLES.get(error.status, error.reason),
        headers={} if allow is None else {"Allow": allow},
        close=error.status == web.HTTPRequestEntityTooLarge.status_code,
    )
