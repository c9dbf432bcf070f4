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

from eventjobs.errors import FileMissing, JobFailed
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
        last = _parts(name)[-1]
        part = last[: _NAME_BYTES_MAX - len(_PART_SUFFIX)] + _PART_SUFFIX
        unfinished = self.begin(name, part)
        try:
            yield unfinished.file
            unfinished.file.flush()
            unfinished.publish()
        finally:
            unfinished.discard()

    def begin(self, name: str, part: str, litter: str | None = None) -> "Unfinished":
        """
        Begin a file called `part` beside `name`, which is its name when it is published.

        A former one of that name is removed, and each whose name begins with `litter`: who still writes one of them
        can publish it no more.
        """
        *folders, last = _parts(name)
        with self._parent(name, folders, make=True) as parent:
            for found in os.listdir(parent):  # noqa: PTH208  a descriptor, not a path
                if found == part or (litter and found.startswith(litter)):
                    with suppress(OSError):
                        os.unlink(found, dir_fd=parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            opened = _opened(name, part, flags, parent)
            return Unfinished(name, last, part, os.dup(parent), os.fdopen(opened, "wb"))

    def move(self, name: str, to: str) -> None:
        """Give a file another name, whose folders are made; fails if something has that name already."""
        *folders, last = _parts(name)
        *others, new = _parts(to)
        with self._parent(name, folders, make=False) as parent, self._parent(to, others, make=True) as target:
            with suppress(FileNotFoundError):
                os.stat(new, dir_fd=target, follow_symlinks=False)
                raise _taken(to)
            try:
                os.rename(last, new, src_dir_fd=parent, dst_dir_fd=target)
            except FileNotFoundError:
                raise FileMissing(f"the file {name} is not there") from None
            except OSError as error:
                raise JobFailed(f"the file {name} cannot be moved to {to}: {error.strerror}") from None

    def remove(self, name: str) -> None:
        """Delete a file; one that is not there is no failure."""
        *folders, last = _parts(name)
        with self._parent(name, folders, make=False) as parent:
            try:
                os.unlink(last, dir_fd=parent)
            except FileNotFoundError:
                return
            except OSError as error:
                raise JobFailed(f"the file {name} cannot be deleted: {error.strerror}") from None

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
                    _make_folder(name, part, current)
                below = _opened(name, part, _FOLDER, current)
                os.close(current)
                current = below
            yield current
        finally:
            os.close(current)


@dataclass(slots=True)
class Unfinished:
    """The real `UnfinishedFile`: it is called `part` in the folder `parent`, and `last` when it is published."""

    name: str
    last: str
    part: str
    parent: int
    file: BinaryIO

    def sync(self) -> None:
        """Flush, to the disk: after a power failure the name must not stand for less than the file."""
        self.file.flush()
        os.fsync(self.file.fileno())

    def publish(self, *, replace: bool = True) -> None:
        """Rename, or link where nothing may be replaced; fails if the unfinished file was taken away meanwhile."""
        parent = self.parent
        try:
            if replace:
                os.rename(self.part, self.last, src_dir_fd=parent, dst_dir_fd=parent)
            else:
                os.link(self.part, self.last, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
                os.unlink(self.part, dir_fd=parent)
        except FileNotFoundError:
            raise JobFailed(
                f"a newer attempt writes the file {self.name}", reason="superseded", retryable=False
            ) from None
        except FileExistsError:
            raise _taken(self.name) from None
        except OSError as error:
            raise JobFailed(f"the file {self.name} cannot be put there: {error.strerror}") from None

    def settle(self) -> None:
        """Bring the name onto the disk too."""
        os.fsync(self.parent)

    def check_free(self) -> None:
        """Refuse a name that something has already."""
        with suppress(FileNotFoundError):
            os.stat(self.last, dir_fd=self.parent, follow_symlinks=False)
            raise _taken(self.name)

    def discard(self) -> None:
        """Close, and remove what was not published."""
        with suppress(OSError):  # a full disk speaks up here a second time
            self.file.close()
        with suppress(FileNotFoundError):
            os.unlink(self.part, dir_fd=self.parent)
        os.close(self.parent)


def _parts(name: str) -> list[str]:
    parts = name.split("/")
    if not name or name.startswith("/") or "\\" in name or any(ord(char) < ord(" ") for char in name):
        raise _refused(name, "is not a relative name with / between its parts")
    if any(part in {"", ".", ".."} or len(part.encode()) > _NAME_BYTES_MAX for part in parts):
        raise _refused(name, "may not hold empty parts, . or ..")
    if len(parts) > _PARTS_MAX:
        raise _refused(name, "is nested too deeply")
    return parts


def _make_folder(name: str, part: str, parent: int) -> None:
    try:
        os.mkdir(part, mode=0o700, dir_fd=parent)
    except FileExistsError:
        return
    except OSError as error:
        raise JobFailed(f"the folder {part} of {name} cannot be made: {error.strerror}") from None


def _opened(name: str, part: str, flags: int, parent: int) -> int:
    try:
        return os.open(part, flags, 0o600, dir_fd=parent)
    except FileNotFoundError:
        raise FileMissing(f"the file {name} is not there") from None
    except (NotADirectoryError, IsADirectoryError):
        raise _refused(name, "leads through something that is not a plain folder") from None
    except OSError as error:
        raise _refused(name, f"cannot be opened ({error.strerror})") from None


def _taken(name: str) -> JobFailed:
    return JobFailed(f"the file {name} is there already", retryable=False)


def _refused(name: str, why: str) -> JobFailed:
    return JobFailed(f"the file name {name[:200]!r} {why}", retryable=False)
