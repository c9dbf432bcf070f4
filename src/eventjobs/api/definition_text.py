"""A definition as YAML or JSON text: read with the line of each part."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent


class Unreadable(ValueError):
    """The text is no definition; `line` is where that shows."""

    def __init__(self, detail: str, line: int | None = None) -> None:
        super().__init__(detail)
        self.line = line


@dataclass(frozen=True, slots=True)
class DefinitionText:
    """What a text says, and where."""

    content: dict[str, Any]
    marks: Any

    def line(self, path: str) -> int | None:
        """Return the line of a part named as in a refusal (`features.0.schedules.1.cadence`), or of what holds it."""
        node, line = self.marks, None
        for step in path.split("."):
            key: Any = int(step) if isinstance(node, CommentedSeq) and step.isdigit() else step
            try:
                line = node.lc.data[key][0] + 1
                node = node[key]
            except (AttributeError, KeyError, IndexError, TypeError):
                break
        return line

    def lines(self) -> Mapping[str, int]:
        """Return the line of every part that has one."""
        return {path: line for path in _paths(self.content) if (line := self.line(path)) is not None}


def read_definition_text(text: str) -> DefinitionText:
    """Read a text; raises `Unreadable` with the line of what is no YAML."""
    try:
        _refuse_what_is_not_written_out(text)
        marks = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise Unreadable(str(error.problem), line) from None
    except YAMLError as error:
        raise Unreadable(str(error)) from None
    content = _plain(marks)
    if not isinstance(content, dict) or not isinstance(content.get("id"), str):
        raise Unreadable("a definition is a mapping with an id")
    return DefinitionText(content, marks)


def _refuse_what_is_not_written_out(text: str) -> None:
    """Raise `Unreadable` for aliases, of which a few lines make a file without end, and for tags (REL93)."""
    for event in YAML(typ="rt").parse(text):
        what = "an alias" if isinstance(event, AliasEvent) else "a tag" if getattr(event, "ctag", None) else None
        if what is not None:
            raise Unreadable(f"{what} is not read; write out what is meant", event.start_mark.line + 1)


def _paths(value: Any, above: str = "") -> Iterator[str]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        path = f"{above}{name}"
        yield path
        yield from _paths(part, f"{path}.")


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
