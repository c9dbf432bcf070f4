"""What asyncpg and the network raise when the database cannot be reached or does not do as asked."""

from typing import Final

import asyncpg

DATABASE_FAULTS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
