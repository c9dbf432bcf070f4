"""A definition as a YAML file: read with the line of each part, and written so that it reads back the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent

from eventjobs.cli.files import read_text
from eventjobs.errors import UsageWrong


@dataclass(frozen=True, slots=True)
class DefinitionFile:
    """What a file says, and where."""

    name: str
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


def read_definition(file: str) -> DefinitionFile:
    """Read a file; raises `UsageWrong` with the line of what is no YAML."""
    text = read_text(file)
    try:
        _refuse_what_is_not_written_out(file, text)
        marks = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageWrong(f"{file}{line}: {error.problem}") from None
    except YAMLError as error:
        raise UsageWrong(f"{file}: {error}") from None
    content = _plain(marks)
    if not isinstance(content, dict) or not isinstance(content.get("id"), str):
        raise UsageWrong(f"{file}: a definition is a mapping with an id")
    return DefinitionFile(file, content, marks)


def _refuse_what_is_not_written_out(file: str, text: str) -> None:
    """Raise `UsageWrong` for aliases, of which a few lines make a file without end, and for tags (REL93)."""
    for event in YAML(typ="rt").parse(text):
        what = "an alias" if isinstance(event, AliasEvent) else "a tag" if getattr(event, "ctag", None) else None
        if what is not None:
            raise UsageWrong(f"{file}:{event.start_mark.line + 1}: {what} is not read; write out what is meant")


def write_definition(content: Mapping[str, Any]) -> str:
    """Return a definition as YAML, in the order in which it was written."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 120
    out = StringIO()
    yaml.dump(dict(content), out)
    return out.getvalue()


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
