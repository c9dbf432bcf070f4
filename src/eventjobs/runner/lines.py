"""
The lines that one attempt writes: numbered, bounded, sealed, written in batches.

The seal is the SHA-256 over each line's JSON (`line, at, level, text, fields`) followed by a newline, so that the event
at the attempt's end vouches for the table.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import orjson

from eventjobs.handlers.context import LogLine
from eventjobs.runner.ports import Line, LineStore

BYTES_MAX: Final = 1024 * 1024
"""What the lines of one attempt may weigh; one last line says that the rest was left out."""


class AttemptLines:
    """The log of one attempt, until it is over."""

    def __init__(self, store: LineStore, workspace: str, run: str, row: int, attempt: int) -> None:
        self._store = store
        self._address = (workspace, run, row, attempt)
        self._unwritten: list[Line] = []
        self._seal = hashlib.sha256()
        self._bytes = 0
        self._full = False
        self.count = 0

    def add(self, line: LogLine) -> None:
        """Take a line; after 1 MiB only the remark that lines were left out."""
        if self._full:
            return
        size = len(line.text.encode("utf-8", "replace")) + 64
        if self._bytes + size > BYTES_MAX:
            self._full = True
            line = LogLine(line.at, "warning", "more lines were left out: an attempt keeps 1 MiB of them", {})
        self._bytes += size
        self.count += 1
        numbered = Line(line=self.count, at=line.at, level=line.level, text=line.text, fields=line.fields)
        self._unwritten.append(numbered)
        self._seal.update(seal_bytes(numbered))

    async def flush(self) -> None:
        """Write what was not written yet."""
        lines, self._unwritten = self._unwritten, []
        if lines:
            await self._store.write(*self._address, lines)

    @property
    def sha256(self) -> str | None:
        """The seal over all lines so far, `None` where there is none."""
        return self._seal.hexdigest() if self.count else None


def seal_bytes(line: Line) -> bytes:
    """The bytes of one line that the seal covers."""
    stored: dict[str, Any] = {
        "line": line.line,
        "at": line.at,
        "level": line.level,
        "text": line.text,
        "fields": line.fields,
    }
    return orjson.dumps(stored, option=orjson.OPT_UTC_Z | orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS) + b"\n"


class MemoryLines:
    """Lines in memory, for simulations."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, int, int], list[Line]] = {}

    async def write(self, workspace: str, run: str, row: int, attempt: int, lines: Sequence[Line]) -> None:
        """Keep these lines."""
        kept = self.kept.setdefault((workspace, run, row, attempt), [])
        kept.extend(line for line in lines if line.line > len(kept))
