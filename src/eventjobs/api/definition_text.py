"""A definition as YAML or JSON text: read with the line of each part."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from eventjobs.api.json_text import DEPTH_MAX


class Unreadable(ValueError):
    """The text is no definition; `line` is where that shows."""

    def __init__(self, detail: str, line: int | None = None) -> None:
        super().__init__(detail)
        self.line = line


@dataclass(frozen=True, slots=True)
class DefinitionText:
    """What a text says, and where."""

    content: dict[str, Any]
    lines: Mapping[str, int]
    """Of every part that has one, by its path as refusals name it: `features.0.schedules.1.cadence`."""

    def line(self, path: str) -> int | None:
        """Return the line of a part, or of what holds it."""
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines.get(path)


def read_definition_text(text: str) -> DefinitionText:
    """Read a text; raises `Unreadable` with the line of what is no YAML."""
    try:
        _refuse_what_is_not_written_out(text)
        marks = YAML(typ="rt").load(text)
        content = _plain(marks)
        _ = orjson.dumps(content)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise Unreadable(str(error.problem), line) from None
    except YAMLError as error:
        raise Unreadable(str(error)) from None
    except Unreadable:
        raise
    except (ValueError, TypeError) as error:
        raise Unreadable(f"something in it has no JSON form: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get("id"), str):
        raise Unreadable("a definition is a mapping with an id")
    return DefinitionText(content, dict(_lines(marks)))


def _refuse_what_is_not_written_out(text: str) -> None:
    """Raise `Unreadable` for aliases and depth, of which little makes a file without end, and for tags (REL93)."""
    depth = 0
    for event in YAML(typ="rt").parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEPTH_MAX:
            raise Unreadable(f"more than {DEPTH_MAX} levels are not read", event.start_mark.line + 1)
        what = "an alias" if isinstance(event, AliasEvent) else "a tag" if getattr(event, "ctag", None) else None
        if what is not None:
            raise Unreadable(f"{what} is not read; write out what is meant", event.start_mark.line + 1)


def _lines(node: Any, above: str = "") -> Iterator[tuple[str, int]]:
    known = getattr(getattr(node, "lc", None), "data", None) or {}
    parts = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, CommentedSeq) else ()
    for name, part in parts:
        if name in known:
            yield f"{above}{name}", known[name][0] + 1
        yield from _lines(part, f"{above}{name}.")


def _plain(value: Any) -> Any:
    """Return what JSON knows: a date without quotes is meant as its text."""
    match value:
        case CommentedMap() | Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case str():
            return str(value)
        case Sequence():
            return [_plain(item) for item in value]
        case date():
            return value.isoformat()
        case bool() | None:
            return value
        case int():
            return int(value)
        case float():
            return float(value)
        case _:
            return value
