"""How files that people name are read."""

from pathlib import Path

import pytest

from eventjobs.cli.files import read_text
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
