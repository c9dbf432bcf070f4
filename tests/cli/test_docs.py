"""What the README and the guides promise is what there is."""

import re
import shlex
from pathlib import Path

import orjson
import pytest

from eventjobs.cli.do import do, find_command, schema_of
from eventjobs.cli.do_fields import parse_fields
from eventjobs.cli.main import COMMANDS
from eventjobs.commands import PUBLIC
from eventjobs.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = sorted(
    str(file.relative_to(ROOT))
    for folder in (".", "docs", "docs/adr", "examples")
    for file in (ROOT / folder).glob("*.md")
)
SENT = re.compile(r"eventjobs do (?=[A-Z][a-z])((?:'[^']*'|[^'`|#\n])+)")
"""A command as a document shows it; a text in quotes may go over several lines."""
SETTING_ROWS = {line.split("`")[1]: line for line in README.splitlines() if line.startswith("| `EVENTJOBS_")}


@pytest.mark.parametrize("command", [name for name, _, _ in COMMANDS])
def test_every_command_of_the_command_line_is_in_the_readme(command: str) -> None:
    assert f"| `eventjobs {command}" in README


@pytest.mark.parametrize("command", [spec.name for spec in PUBLIC])
def test_every_command_of_the_service_is_in_the_readme(command: str) -> None:
    assert f"`{command}`" in README


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_in_the_readme_with_its_default(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTING_ROWS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/~")
    name = f"EVENTJOBS_{field.upper()}"
    _, _, default, told, _ = SETTING_ROWS[name].split("|")
    shown = "~/.local/share/eventjobs" if field == "data_dir" else load_settings().show()[name]
    assert default.strip().strip("`") == shown
    assert told.strip() == Settings.model_fields[field].description


def test_the_readme_names_no_setting_that_is_none() -> None:
    assert set(SETTING_ROWS) == {f"EVENTJOBS_{field.upper()}" for field in Settings.model_fields}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_points_to_exists(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    targets = [part.partition(")")[0] for part in text.split("](")[1:]]
    missing = [
        target
        for target in targets
        if not target.startswith("http") and not ((ROOT / document).parent / target.partition("#")[0]).exists()
    ]
    assert missing == []


def test_every_command_that_a_document_sends_is_understood() -> None:
    shown = [found[1] for document in DOCUMENTS for found in SENT.finditer((ROOT / document).read_text("utf-8"))]
    whole = [shlex.split(text) for text in shown if not {"…", "["} & set(text)]
    for words in whole:
        _, bound, _ = do.parse_args(words, print_error=False, exit_on_error=False)
        command, *fields = bound.args
        spec = find_command(command)
        body = {**orjson.loads(bound.kwargs.get("data", "{}")), **parse_fields(fields, schema_of(spec))}
        spec.command.model_validate_json(orjson.dumps(body))
    assert len(whole) > 5


def test_the_architecture_names_only_modules_that_exist() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    named = [part for part in text.split("`")[1::2] if part.endswith(".py") and "*" not in part and " " not in part]
    folders = ("src/eventjobs", "src/eventjobs/handlers", "tests/simulation")
    missing = [name for name in named if not any((ROOT / folder / name).exists() for folder in folders)]
    assert missing == []
    assert len(named) > 30
