"""What it means for a command that its database cannot be used."""

from collections.abc import Iterator
from contextlib import contextmanager

from eventjobs.errors import LogFault, ServiceUnreachable
from eventjobs.postgres.faults import DATABASE_FAULTS


@contextmanager
def reaching_the_database() -> Iterator[None]:
    """Turn what the database and the network raise into a sentence; raises `ServiceUnreachable`."""
    try:
        yield
    except (LogFault, *DATABASE_FAULTS) as error:
        reason = str(error) or type(error).__name__
        raise ServiceUnreachable(f"the database cannot be used: {reason}") from error
