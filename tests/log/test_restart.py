"""The log while its server is away, and after it came back."""

import asyncio

import pytest

from eventjobs.audit.verify import Verified, verify_log
from eventjobs.errors import LogFault, LogUnavailable, OutcomeUnknown
from eventjobs.log.port import Appended
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.log.setup import set_up
from eventjobs.postgres.embedded import EmbeddedPostgres
from tests.log.facts import a_receipt, a_stream, append_to, noted
from tests.log.logs import postgres_log
from tests.support.database import data_folder
from tests.support.waiting import eventually


async def _appends(log: PostgresEventLog) -> Appended | None:
    try:
        return await log.append(append_to(a_stream(), noted()))
    except (LogUnavailable, OutcomeUnknown):
        return None


async def test_it_says_so_while_the_server_is_away_and_goes_on_when_it_is_back() -> None:
    with data_folder() as folder:
        server = EmbeddedPostgres(folder, durable=False)
        url = await server.start()
        try:
            await set_up(url)
            async with postgres_log(url) as log:
                stream, receipt = a_stream(), a_receipt()
                await log.append(append_to(stream, noted(), receipt=receipt))
                await server.stop()
                with pytest.raises(LogUnavailable):
                    await log.append(append_to(stream, noted(), at=1))
                with pytest.raises(LogFault):
                    await log.head()
                server = EmbeddedPostgres(folder, durable=False)
                assert await server.start() == url
                appended = await eventually(lambda: _appends(log))
                assert appended.last > 2
                replayed = await log.append(append_to(stream, noted(), receipt=receipt))
                assert replayed.replayed is not None
                await asyncio.gather(*(log.append(append_to(a_stream(), noted())) for _ in range(20)))
                assert isinstance(await verify_log(log.read_stored), Verified)
        finally:
            await server.stop()
