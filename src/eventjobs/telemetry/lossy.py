"""
A stream for log lines that may fail without anybody else noticing.

A full disk or a closed pipe under the log must not end a request or a loop, so what cannot be written is dropped; the
next line that can be written is preceded by how many were.
"""

from io import TextIOBase
from typing import TextIO

import orjson


class LossyStream(TextIOBase):
    """Writes to `target` what it takes; never raises."""

    def __init__(self, target: TextIO) -> None:
        self._target = target
        self._lost = 0

    def write(self, text: str) -> int:
        """Write a line and what belongs to it; count it as lost where that fails."""
        try:
            if self._lost:
                self._target.write(orjson.dumps({"event": "log_lines_dropped", "count": self._lost}).decode() + "\n")
                self._target.flush()
                self._lost = 0
            self._target.write(text)
            self._target.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            self._lost += 1
        return len(text)

    def flush(self) -> None:
        """Every line is flushed as it is written."""

    def isatty(self) -> bool:
        """Tell whether a person looks at it."""
        return self._target.isatty()
