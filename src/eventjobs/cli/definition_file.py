"""A definition as a YAML file: read with the line of each part, and written so that it reads back the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from eventjobs.api.definition_text import DefinitionText, Unreadable, read_definition_text
from eventjobs.cli.files import read_text
from eventjobs.errors import UsageWrong


@dataclass(frozen=True, slots=True)
class DefinitionFile:
    """What a file says, and where."""

    name: str
    text: DefinitionText

    @property
    def content(self) -> dict[str, Any]:
        """The definition."""
        return self.text.content

    def line(self, path: str) -> int | None:
        """Return the line of a part named as in a refusal (`features.0.schedules.1.cadence`), or of what holds it."""
        return self.text.line(path)


def read_definition(file: str) -> DefinitionFile:
    """Read a file; raises `UsageWrong` with the line of what is no YAML."""
    try:
        return DefinitionFile(file, read_definition_text(read_text(file)))
    except Unreadable as error:
        line = "" if error.line is None else f":{error.line}"
        raise UsageWrong(f"{file}{line}: {error}") from None


def write_definition(content: Mapping[str, Any]) -> str:
    """Return a definition as YAML, in the order in which it was written."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 120
    out = StringIO()
    yaml.dump(dict(content), out)
    return out.getvalue()
