import gzip
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from eventjobs.errors import BadSource, JobFailed
from eventjobs.handlers.csv_gzip import unpacked, unpacked_head
from eventjobs.handlers.workbench import Workbench
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from tests.handlers.test_csv_import import PEOPLE, TYPES, counts, rows
from tests.support.sftp import HOST_KEY, SftpHost, public

Connection = asyncpg.Connection
PACKED = gzip.compress(PEOPLE.encode())


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    return replace(bench, outbound=GuardedOutbound(OutboundRules.parse(["127.0.0.0/8"])))


async def read(packed: bytes, *, limit: int = 10**9, step: int = 7) -> bytes:
    async def chunks() -> AsyncIterator[bytes]:
        for begin in range(0, len(packed), step):
            yield packed[begin : begin + step]

    return b"".join([piece async for piece in unpacked(chunks(), limit)])


async def test_a_packed_file_is_loaded_as_if_it_were_plain(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", PEOPLE)
    plain = await load(columns=TYPES)
    put("people.csv.gz", PACKED)
    packed = await load(source="people.csv.gz", columns=TYPES)
    assert (packed.counts, packed.output["sha256"]) == (plain.counts, plain.output["sha256"])
    assert [row[1] for row in await rows(acme)] == ["Ada", "Béa", "Cy"]


async def test_rejects_of_a_packed_file_have_their_lines(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv.gz", gzip.compress((PEOPLE + "x,Dan,2026-01-04\n").encode()))
    result = await load(source="people.csv.gz", columns=TYPES, rejects_file="out.csv")
    assert result.counts == counts(4, 3, rejected=1)
    assert len(await rows(acme)) == 3


async def test_a_packed_answer_of_a_url_is_loaded(load: Any, acme: Connection, site: Callable[..., str]) -> None:
    url = site(lambda: web.Response(body=PACKED, headers={"Content-Encoding": "gzip"}))
    assert (await load(source=url, columns=TYPES)).counts == counts(3, 3)
    assert len(await rows(acme)) == 3


async def test_a_packed_file_of_an_sftp_server_is_loaded(load: Any, host: SftpHost, acme: Connection) -> None:
    (host.root / "people.gz").write_bytes(PACKED)
    login = {"password": "secret://sftp.password", "host_key": public(HOST_KEY)}
    result = await load(source=host.url("/people.gz"), sftp=login, columns=TYPES)
    assert result.counts == counts(3, 3)
    assert len(await rows(acme)) == 3


async def test_a_byte_order_mark_counts_inside_the_packed_text(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv.gz", gzip.compress(PEOPLE.encode("utf-16")))
    assert (await load(source="people.csv.gz", columns=TYPES)).counts == counts(3, 3)
    assert len(await rows(acme)) == 3


async def test_a_bomb_is_put_out_before_it_fills_the_table(load: Any, acme: Connection, put: Any) -> None:
    put("people.csv", PEOPLE)
    await load(columns=TYPES)
    put("bomb.gz", gzip.compress(b"id,name,joined\n" + b"1,a,2026-01-01\n" * 1_000_000))
    with pytest.raises(JobFailed, match=r"unpacks to more than 1,000,000 bytes; raise unpacked_max") as failed:
        await load(source="bomb.gz", columns=TYPES, unpacked_max=1_000_000)
    assert not failed.value.retryable
    assert len(await rows(acme)) == 3


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("header", [True, False])
async def test_nothing_packed_is_an_empty_source(load: Any, put: Any, header: bool) -> None:
    put("people.csv.gz", gzip.compress(b""))
    with pytest.raises(JobFailed, match="the source is empty"):
        await load(source="people.csv.gz", columns=TYPES, has_header=header)


@pytest.mark.parametrize("step", [1, 7, 10_000])
async def test_files_packed_one_by_one_may_stand_in_one(step: int) -> None:
    assert await read(PACKED + PACKED + b"\0" * 512, step=step) == PEOPLE.encode() * 2


@pytest.mark.parametrize("end", [len(PACKED) - 1, len(PACKED) // 2, 3])
async def test_data_that_breaks_off_may_still_come(end: int) -> None:
    with pytest.raises(JobFailed, match="breaks off") as failed:
        await read(PACKED[:end])
    assert failed.value.retryable


@pytest.mark.parametrize("damaged", [PACKED[:-5] + b"12345", PACKED + b"something else"], ids=["checksum", "rest"])
async def test_damaged_data_is_never_taken(damaged: bytes) -> None:
    with pytest.raises(BadSource, match="damaged"):
        await read(damaged)


async def test_the_limit_is_exact() -> None:
    assert await read(PACKED, limit=len(PEOPLE.encode()))
    with pytest.raises(BadSource):
        await read(PACKED, limit=len(PEOPLE.encode()) - 1)


async def test_pieces_are_small_however_much_a_chunk_holds() -> None:
    async def chunk() -> AsyncIterator[bytes]:
        yield gzip.compress(b"\0" * 30_000_000)

    sizes = [len(piece) async for piece in unpacked(chunk(), 10**9)]
    assert (sum(sizes), max(sizes)) == (30_000_000, 1024 * 1024)


def test_the_head_of_something_damaged_is_told() -> None:
    with pytest.raises(BadSource, match="damaged"):
        unpacked_head(b"\x1f\x8b\x08\xff" + b"x" * 30)
