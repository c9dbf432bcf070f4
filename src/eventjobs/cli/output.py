"""
What commands print: results to standard output, what went wrong to standard error.

Colours and boxes are for terminals; a file or a pipe gets plain text, and `NO_COLOR` is obeyed. With `--json` there is
JSON on standard output and nothing else, also for a refusal.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from eventjobs.audit.sentences.words import instant

KNOWN: Final = frozenset({"type", "status", "code", "title", "detail", "errors", "request_id", "instance"})
PLAIN_WIDTH: Final = 200
MORE: Final = "…"


def console(*, to_error: bool = False) -> Console:
    """Return a console; away from a terminal lines are not cut to a terminal's width."""
    made = Console(stderr=to_error, highlight=False, soft_wrap=True)
    if not made.is_terminal:
        made.width = PLAIN_WIDTH
    return made


def print_json(document: object) -> None:
    """Print one document, indented."""
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
    sys.stdout.flush()


def print_line(document: object) -> None:
    """Print one document on one line and let it go at once, for those who follow."""
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE).decode())
    sys.stdout.flush()


def say(line: str, style: str = "") -> None:
    """Print one line."""
    console().print(Text(line, style=style))


def fail(message: str) -> None:
    """Print what went wrong."""
    console(to_error=True).print(Text.assemble(("eventjobs: ", "bold red"), message))


def tell_problem(problem: Mapping[str, Any]) -> None:
    """Print a refusal: its title, its detail, each wrong field and the way out."""
    out = console(to_error=True)
    out.print(Text(f"{problem.get('title', 'Refused')} ({problem.get('code', problem.get('status', ''))})", "bold red"))
    errors = problem.get("errors") or []
    if problem.get("detail") and not any(error.get("detail") == problem["detail"] for error in errors):
        out.print(Text(f"  {problem['detail']}"))
    for error in errors:
        out.print(Text.assemble("  ", (f"{error.get('path') or 'body'}: ", "bold"), str(error.get("detail", ""))))
    for name, value in problem.items():
        if name not in KNOWN:
            out.print(Text(f"  {name}: {value if isinstance(value, str) else orjson.dumps(value).decode()}"))
    if problem.get("request_id"):
        out.print(Text(f"  request {problem['request_id']}", "dim"))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """Print rows under headings; plain columns away from a terminal."""
    out = console()
    if out.is_terminal:
        drawn = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
        for column in columns:
            drawn.add_column(column, overflow="fold")
        for row in rows:
            drawn.add_row(*(escape(text_of(cell)) for cell in row))
        out.print(drawn, soft_wrap=False)
        return
    if title:
        say(title)
    cells = [list(columns), *([text_of(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    for row in cells:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def text_of(value: object) -> str:
    """Return a value as people read it: `-` where there is none, instants to the second, counts as `3 rows`."""
    match value:
        case None | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{name} {text_of(part)}" for name, part in value.items()) or "-"
        case list() | tuple():
            return ", ".join(text_of(part) for part in value) or "-"
        case _:
            return instant(str(value))
