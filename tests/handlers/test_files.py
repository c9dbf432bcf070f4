import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from eventjobs.errors import JobFailed
from eventjobs.handlers.files import FileRoom, Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "outside.csv").write_text("secret")
    (tmp_path / "files/other").mkdir(parents=True)
    (tmp_path / "files/other/theirs.csv").write_text("theirs")
    found = FileRoom(tmp_path / "files").of("acme")
    (tmp_path / "files/acme/in").mkdir(parents=True)
    (tmp_path / "files/acme/in/a.csv").write_text("mine")
    return found


def test_a_file_of_the_workspace_is_read(files: Files) -> None:
    with files.open_read("in/a.csv") as file:
        assert file.read() == b"mine"
    assert files.size("in/a.csv") == 4


@pytest.mark.parametrize(
    "name",
    [
        "../other/theirs.csv",
        "../../outside.csv",
        "in/../../other/theirs.csv",
        "/etc/passwd",
        "//etc/passwd",
        "",
        ".",
        "..",
        "./in/a.csv",
        "in//a.csv",
        "in/a.csv/",
        "in\\a.csv",
        "..\\..\\outside.csv",
        "in/a.csv\0.txt",
        "in/a\ncsv",
        "x" * 256,
        "/".join("a" * 40),
    ],
)
def test_REL91_a_name_that_is_no_plain_relative_path_is_refused(files: Files, name: str) -> None:
    with pytest.raises(JobFailed) as failed:
        files.open_read(name)
    assert not failed.value.retryable
    with pytest.raises(JobFailed), files.replace(name):
        pass


def test_no_link_leads_out(files: Files, tmp_path: Path) -> None:
    home = tmp_path / "files/acme"
    (home / "file.csv").symlink_to(tmp_path / "outside.csv")
    (home / "folder").symlink_to(tmp_path / "files/other")
    (home / "up").symlink_to("..")
    for name in ("file.csv", "folder/theirs.csv", "up/other/theirs.csv"):
        with pytest.raises(JobFailed):
            files.open_read(name)


def test_no_link_is_written_through(files: Files, tmp_path: Path) -> None:
    home = tmp_path / "files/acme"
    (home / "folder").symlink_to(tmp_path / "files/other")
    with pytest.raises(JobFailed), files.replace("folder/new.csv") as file:
        file.write(b"x")
    (home / "link.csv").symlink_to(tmp_path / "outside.csv")
    (home / "new.csv.part").symlink_to(tmp_path / "outside.csv")
    for name in ("link.csv", "new.csv"):
        with files.replace(name) as file:
            file.write(b"mine")
        assert not (home / name).is_symlink()
    assert (tmp_path / "outside.csv").read_text() == "secret"
    assert not (tmp_path / "files/other/new.csv").exists()


def test_what_is_not_a_regular_file_is_refused_at_once(files: Files, tmp_path: Path) -> None:
    home = tmp_path / "files/acme"
    os.mkfifo(home / "fifo")
    with socket.socket(socket.AF_UNIX) as link:
        link.bind(str(home / "socket"))
    for name in ("fifo", "socket", "in"):
        with pytest.raises(JobFailed):
            files.open_read(name)


def test_a_missing_file_may_come_later(files: Files) -> None:
    with pytest.raises(JobFailed) as failed:
        files.open_read("in/b.csv")
    assert failed.value.retryable


def test_a_written_file_appears_whole_or_not_at_all(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "files/acme/out/deep/b.csv"
    with suppress(RuntimeError), files.replace("out/deep/b.csv") as file:
        file.write(b"half")
        raise RuntimeError
    assert list(path.parent.iterdir()) == []
    with files.replace("out/deep/b.csv") as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert [entry.name for entry in path.parent.iterdir()] == ["b.csv"]


def test_a_folder_that_cannot_be_made_is_a_failure_that_says_so() -> None:
    # Nobody, root included, can make a folder there.
    files = Files(Path("/proc/self"))
    with pytest.raises(JobFailed, match="the folder archive of archive/run/status cannot be made"):
        files.move("status", "archive/run/status")


def test_a_scratch_file_has_no_name(files: Files, tmp_path: Path) -> None:
    before = sorted((tmp_path / "files/acme").iterdir())
    with files.scratch() as file:
        file.write(b"x")
        assert sorted((tmp_path / "files/acme").iterdir()) == before


@pytest.mark.parametrize("workspace", ["..", "a/b", "", "A", ".hidden"])
def test_only_a_workspace_has_a_folder(tmp_path: Path, workspace: str) -> None:
    with pytest.raises(JobFailed):
        FileRoom(tmp_path).of(workspace)


def test_no_descriptor_is_left_open(files: Files) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for name in ("in/a.csv", "in/none", "in/../x", "in/a.csv/b"):
        try:
            files.open_read(name).close()
        except JobFailed:
            continue
    assert count() == before
