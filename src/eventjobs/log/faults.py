"""
What a database's error means for a write: it lost a race, nothing was written, or nobody knows.

Errors are told apart by SQLSTATE and, for unique keys, by the constraint's table: only `receipts` holds keys of
commands, any other collision is a lost race.
"""

from typing import Final

from eventjobs.errors import LogFault, LogFull, LogUnavailable
from eventjobs.log.storage import LinkLost, Unwritable, Written

UNIQUE_VIOLATION: Final = "23505"
CHECK_VIOLATION: Final = "23514"
DISK_FULL: Final = "53100"
READ_ONLY: Final = "25006"

_RACES: Final = frozenset({"40001", "40P01", "55P03"})
_NOT_NOW: Final = ("53", "25", "57014", "42501")
_LINK: Final = ("08", "57P")


def sqlstate(error: BaseException) -> str:
    """Return the server's five-letter code; empty where the error did not come from the server."""
    return str(getattr(error, "sqlstate", None) or "")


def after_write(error: Exception) -> Written:
    """
    Return what a failed append comes to, or raise `LinkLost`, `LogFull`, `LogUnavailable` or `Unwritable`.

    What the server did not say itself (a closed socket, a timeout, a broken protocol) tells nothing about a commit.
    """
    state = sqlstate(error)
    if state == UNIQUE_VIOLATION:
        return Written.RECEIPT_TAKEN if getattr(error, "table_name", None) == "receipts" else Written.BEHIND
    if state in _RACES:
        return Written.BEHIND
    if state == DISK_FULL:
        raise LogFull("the database's disk is full") from error
    if is_link_lost(error):
        raise LinkLost(str(error)) from error
    if state.startswith(_NOT_NOW):
        raise LogUnavailable(f"the database takes no writes now: {error}") from error
    raise Unwritable(f"{type(error).__name__}: {error}") from error


def after_read(error: Exception) -> LogFault:
    """Return the fault that a failed read or connect comes to."""
    state = sqlstate(error)
    if not state or state.startswith((*_LINK, *_NOT_NOW)):
        return LogUnavailable(f"the database cannot be read now: {str(error) or type(error).__name__}")
    return LogFault(f"{type(error).__name__}: {error}")


def is_link_lost(error: Exception) -> bool:
    """Tell whether the connection is of no more use, and whether its last statement was committed is not known."""
    state = sqlstate(error)
    return not state or state.startswith(_LINK)


def is_stale_link(error: Exception) -> bool:
    """Tell whether connections like the failed one should be given up: their server went away or takes no writes."""
    return is_link_lost(error) or sqlstate(error) == READ_ONLY
