"""Live streams: frames of the log, progress, resuming, and every way in which a stream ends."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest

from eventjobs.api import frames
from tests.api.rig import Rig, started, with_workspace
from tests.api.wire import head
from tests.support.waiting import eventually


class Stream:
    """A live stream as a browser reads it."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def frame(self, timeout_s: float = 5.0) -> Mapping[str, Any]:
        """Return the next frame after that of the head; `{}` at the end of the stream."""
        async with asyncio.timeout(timeout_s):
            while True:
                lines = []
                while line := (await self.response.content.readline()).rstrip(b"\r\n"):
                    lines.append(line.decode())
                if not lines:
                    return {}
                fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
                if fields and fields.get("event") != "head":
                    return {**fields, "data": orjson.loads(fields["data"])}

    async def frames(self, count: int) -> list[Mapping[str, Any]]:
        return [await self.frame() for _ in range(count)]

    async def pieces_up_to(self, position: int) -> int:
        """Return in how many pieces the frames up to a position come."""
        count = 0
        async with asyncio.timeout(5.0):
            async for piece, is_whole in self.response.content.iter_chunks():
                count += is_whole
                if b"id: %d\n" % position in piece:
                    break
        return count

    async def was_dropped(self) -> bool:
        """Read on; tell whether the connection was broken off instead of ended."""
        try:
            while await self.frame():
                pass
        except (aiohttp.ClientError, ConnectionError):
            return True
        return False


@asynccontextmanager
async def live(
    rig: Rig, last: str | None = None, *, key: str | None = None, workspace: str = "acme"
) -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {key or rig.key}", **({} if last is None else {"Last-Event-ID": last})}
    async with rig.session.get(f"{rig.url}/v1/{workspace}/live", headers=headers) as response:
        assert response.status == 200
        yield Stream(response)


def open_streams(rig: Rig) -> float:
    return rig.deps.metrics.live_streams._value.get()


async def add(rig: Rig, service: str, workspace: str = "acme") -> int:
    answered = await rig.command("AddService", {"id": service, "handler": "noop"}, workspace=workspace)
    return answered.json["position"]


async def test_a_frame_says_where_and_what(rig: Rig) -> None:
    async with live(rig) as stream:
        assert stream.response.headers["Content-Type"].startswith("text/event-stream")
        position = await add(rig, "a")

        frame = await stream.frame()

        assert frame["id"] == str(position)
        fact = (await rig.facts())[-1]
        assert frame["data"] == {
            "position": position,
            "stream": "service:a",
            "stream_version": 1,
            "type": "service.added",
            "at": fact.at.isoformat().replace("+00:00", "Z"),
        }


async def test_it_starts_at_the_head(rig: Rig) -> None:
    async with live(rig) as first:
        await add(rig, "a")
        async with live(rig) as second:
            position = await add(rig, "b")

            assert (await second.frame())["id"] == str(position)
        assert (await first.frames(2))[1]["id"] == str(position)


async def test_it_resumes_without_gap_or_double(rig: Rig) -> None:
    positions = [await add(rig, f"s{n}") for n in range(5)]
    async with live(rig, last=str(positions[1])) as stream:
        positions += [await add(rig, f"t{n}") for n in range(3)]

        assert [frame["id"] for frame in await stream.frames(6)] == [str(position) for position in positions[2:]]


async def test_it_resumes_from_the_very_beginning_in_pages(rig: Rig) -> None:
    batch = [{"command": "AddService", "data": {"id": f"s{n}", "handler": "noop"}} for n in range(1_000)]
    await rig.post("/v1/acme/commands", batch)
    expected = [str(fact.position) for fact in await rig.facts() if fact.workspace == "acme"]

    async with live(rig, last="0") as stream:
        assert [frame["id"] for frame in await stream.frames(len(expected))] == expected


async def test_other_workspaces_are_not_seen(rig: Rig) -> None:
    await rig.post("/v1/workspaces", {"id": "other"})
    async with live(rig) as stream:
        await add(rig, "theirs", "other")
        mine = await add(rig, "mine")

        assert (await stream.frame())["id"] == str(mine)


@pytest.mark.parametrize("last", ["999999", "x", "-1", "1.5", "٣", "1; data: x"])
async def test_an_id_that_is_not_in_the_log_is_400(rig: Rig, last: str) -> None:
    refused = await rig.get("/v1/acme/live", headers={"Last-Event-ID": last})

    assert (refused.status, refused.code) == (400, "bad_last_event_id")


