"""
CSV taken apart exactly as Postgres's COPY does, but record by record, so that each bad one can be named.

Whatever COPY accepts is read here into the same fields; what COPY refuses as a whole is here a defect of one record.
A quote that is never closed would swallow the rest of the source; it counts against its first line only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from eventjobs.errors import BadSource
from eventjobs.postgres.tables import Dialect

RECORD_CHARS_MAX: Final = 4 * 1024 * 1024

_LINE_END: Final = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it stands: the line on which it begins (from 1), its text, whether it has a quote left open."""

    line: int
    text: str
    is_open: bool = False


class RecordReader:
    """Cuts text that comes in pieces into records."""

    def __init__(self, dialect: Dialect) -> None:
        self._quote = dialect.quote
        self._escape = dialect.escape
        self._rest = ""
        self._held: list[tuple[str, str]] = []
        self._held_chars = 0
        self._is_inside = False
        self._line = 1

    def feed(self, text: str) -> Iterator[Record]:
        """Return the records that are complete now; raises `BadSource` for a line of over 4 million characters."""
        text = self._rest + text
        # A CR at the end may be the first half of a line end.
        usable = len(text) - 1 if text.endswith("\r") else len(text)
        begin = 0
        for found in _LINE_END.finditer(text, 0, usable):
            yield from self._take(text[begin : found.start()], found[0])
            begin = found.end()
        self._rest = text[begin:]
        if len(self._rest) > RECORD_CHARS_MAX:
            raise BadSource(f"line {self._line} is longer than {RECORD_CHARS_MAX} characters")

    def finish(self) -> Iterator[Record]:
        """Return what is left at the end."""
        rest, self._rest = self._rest, ""
        if rest:
            yield from self._take(rest.removesuffix("\r"), "\r" if rest.endswith("\r") else "")
        while self._held:
            yield from self._give_up()

    def _take(self, text: str, end: str) -> Iterator[Record]:
        if not self._held and self._quote not in text:
            yield Record(self._line, text)
            self._line += 1
            return
        self._held.append((text, end))
        self._held_chars += len(text)
        self._is_inside = self._ends_inside(text)
        if not self._is_inside:
            held = self._release()
            yield Record(self._line, "".join(part for pair in held for part in pair).removesuffix(end))
            self._line += len(held)
        elif self._held_chars > RECORD_CHARS_MAX:
            yield from self._give_up()

    def _give_up(self) -> Iterator[Record]:
        """Blame the first held line alone, and read the others again as if it had not been there."""
        (first, _), *others = self._release()
        yield Record(self._line, first, is_open=True)
        self._line += 1
        for text, end in others:
            yield from self._take(text, end)

    def _release(self) -> list[tuple[str, str]]:
        held, self._held, self._held_chars, self._is_inside = self._held, [], 0, False
        return held

    def _ends_inside(self, text: str) -> bool:
        if self._escape == self._quote:
            # A doubled quote leaves the parity as it is.
            return self._is_inside ^ (text.count(self._quote) % 2 == 1)
        inside, escaped = self._is_inside, False
        for char in text:
            if escaped:
                escaped = False
            elif inside and char == self._escape:
                escaped = True
            elif char == self._quote:
                inside = not inside
        return inside


class FieldSplitter:
    """Takes one record apart into fields; `None` is the missing value, which is never quoted."""

    def __init__(self, dialect: Dialect) -> None:
        self._delimiter = dialect.delimiter
        self._quote = dialect.quote
        self._escape = dialect.escape
        self._null = dialect.null
        quote, escape, delimiter = (re.escape(char) for char in (self._quote, self._escape, self._delimiter))
        plain = f"[^{quote}]" if self._quote == self._escape else f"[^{quote}{escape}]"
        self._field = re.compile(
            f"(?:{quote}({plain}*(?:{escape}[{quote}{escape}]{plain}*)*){quote}|([^{delimiter}{quote}]*))"
            f"(?={delimiter}|\\Z)"
        )
        self._escaped = re.compile(f"{escape}([{quote}{escape}])")

    def fields(self, text: str) -> list[str | None]:
        """Return the fields of a record whose quotes are closed."""
        if self._quote not in text:
            return [None if field == self._null else field for field in text.split(self._delimiter)]
        fields: list[str | None] = []
        at = 0
        while True:
            found = self._field.match(text, at)
            if found is None:
                return self._by_character(text)
            fields.append(self._value(found))
            at = found.end()
            if at == len(text):
                return fields
            at += 1

    def _value(self, found: re.Match[str]) -> str | None:
        quoted = found[1]
        if quoted is None:
            return None if found[2] == self._null else found[2]
        return self._escaped.sub(r"\1", quoted) if self._escape in quoted else quoted

    def _by_character(self, text: str) -> list[str | None]:
        """Read quotes that begin or end in the middle of a field, or stray escapes: rare, and legal for COPY."""
        fields: list[str | None] = []
        value: list[str] = []
        inside = was_quoted = False
        characters = iter(range(len(text)))
        for at in characters:
            char = text[at]
            if inside and char == self._escape and text[at + 1 : at + 2] in {self._escape, self._quote}:
                value.append(text[at + 1])
                next(characters)
            elif char == self._quote:
                inside = not inside
                was_quoted = True
            elif char == self._delimiter and not inside:
                fields.append(self._finished(value, was_quoted=was_quoted))
                value, was_quoted = [], False
            else:
                value.append(char)
        fields.append(self._finished(value, was_quoted=was_quoted))
        return fields

    def _finished(self, value: list[str], *, was_quoted: bool) -> str | None:
        field = "".join(value)
        return None if field == self._null and not was_quoted else field
