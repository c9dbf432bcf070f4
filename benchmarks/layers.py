"""What one command costs the CPU, by layer: the same command through each layer alone, in microseconds."""

import asyncio
import gc
import json
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from eventjobs.api.json_text import read_json
from eventjobs.clock import SystemClock
from eventjobs.commands import add_service
from eventjobs.commands.context import Limits
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.spec import CommandFields
from eventjobs.domain.streams import service_stream, workspace_stream
from eventjobs.events import EVENT_TYPES
from eventjobs.events.workspace import WorkspaceCreated
from eventjobs.handlers.registry import Registry
from eventjobs.ids import SystemIds, SystemRandom
from eventjobs.log.codec import Codec
from eventjobs.log.memory import MemoryEventLog
from eventjobs.log.port import Append
from eventjobs.log.prepared import prepare
from eventjobs.log.upcasts import UPCASTS
from eventjobs.projections.registry import PROJECTIONS
from eventjobs.runner.catalog import Catalog
from eventjobs.runner.surroundings import InstanceSurroundings

COUNT = 2_000
ROUNDS = 5
WORKSPACE = "bench"
ANSWER = {
    "command_id": str(uuid.UUID(int=0)),
    "stream": "service:x",
    "version": 1,
    "position": 7,
    "events": [{"position": 7, "stream": "service:x", "type": "service.added"}],
    "warnings": [],
}


def _body() -> bytes:
    fields = {"id": f"s-{uuid.uuid4().hex}", "name": "Nothing", "handler": "sleep", "config": {"seconds": 0}}
    return json.dumps(fields).encode()


async def _each(work: Callable[[Any], Awaitable[Any]], items: list[Any]) -> float:
    """Microseconds of this process for one item."""
    gc.collect()
    started = time.process_time()
    for item in items:
        await work(item)
    return 1e6 * (time.process_time() - started) / len(items)


async def _round() -> dict[str, float]:
    clock = SystemClock()
    log = MemoryEventLog(Codec(EVENT_TYPES, UPCASTS), clock)
    surroundings = InstanceSurroundings(
        instance="bench",
        clock=clock,
        ids=SystemIds(),
        random=SystemRandom(),
        catalog=Catalog(Registry.load()),
        limits=Limits(),
    )
    dispatcher = Dispatcher(log)
    context = surroundings.context(WORKSPACE)
    stream = workspace_stream(WORKSPACE)
    made = WorkspaceCreated(time_zone="UTC", kind="automation")
    await log.append(Append(events=[(stream, made)], expected={stream: 0}, provenance=context.provenance))
    bodies = [_body() for _ in range(COUNT)]
    codec = Codec(EVENT_TYPES, UPCASTS)
    commands: list[CommandFields] = [add_service.AddService.model_validate_json(body) for body in bodies]
    for one in commands:
        await dispatcher.states.load([service_stream(WORKSPACE, one.model_dump()["id"])])
    appends: list[Append] = []

    async def parse(body: bytes) -> None:
        read_json(body)

    async def validate(body: bytes) -> None:
        add_service.AddService.model_validate_json(body)

    async def decide(command: CommandFields) -> None:
        world = await dispatcher.decide(add_service.SPEC, command, surroundings.context(WORKSPACE))
        appends.append(Append(events=world.emitted, expected=world.expected(), provenance=context.provenance))

    async def encode(append: Append) -> None:
        prepare(codec, append)

    async def answer(_: Any) -> None:
        orjson.dumps(ANSWER)

    layers = {
        "strict_json": await _each(parse, bodies),
        "validate": await _each(validate, bodies),
        "load_and_decide": await _each(decide, commands),
        "encode_and_check": await _each(encode, appends),
        "answer": await _each(answer, bodies),
    }
    facts = await _facts(log, appends)

    async def project(fact: Any) -> None:
        for projection in PROJECTIONS:
            list(projection.project(fact))

    layers["project"] = await _each(project, facts)
    return layers


async def _facts(log: MemoryEventLog, appends: list[Append]) -> list[Any]:
    for append in appends:
        await log.append(append)
    return list(await log.read(0, len(appends) + 1))


async def measure() -> dict[str, float]:
    """Return microseconds of CPU for one AddService, by layer."""
    rounds = [await _round() for _ in range(ROUNDS)]
    return {layer: round(statistics.median(one[layer] for one in rounds), 1) for layer in rounds[0]}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure()), indent=2))
