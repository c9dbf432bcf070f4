"""
Become another account, promise to end with the parent, and turn into a program.

Run as a script of its own (`python -I -S launch.py <parent pid> <uid> <gid> <program> …`; uid -1: stay who we are), so
that no Python code has to run between fork and exec in a process with threads. It imports nothing of the package.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_CANNOT_BECOME: Final = 126


def main(arguments: list[str]) -> None:
    """Exec the program; on return something was wrong, and a sentence about it went to stderr."""
    parent, uid, gid = (int(text) for text in arguments[:3])
    program = arguments[3:]
    end_with_parent = _pdeathsig()  # loaded first: the other account may not reach this Python's libraries
    os.chdir("/")
    if uid >= 0:
        try:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
        except OSError as error:
            sys.stderr.write(f"cannot become uid {uid}, gid {gid}: {error}\n")
            sys.exit(_CANNOT_BECOME)
    end_with_parent()
    if os.getppid() != parent:
        sys.exit(_CANNOT_BECOME)
    try:
        os.execv(program[0], program)  # noqa: S606  no shell is the point
    except OSError as error:
        sys.stderr.write(f"cannot run {program[0]} as uid {os.getuid()}: {error}\n")
        sys.exit(_CANNOT_BECOME)


def _pdeathsig() -> Callable[[], object]:
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
