"""What Postgres says about a load, as a job's failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from eventjobs.errors import JobFailed

# Trying again cannot help until somebody changes the data, the table or the rights.
_LASTING: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.CardinalityViolationError,
    asyncpg.SyntaxOrAccessError,
    asyncpg.DependentObjectsStillExistError,
    asyncpg.FeatureNotSupportedError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InvalidAuthorizationSpecificationError,
)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the driver raises into `JobFailed`; cancellation and `JobFailed` pass."""
    try:
        yield
    except asyncpg.LockNotAvailableError:
        raise JobFailed("the table was not free in time; something else holds it") from None
    except asyncpg.PostgresConnectionError as error:
        raise _lost(error) from None
    except asyncpg.PostgresError as error:
        detail = f" ({error.detail})" if getattr(error, "detail", None) else ""
        raise JobFailed(f"the database refused: {error}{detail}", retryable=not isinstance(error, _LASTING)) from None
    except (asyncpg.InterfaceError, asyncpg.InternalClientError, ConnectionError) as error:
        # The driver calls it an internal error when a session ends in the middle of a COPY.
        raise _lost(error) from None


@contextmanager
def unreachable() -> Iterator[None]:
    """Turn a failure to connect into `JobFailed`."""
    try:
        yield
    except (OSError, TimeoutError) as error:
        raise JobFailed(f"the database cannot be reached: {str(error) or type(error).__name__}") from None


def _lost(error: Exception) -> JobFailed:
    # A link that breaks around a commit leaves the outcome open; the next attempt finds the load's row or none.
    return JobFailed(f"the connection to the database was lost: {str(error) or type(error).__name__}")
