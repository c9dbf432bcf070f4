"""A definition's file is read with its lines, and what is exported reads back as the same."""

from pathlib import Path

import pytest

from eventjobs.cli.definition_file import read_definition, write_definition
from eventjobs.errors import UsageWrong
from tests.support.bodies import workspace
from tests.support.story import Story, command

EXAMPLE = Path(__file__).parents[2] / "examples/people.yaml"


def test_the_example_is_a_definition() -> None:
    content = read_definition(str(EXAMPLE)).content
    cadence = content["features"][0]["schedules"][0]["cadence"]
    assert (cadence["start_date"], cadence["start_time"]) == ("2030-01-01", "02:00")
    outcome = Story().given(workspace()).when(command("PublishDefinition", **content))
    assert outcome.refusal is None


def test_a_part_is_found_by_the_path_of_a_refusal() -> None:
    file = read_definition(str(EXAMPLE))
    lines = EXAMPLE.read_text().splitlines()
    assert "cadence" in lines[(file.line("features.0.schedules.0.cadence.every") or 0) - 1]
    assert "id: load" in lines[(file.line("services.0.id") or 0) - 1]
    assert file.line("nothing") is None


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    content = read_definition(str(EXAMPLE)).content
    written = tmp_path / "again.yaml"
    written.write_text(write_definition(content))
    assert read_definition(str(written)).content == content


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id: a\n b: [", ":2"),
        ("id: a\nb: " + "[" * 5_000, ":2: more than 32 levels"),
        ("id: a\nb: 2026-02-30\n", "no JSON form: day is out of range"),
        ("id: a\nb: 1" + "0" * 5_000, "no JSON form"),
        ("id: a\nb: 1" + "0" * 30, "no JSON form"),
        ('id: a\nb: "\\ud800"', "no JSON form"),
        ("id: a\nid: b\n", ":2"),
        ("- 1\n", "with an id"),
        ("id: a\nservices: &s\n- id: b\nflows: *s\n", ":4: an alias"),
        ("id: a\n<<: &m {b: 1}\nc: {<<: *m}\n", ":3: an alias"),
        ("id: a\nb: !!python/object/apply:os.system [ls]\n", ":2: a tag"),
        ("id: !!str a\n", ":1: a tag"),
    ],
)
def test_REL93_what_is_no_definition_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(UsageWrong, match=said):
        read_definition(str(file))
