"""What the README promises is what there is."""

from pathlib import Path

import pytest

from eventjobs.cli.main import COMMANDS
from eventjobs.commands import PUBLIC
from eventjobs.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
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


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/operations.md"])
def test_every_file_that_a_document_points_to_exists(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    targets = [part.partition(")")[0] for part in text.split("](")[1:]]
    missing = [
        target
        for target in targets
        if not target.startswith("http") and not ((ROOT / document).parent / target.partition("#")[0]).exists()
    ]
    assert missing == []


def test_the_architecture_names_only_modules_that_exist() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    named = [part for part in text.split("`")[1::2] if part.endswith(".py") and "*" not in part and " " not in part]
    folders = ("src/eventjobs", "src/eventjobs/handlers", "tests/simulation")
    missing = [name for name in named if not any((ROOT / folder / name).exists() for folder in folders)]
    assert missing == []
    assert len(named) > 30
