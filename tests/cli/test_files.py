"""How files that people name are read and written."""

from pathlib import Path

import pytest

from eventjobs.cli.files import new_file, read_text
from eventjobs.errors import UsageWrong


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    file = tmp_path / "crontab"
    file.write_bytes(b"\xef\xbb\xbf0 2 * * * backup\n")
    assert read_text(str(file)) == "0 2 * * * backup\n"


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "latin"
    with pytest.raises(UsageWrong, match=r"latin: No such file"):
        read_text(str(file))
    file.write_bytes("Prüfung".encode("latin-1"))
    with pytest.raises(UsageWrong, match=r"latin is not UTF-8"):
        read_text(str(file))


def test_a_new_file_is_there_once_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with new_file(file) as written:
        written.write(b"half")
        assert not file.exists()
    assert (file.read_bytes(), [one.name for one in tmp_path.iterdir()]) == (b"half", ["log"])

    with pytest.raises(RuntimeError), new_file(tmp_path / "other"):
        raise RuntimeError
    assert [one.name for one in tmp_path.iterdir()] == ["log"]


@pytest.mark.parametrize(
    ("there", "named"), [("log", r"log: File exists"), ("log.partial", r"log\.partial: File exists")]
)
def test_what_is_in_the_way_is_named_before_anything_is_written(tmp_path: Path, there: str, named: str) -> None:
    (tmp_path / there).write_text("mine")
    with pytest.raises(UsageWrong, match=named), new_file(tmp_path / "log"):
        pytest.fail("it was begun")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [(there, "mine")]
