"""Who keeps the server of a data folder: the process that holds an exclusive lock on one file."""

import fcntl
import os
from pathlib import Path


class KeeperLock:
    """An advisory lock that the kernel takes back when its holder ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this process holds it."""
        return self._descriptor is not None

    def take(self) -> bool:
        """Take it if it is free and say whether it is ours; the file then tells people our pid."""
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give it back; the file stays, because removing it would let two holders lock different files."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
