"""
Structured log lines on one stream: JSON, or coloured text on a terminal.

Our own loggers and those of the libraries (the standard `logging`) go the same way. What belongs to a request or a
command is bound once with `log_context` and stands in every line written inside it, also by tasks started there. Known
secrets are blanked last, so nothing that a line is made of can pass by.
"""

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, TextIO, cast

import orjson
import structlog
from structlog.types import Processor

from eventjobs.telemetry.lossy import LossyStream
from eventjobs.telemetry.redaction import KnownSecrets

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROLS_IN_LINES: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_QUIET: Final = ("aiohttp.access", "asyncio", "asyncssh")


def configure_logging(
    secrets: KnownSecrets,
    *,
    level: str = "info",
    log_format: str = "auto",
    stream: TextIO | None = None,
) -> None:
    """
    Send every log line of the process to `stream` (stderr if none is given), replacing what was configured before.

    `level`: `debug`, `info`, `warning` or `error`. `log_format`: `json`, `pretty`, or `auto` for pretty on a terminal.
    """
    target = cast("TextIO", LossyStream(sys.stderr if stream is None else stream))
    is_pretty = target.isatty() if log_format == "auto" else log_format == "pretty"
    render: list[Processor] = _pretty(secrets, target) if is_pretty else _json(secrets)
    number = logging.getLevelNamesMapping()[level.upper()]
    enrich: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    structlog.configure(
        processors=[*enrich, *render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    foreign: list[Processor] = [structlog.stdlib.add_logger_name, *enrich, structlog.stdlib.ExtraAdder()]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=foreign,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(number)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


@contextmanager
def log_context(
    *,
    request_id: str | None = None,
    command_id: str | None = None,
    correlation: str | None = None,
) -> Iterator[None]:
    """Put the ids that are given into every line logged inside."""
    given = {"request_id": request_id, "command_id": command_id, "correlation": correlation}
    with structlog.contextvars.bound_contextvars(**{name: value for name, value in given.items() if value is not None}):
        yield


def _json(secrets: KnownSecrets) -> list[Processor]:
    return [structlog.processors.format_exc_info, _redactor(secrets), _to_json]


def _pretty(secrets: KnownSecrets, target: TextIO) -> list[Processor]:
    console = structlog.dev.ConsoleRenderer(colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback)
    return [structlog.processors.format_exc_info, _redactor(secrets), _visible, console]


def _visible(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write control characters out, or whoever chooses a text could forge a line or paint the terminal."""
    for key, controls in (("event", _CONTROLS), ("exception", _CONTROLS_IN_LINES)):
        if isinstance(line.get(key), str):
            line[key] = controls.sub(lambda found: ascii(found[0])[1:-1], line[key])
    return line


def _redactor(secrets: KnownSecrets) -> Processor:
    def redact(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: secrets.redact_value(value) for key, value in line.items()}

    return redact


def _to_json(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> str:
    text = orjson.dumps(line, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
