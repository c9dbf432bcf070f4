"""
A workspace's folder, opened step by step so that no name leads out of it.

Every part of a name is opened relative to its parent's descriptor without following links, so there is nothing to
resolve beforehand and nothing that could be swapped between a check and its use.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from eventjobs.errors import JobFailed
from eventjobs.ids import is_id

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NAME_BYTES_MAX: Final = 255
_PARTS_MAX: Final = 32
_PART_SUFFIX: Final = ".part"


@dataclass(frozen=True, slots=True)
class FileRoom:
    """The folder that holds one folder a workspace (`<data-dir>/files`)."""

    root: Path

    def of(self, workspace: str) -> "Files":
        """Return a workspace's folder; it is made at its first use."""
        if not is_id(workspace):
            raise JobFailed(f"{workspace!r} is not a workspace", retryable=False)
        return Files(self.root / workspace)


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one workspace. All methods block for as long as the disk does."""

    folder: Path

    def open_read(self, name: str) -> BinaryIO:
        """Open a regular file for reading, unbuffered; a FIFO or device is refused instead of waited for."""
        *folders, last = _parts(name)
        with self._parent(name, folders, make=False) as parent:
            # Without O_NONBLOCK, opening a FIFO would hang until somebody writes to it.
            opened = _opened(name, last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, parent)
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            raise _refused(name, "is not a regular file")
        return os.fdopen(opened, "rb", buffering=0)

    def size(self, name: str) -> int:
        """Return a file's size in bytes."""
        with self.open_read(name) as file:
            return os.fstat(file.fileno()).st_size

    @contextmanager
    def replace(self, name: str) -> Iterator[BinaryIO]:
        """Write a file that appears under `name` when the block ends well, and not at all otherwise."""
        *folders, last = _parts(name)
        unfinished = last[: _NAME_BYTES_MAX - len(_PART_SUFFIX)] + _PART_SUFFIX
        with self._parent(name, folders, make=True) as parent:
            with suppress(FileNotFoundError):
                os.unlink(unfinished, dir_fd=parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            opened = _opened(name, unfinished, flags, parent)
            try:
                with os.fdopen(opened, "wb") as file:
                    yield file
                os.rename(unfinished, last, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(unfinished, dir_fd=parent)
                raise

    @contextmanager
    def scratch(self) -> Iterator[BinaryIO]:
        """Give a file without a name, on the same disk, that is gone when the block or the process ends."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.folder, buffering=0) as file:
            yield file

    @contextmanager
    def _parent(self, name: str, folders: list[str], *, make: bool) -> Iterator[int]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The workspace's own folder may be a link that the operator made; below it nothing may.
        current = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in folders:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, mode=0o700, dir_fd=current)
                below = _opened(name, part, _FOLDER, current)
                os.close(current)
                current = below
            yield current
        finally:
            os.close(current)


def _parts(name: str) -> list[str]:
    parts = name.split("/")
    if not name or name.startswith("/") or "\\" in name or any(ord(char) < ord(" ") for char in name):
        raise _refused(name, "is not a relative name with / between its parts")
    if any(part in {"", ".", ".."} or len(part.encode()) > _NAME_BYTES_MAX for part in parts):
        raise _refused(name, "may not hold empty parts, . or ..")
    if len(parts) > _PARTS_MAX:
        raise _refused(name, "is nested too deeply")
    return parts


def _opened(name: str, part: str, flags: int, parent: int) -> int:
    try:
        return os.open(part, flags, 0o600, dir_fd=parent)
    except FileNotFoundError:
        # A file may still come, so another attempt makes sense.
        raise JobFailed(f"the file {name} is not there") from None
    except (NotADirectoryError, IsADirectoryError):
        raise _refused(name, "leads through something that is not a plain folder") from None
    except OSError as error:
        raise _refused(name, f"cannot be opened ({error.strerror})") from None


def _refused(name: str, why: str) -> JobFailed:
    return JobFailed(f"the file name {name[:200]!r} {why}", retryable=False)
