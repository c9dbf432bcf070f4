"""
The lines that one attempt writes: numbered, bounded, sealed, written in batches.

The seal is the SHA-256 over each line's JSON (`line, at, level, text, fields`) followed by a newline, so that the event
at the attempt's end vouches for the table.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from eventjobs.handlers.context import LogLine
from eventjobs.runner.ports import Line, LineStore

BYTES_MAX: Final = 1024 * 1024
"""What the lines of one attempt may weigh, as they are sealed; one last line says that the rest was left out."""
LEFT_OUT: Final = "more lines were left out: an attempt keeps 1 MiB of them"
_FIELDS_OPTIONS: Final = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


class AttemptLines:
    """The log of one attempt, until it is over."""

    def __init__(self, store: LineStore, workspace: str, run: str, row: int, attempt: int) -> None:
        self._store = store
        self._address = (workspace, run, row, attempt)
        self._unwritten: list[Line] = []
        self._seal = hashlib.sha256()
        self._bytes = 0
        self._full = False
        self._writing = asyncio.Lock()
        self.count = 0

    def add(self, line: LogLine) -> None:
        """Take a line; after 1 MiB only the remark that lines were left out, after the end nothing."""
        if self._full:
            return
        numbered = Line(line=self.count + 1, at=line.at, level=line.level, text=line.text, fields=_plain(line.fields))
        sealed = seal_bytes(numbered)
        if self._bytes + len(sealed) > BYTES_MAX:
            self._full = True
            numbered = Line(line=numbered.line, at=line.at, level="warning", text=LEFT_OUT, fields={})
            sealed = seal_bytes(numbered)
        self._bytes += len(sealed)
        self.count += 1
        self._unwritten.append(numbered)
        self._seal.update(sealed)

    def end(self) -> None:
        """Take no more lines: the attempt is over, whatever its handler still does."""
        self._full = True

    @property
    def is_written(self) -> bool:
        """Whether every line is in the store."""
        return not self._unwritten

    async def flush(self) -> None:
        """Write what was not written yet; what could not be written stays for the next time."""
        async with self._writing:
            lines = tuple(self._unwritten)
            if lines:
                await self._store.write(*self._address, lines)
                del self._unwritten[: len(lines)]

    @property
    def sha256(self) -> str | None:
        """The seal over all lines so far, `None` where there is none."""
        return self._seal.hexdigest() if self.count else None


def _plain(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields as JSON has them; what is no JSON becomes text. A line must not end its job."""
    try:
        return dict(orjson.loads(orjson.dumps(dict(fields), default=str, option=_FIELDS_OPTIONS)))
    except (TypeError, ValueError, RecursionError) as error:
        return {"fields_left_out": str(error)[:200]}


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