async def test_progress_has_no_id_and_stays_in_its_workspace(rig: Rig) -> None:
    await rig.post("/v1/workspaces", {"id": "other"})
    progress = {
        "run": "r",
        "row": 1,
        "attempt": 1,
        "fraction": 0.5,
        "text": "half\ndata: forged\n\nid: 7",
        "counts": {},
    }
    async with live(rig) as stream:
        rig.deps.progress.publish("other", progress)
        rig.deps.progress.publish("acme", progress)

        frame = await stream.frame()

        assert frame == {"event": "progress", "data": progress}


async def test_it_ends_at_once_when_the_service_stops(rig: Rig) -> None:
    loop = asyncio.get_running_loop()
    async with live(rig) as one, live(rig) as two:
        began = loop.time()
        cleaning = asyncio.ensure_future(rig.runner.cleanup())

        assert (await one.frame(), await two.frame()) == ({}, {})
        await cleaning
        assert loop.time() - began < 1.0
    assert open_streams(rig) == 0


async def test_it_ends_when_the_key_is_revoked(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventjobs.api.live.CHECK_KEY_S", 0.1)
    key = await rig.issue("reader", id="gone")
    async with live(rig, key=key) as stream:
        await rig.command("RevokeKey", {"id": "gone"}, workspace="*")

        assert await stream.frame() == {}


async def test_a_key_has_so_many_streams_and_no_more() -> None:
    async with started(live_streams_per_key=2) as rig:
        await with_workspace(rig)
        other = await rig.issue("reader")
        async with live(rig), live(rig):
            refused = await rig.get("/v1/acme/live")
            assert (refused.status, refused.code) == (429, "too_many_streams")
            assert refused.headers["Retry-After"]
            async with live(rig, key=other):
                pass
        await eventually(lambda: open_streams(rig) == 0)
        async with live(rig):
            pass


async def test_a_reader_that_does_not_read_is_dropped(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventjobs.api.live.WRITE_S_MAX", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port, limit=1)
    writer.write(head(rig, "/v1/acme/live", method="GET"))
    await eventually(lambda: open_streams(rig) == 1)
    reader._transport.pause_reading()  # type: ignore[attr-defined]

    await _flood_until_dropped(rig)

    writer.transport.abort()
    assert (await rig.get("/v1/me")).status == 200


async def test_a_reader_that_is_far_behind_is_dropped(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventjobs.api.frames.BACKLOG_BYTES_MAX", 50_000)
    async with live(rig) as stream:
        for _ in range(100):
            rig.deps.progress.publish("acme", {"text": "x" * 1_000})

        assert await stream.was_dropped()


async def _flood_until_dropped(rig: Rig) -> None:
    async with asyncio.timeout(20):
        while open_streams(rig):
            for _ in range(20):
                rig.deps.progress.publish("acme", {"text": "x" * 40_000})
            await asyncio.sleep(0.02)


async def test_the_log_is_followed_only_while_somebody_watches(rig: Rig) -> None:
    async with live(rig):
        assert "live-frames" in rig.deps.tasks.names
    await eventually(lambda: "live-frames" not in rig.deps.tasks.names)
    async with live(rig) as stream:
        position = await add(rig, "again")
        assert (await stream.frame())["id"] == str(position)


async def test_what_happens_within_a_moment_comes_in_one_piece_made_once_for_all(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    as_before = frames.log_frame

    def counted(fact: Any) -> bytes:
        made.append(fact.position)
        return as_before(fact)

    monkeypatch.setattr("eventjobs.api.frames.log_frame", counted)
    monkeypatch.setattr("eventjobs.api.frames.GATHER_S", 0.5)
    async with live(rig) as one, live(rig) as other:
        first = await add(rig, "first")
        for stream in (one, other):
            await first_frame(stream, first)

        last = [await add(rig, f"s{number}") for number in range(10)][-1]

        for stream in (one, other):
            assert await stream.pieces_up_to(last) <= 2
        assert len(made) == len(set(made)) == 11


async def test_who_comes_while_something_is_gathered_hears_only_what_is_new(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventjobs.api.frames.GATHER_S", 0.5)
    async with live(rig) as first:
        await first_frame(first, await add(rig, "a"))
        before = await add(rig, "b")
        async with live(rig) as late:
            after = await add(rig, "c")

            assert [frame["id"] for frame in await first.frames(2)] == [str(before), str(after)]
            await first_frame(late, after)


async def first_frame(stream: Stream, position: int) -> None:
    assert (await stream.frame())["id"] == str(position)
