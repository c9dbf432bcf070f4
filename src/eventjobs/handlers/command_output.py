"""What a program writes, taken apart line by line: progress, counts, output, and lines of the log."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from eventjobs.handlers.context import HandlerContext, Level

LOGGED_BYTES_MAX: Final = 1024 * 1024
LINE_BYTES_MAX: Final = 128 * 1024
"""Holds an output of 64 KiB with its escapes; what is longer is cut and logged."""

_LOGGED_LINE_BYTES_MAX: Final = 8 * 1024
_PROTOCOL: Final = frozenset({"progress", "text", "counts", "output"})


class CommandOutput:
    """Collects one program's lines."""

    def __init__(self, context: HandlerContext) -> None:
        self._context = context
        self._logged_bytes = 0
        self._dropped_lines = 0
        self.counts: dict[str, int] = {}
        self.result: Any = None

    async def line(self, raw: bytes, level: Level) -> None:
        """Take one line; only stdout (`info`) speaks the protocol."""
        message = _message(raw) if level == "info" else None
        if message is None:
            self._log(raw, level)
            return
        counts = message.get("counts")
        if isinstance(counts, dict):
            self.counts |= {str(key): value for key, value in counts.items() if type(value) is int}
        if "output" in message:
            self.result = message["output"]
        if "progress" in message or "text" in message:
            fraction = message.get("progress")
            known = fraction if isinstance(fraction, (int, float)) and not isinstance(fraction, bool) else None
            await self._context.progress(known, str(message.get("text", ""))[:500], **self.counts)

    def close(self) -> None:
        """Say how much was dropped."""
        if self._dropped_lines:
            self._context.log("warning", f"{self._dropped_lines} more lines were not kept")

    def _log(self, raw: bytes, level: Level) -> None:
        if self._logged_bytes + len(raw) > LOGGED_BYTES_MAX:
            self._dropped_lines += 1
            return
        self._logged_bytes += len(raw)
        self._context.log(level, raw[:_LOGGED_LINE_BYTES_MAX].decode("utf-8", "replace"))


def _message(raw: bytes) -> Mapping[str, Any] | None:
    if not raw.startswith(b"{"):
        return None
    try:
        message = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return message if message and message.keys() <= _PROTOCOL else None
