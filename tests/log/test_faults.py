"""What a database's errors mean for an append."""

import asyncpg
import pytest

from eventjobs.errors import LogFault, LogFull, LogUnavailable
from eventjobs.log.faults import after_read, after_write, is_stale_link
from eventjobs.log.storage import LinkLost, Unwritable, Written


def collision(table: str) -> asyncpg.UniqueViolationError:
    error = asyncpg.UniqueViolationError("duplicate key")
    error.table_name = table
    return error


@pytest.mark.parametrize(
    ("error", "written"),
    [
        (collision("receipts"), Written.RECEIPT_TAKEN),
        (collision("events_from_1"), Written.BEHIND),
        (collision("events_from_10000001"), Written.BEHIND),
        (asyncpg.SerializationError("40001"), Written.BEHIND),
        (asyncpg.DeadlockDetectedError("40P01"), Written.BEHIND),
        (asyncpg.LockNotAvailableError("55P03"), Written.BEHIND),
    ],
)
def test_a_lost_race_is_an_outcome(error: Exception, written: Written) -> None:
    assert after_write(error) is written


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (asyncpg.DiskFullError("53100"), LogFull),
        (asyncpg.TooManyConnectionsError("53300"), LogUnavailable),
        (asyncpg.ReadOnlySQLTransactionError("25006"), LogUnavailable),
        (asyncpg.QueryCanceledError("57014"), LogUnavailable),
        (asyncpg.InsufficientPrivilegeError("42501"), LogUnavailable),
        (asyncpg.AdminShutdownError("57P01"), LinkLost),
        (asyncpg.CrashShutdownError("57P02"), LinkLost),
        (asyncpg.CannotConnectNowError("57P03"), LinkLost),
        (asyncpg.ConnectionDoesNotExistError("08003"), LinkLost),
        (asyncpg.InterfaceError("the connection is closed"), LinkLost),
        (asyncpg.InternalClientError("cannot switch to state"), LinkLost),
        (ConnectionResetError(), LinkLost),
        (TimeoutError(), LinkLost),
        (asyncpg.DataError("invalid input"), Unwritable),
        (asyncpg.ProgramLimitExceededError("index row size"), Unwritable),
        (asyncpg.UndefinedTableError("no events"), Unwritable),
    ],
)
def test_what_became_of_the_append_is_told_apart(error: Exception, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        after_write(error)


def test_a_failed_read_is_unavailable_or_a_defect() -> None:
    assert isinstance(after_read(TimeoutError()), LogUnavailable)
    assert isinstance(after_read(asyncpg.AdminShutdownError("57P01")), LogUnavailable)
    assert type(after_read(asyncpg.UndefinedColumnError("no such column"))) is LogFault


def test_connections_to_a_demoted_server_are_given_up() -> None:
    assert is_stale_link(asyncpg.ReadOnlySQLTransactionError("25006"))
    assert is_stale_link(asyncpg.AdminShutdownError("57P01"))
    assert not is_stale_link(asyncpg.UniqueViolationError("23505"))
