"""Files that people name on the command line."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from eventjobs.errors import UsageWrong


def read_text(file: str) -> str:
    """Return what is written in a file, without a byte order mark; raises `UsageWrong` where it cannot be read."""
    try:
        return Path(file).read_text("utf-8-sig")
    except OSError as error:
        raise UsageWrong(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageWrong(f"{file} is not UTF-8") from None


@contextmanager
def new_file(file: Path) -> Iterator[BinaryIO]:
    """Yield a file that is there once it is whole; raises `UsageWrong` where there is one, or none can be made."""
    partial = file.with_name(f"{file.name}.partial")
    try:
        if file.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(file))
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
            try:
                yield written
                written.flush()
                os.fsync(written.fileno())
                file.hardlink_to(partial)
            finally:
                partial.unlink()
    except OSError as error:
        raise UsageWrong(f"{error.filename2 or error.filename or file}: {error.strerror}") from None
