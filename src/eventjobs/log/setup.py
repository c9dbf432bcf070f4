"""Making a database into a log: its schema, and position 1."""

from typing import Final

from eventjobs.events.log import LogCreated
from eventjobs.ids import Ids, SystemIds, new_log_id
from eventjobs.log.birth import CODEC, birth
from eventjobs.log.clock import READ_CLOCK
from eventjobs.postgres.migrate import APP_ROLE, migrate
from eventjobs.postgres.pool import connect
from eventjobs.postgres.statements import statement

FIND_FIRST: Final = statement("log/find_first")
INSERT_FIRST: Final = statement("log/insert_first")

_CLOSE_S: Final = 5.0


async def set_up(
    url: str, *, app_role: str = APP_ROLE, pooler: bool = False, restoring: bool = False, ids: Ids | None = None
) -> str:
    """
    Migrate the database behind the owner's `url` and begin its log, if that was not done; return the log's id.

    Any number of processes may do this at the same time; one of them begins the log. `restoring` is for who reads a
    copy into it.
    """
    await migrate(url, app_role=app_role, pooler=pooler, restoring=restoring)
    new = (ids or SystemIds()).new
    connection = await connect(url, role=None)
    try:
        await connection.execute("SET ROLE NONE")
        while (row := await connection.fetchrow(FIND_FIRST)) is None:
            fact = birth(new_log_id(), new(), await connection.fetchval(READ_CLOCK))
            await connection.execute(
                INSERT_FIRST,
                fact.workspace,
                fact.stream.name,
                fact.type,
                fact.schema,
                fact.at,
                fact.actor,
                fact.command_id,
                fact.data.decode(),
                fact.leaf,
                fact.chain,
            )
    finally:
        await connection.close(timeout=_CLOSE_S)
    created: LogCreated = CODEC.decode(row["type"], LogCreated.SCHEMA, row["data"])
    return created.log_id
