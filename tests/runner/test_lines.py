"""Log lines of an attempt: numbered, bounded, sealed, and never the reason why a job fails."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from eventjobs.domain.run import State
from eventjobs.handlers.context import HandlerContext, LogLine
from eventjobs.runner.lines import BYTES_MAX, LEFT_OUT, AttemptLines, MemoryLines, seal_bytes
from eventjobs.runner.ports import Line
from tests.runner.plant import Instance, Plant
from tests.support.bodies import row, run_now
from tests.support.time import NOON, virtually
from tests.support.waiting import eventually

ADDRESS = ("acme", "mine", 1, 1)


def line(text: str, **fields: Any) -> LogLine:
    return LogLine(NOON, "info", text, fields)


def sealed(lines: Sequence[Line]) -> str:
    return hashlib.sha256(b"".join(seal_bytes(one) for one in lines)).hexdigest()


class Broken:
    """A store that refuses `times` times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.kept = MemoryLines()

    async def write(self, workspace: str, run: str, row: int, attempt: int, lines: Sequence[Line]) -> None:
        await asyncio.sleep(0)
        if self.times:
            self.times -= 1
            raise OSError("the table is away")
        await self.kept.write(workspace, run, row, attempt, lines)


async def test_lines_are_numbered_and_sealed_as_they_are_stored() -> None:
    store = MemoryLines()
    lines = AttemptLines(store, *ADDRESS)
    assert lines.sha256 is None
    for text in ("one", "zwei\n", "three"):
        lines.add(line(text, rows=1))
    await lines.flush()
    kept = store.kept[ADDRESS]
    assert [(one.line, one.text) for one in kept] == [(1, "one"), (2, "zwei\n"), (3, "three")]
    assert (lines.count, lines.sha256) == (3, sealed(kept))


async def test_an_attempt_keeps_a_mebibyte_of_lines_and_says_that_there_were_more() -> None:
    store = MemoryLines()
    lines = AttemptLines(store, *ADDRESS)
    for _ in range(40):
        lines.add(line("x", blob="y" * 50_000))
    await lines.flush()
    kept = store.kept[ADDRESS]
    assert kept[-1].text == LEFT_OUT
    assert 19 < len(kept) < 23
    assert sum(len(seal_bytes(one)) for one in kept) <= BYTES_MAX + 200
    assert (lines.count, lines.sha256) == (len(kept), sealed(kept))


async def test_fields_that_are_no_json_become_text() -> None:
    store = MemoryLines()
    lines = AttemptLines(store, *ADDRESS)
    lines.add(line("odd", path=Path("a/b"), when=NOON, some={1}, ok=[1, None]))
    lines.add(line("odder", big=2**70))
    await lines.flush()
    first, second = store.kept[ADDRESS]
    assert first.fields == {"path": "a/b", "when": "2026-12-01T12:00:00Z", "some": "{1}", "ok": [1, None]}
    assert orjson.dumps(second.fields)
    assert lines.sha256 == sealed([first, second])


async def test_lines_that_could_not_be_written_are_written_the_next_time_and_once() -> None:
    store = Broken(1)
    lines = AttemptLines(store, *ADDRESS)
    lines.add(line("one"))
    with pytest.raises(OSError, match="away"):
        await lines.flush()
    lines.add(line("two"))
    assert not lines.is_written
    await asyncio.gather(lines.flush(), lines.flush())
    assert [one.text for one in store.kept.kept[ADDRESS]] == ["one", "two"]
    assert lines.is_written


def test_what_a_handler_logs_is_in_the_store_and_sealed_in_its_attempts_last_fact() -> None:
    async def story() -> None:
        plant = Plant()

        async def talk(context: HandlerContext, _config: object) -> None:
            context.log("info", "began", password="swordfish")
            context.log("warning", "the word is swordfish", path=Path("x"))

        plant.floor.doings["talk"] = talk
        instance = Instance(plant, "one").start()
        config = {"do": "talk", "word": "secret://word"}
        await plant.furnish(instance, [row("a")], {"a": {"config": config}})
        await instance.do(run_now(id="mine"))
        await plant.ended("mine")
        kept = plant.lines.kept[ADDRESS]
        ended = plant.events("attempt.ended")[0]
        assert [one.text for one in kept] == ["began", "the word is ***"]
        assert kept[0].fields == {"password": "***"}
        assert (ended.log_lines, ended.log_sha256) == (2, sealed(kept))

    virtually(story())


def test_a_table_of_lines_that_is_away_fails_no_job_and_gets_them_later() -> None:
    async def story() -> None:
        plant, store = Plant(), Broken(5)

        async def talk(context: HandlerContext, _config: object) -> None:
            for number in range(3):
                context.log("info", f"line {number}")
                await context.progress(None, "going on")

        plant.floor.doings["talk"] = talk
        instance = Instance(plant, "one", lines=store).start()
        await plant.furnish(instance, [row("a")], {"a": {"config": {"do": "talk"}}})
        await instance.do(run_now(id="mine"))
        assert (await plant.ended("mine")).state is State.SUCCEEDED
        kept = await eventually(lambda: store.kept.kept.get(ADDRESS))
        assert plant.events("attempt.ended")[0].log_sha256 == sealed(kept)

    virtually(story())


def test_a_handler_that_was_abandoned_cannot_write_under_its_seal() -> None:
    async def story() -> None:
        plant = Plant()

        async def deaf(context: HandlerContext, _config: object) -> None:
            while True:
                try:
                    await context.clock.sleep(1)
                except asyncio.CancelledError:
                    continue
                context.log("info", "still there")

        plant.floor.doings["deaf"] = deaf
        instance = Instance(plant, "one", grace_s=5.0).start()
        await plant.furnish(instance, [row("a")], {"a": {"config": {"do": "deaf"}, "timeout": "PT10S"}})
        await instance.do(run_now(id="mine"))
        await plant.ended("mine")
        await plant.clock.sleep(60)
        ended = plant.events("attempt.ended")[0]
        kept = plant.lines.kept[ADDRESS]
        assert (ended.reason, ended.log_lines, ended.log_sha256) == ("timeout", len(kept), sealed(kept))

    virtually(story())
