"""
T2, cut everywhere: the link to Postgres ends at every single message of every kind of command.

Each kind is run once without a cut, which tells how many messages it takes, and then with the cut at each of them.
After a cut the command is given once more under its key, and once again: it must be in the log once, with one answer.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import asyncpg
import orjson

from eventjobs.clock import SystemClock
from eventjobs.commands import (
    PUBLIC,
    add_flow,
    add_member,
    advance_run,
    backfill,
    create_group,
    publish_definition,
    register_integration,
    save_job,
)
from eventjobs.commands.context import Limits
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.outcomes import Keyed, Outcome
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.errors import LogFault, OutcomeUnknown, Rejected
from eventjobs.events import EVENT_TYPES
from eventjobs.ids import SystemIds, SystemRandom
from eventjobs.log.codec import Codec
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.log.postgres_storage import SESSION
from eventjobs.log.setup import set_up
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import Connection, connect, open_pool
from eventjobs.runner.surroundings import InstanceSurroundings
from eventjobs.telemetry.tasks import Tasks
from tests.chaos.figures import Figures
from tests.chaos.fleet import postgres, scratch
from tests.chaos.protocol import CutLink, cut_link
from tests.support.database import database, url_of
from tests.support.ports import FakeCatalog

AT_ONCE: Final = 6
"""How many kinds at the same time, each over a link of its own; the others are the writers that one races with."""
TEMPLATE: Final = "cut_template"
TRIES: Final = 5
HEARD_S: Final = 5.0
ANSWER_MAX_S: Final = 15.0
OF_COMMAND: Final = "SELECT position, command_id FROM events WHERE command_id = ANY($1) ORDER BY position"
COLD: Final = 12
COLD_MESSAGES: Final = 120
BODY_HASH: Final = bytes(32)

SERVICE: Final = ("AddService", {"id": "load-contacts", "handler": "csv.import"})
CADENCE: Final = {"start_date": "2026-01-01", "start_time": "14:00", "time_zone": "UTC", "every": 1, "unit": "day"}
JOBS: Final = [{"job": {"kind": "service", "id": "load-contacts"}, "seq": 1}]
SCHEDULE: Final = ("CreateSchedule", {"id": "nightly", "active": True, "cadence": CADENCE, "jobs": JOBS})
ASLEEP: Final = ("CreateSchedule", {"id": "nightly", "active": False, "cadence": CADENCE, "jobs": JOBS})
OWNER: Final = {"owner": {"kind": "schedule", "id": "nightly"}}
FLOW: Final = ("AddFlow", add_flow.SPEC.example or {})
DEFINED: Final = ("PublishDefinition", publish_definition.SPEC.example or {})
WITH_FLOW: Final = (
    "PublishDefinition",
    {
        "id": "contacts",
        "flows": [{"id": "approve", "handler": "python"}],
        "features": [{"id": "nightly-load", "flows": ["approve"]}],
    },
)
REGISTERED: Final = ("RegisterIntegration", register_integration.SPEC.example or {})
MEMBER: Final = ("AddMember", add_member.SPEC.example or {})
MANAGED: Final = {"id": "contacts.nightly"}

IMPORTS: Final = tuple(
    (name, {**(save_job.SPEC.example or {}), "id": job} if name == "SaveJob" else {"id": job})
    for job in ("contacts", "extension")
    for name in ("SaveJob", "ActivateJob")
)
LISTS: Final = ("CreateGroup", create_group.SPEC.example or {})
SAVED: Final = ("SaveJob", save_job.SPEC.example or {})

Before = Sequence[tuple[str, Mapping[str, Any]]]
BEFORE: Final[Mapping[str, Before]] = {
    "ActivateGroup": (*IMPORTS, LISTS),
    "ActivateJob": (SAVED,),
    "ActivateSchedule": (SERVICE, ASLEEP),
    "AddFlow": (),
    "AddMember": (),
    "AddService": (),
    "ClearCadenceOverride": (DEFINED, REGISTERED, ("EditCadence", {**MANAGED, "cadence": CADENCE})),
    "CopyGroup": (*IMPORTS, LISTS),
    "CopyJob": (SAVED,),
    "CreateGroup": IMPORTS,
    "CreateSchedule": (SERVICE,),
    "CreateWorkspace": (),
    "DeactivateGroup": (*IMPORTS, LISTS, ("ActivateGroup", {"id": "nightly-lists"})),
    "DeactivateJob": IMPORTS,
    "DeleteFlow": (FLOW,),
    "DeleteGroup": (*IMPORTS, LISTS),
    "DeleteJob": IMPORTS,
    "DeleteService": (SERVICE,),
    "EditFlow": (FLOW,),
    "IssueKey": (),
    "RegisterIntegration": (DEFINED,),
    "ReleaseStarts": (("HoldStarts", {"note": "a pause"}),),
    "RemoveMember": (MEMBER, ("IssueKey", {"roles": ["operator"], "member": "ada"})),
    "RestoreFlow": (WITH_FLOW, REGISTERED, ("DeleteFlow", {"id": "contacts.approve"})),
    "RestoreSchedule": (DEFINED, REGISTERED, ("DeleteSchedule", MANAGED)),
    "RestoreService": (DEFINED, REGISTERED, ("DeleteSchedule", MANAGED), ("DeleteService", {"id": "contacts.load"})),
    "ReorderGroup": (*IMPORTS, LISTS),
    "ResumeRun": (SERVICE, ASLEEP, ("RunNow", OWNER), ("StopRun", {"mode": "now"}), ("AdvanceRun", {"term": 1})),
    "RevokeKey": (("IssueKey", {"roles": ["operator"]}),),
    "RunNow": (SERVICE, ASLEEP),
    "SaveGroup": (*IMPORTS, LISTS),
    "SaveJob": (),
    "SetExpiration": (*IMPORTS, LISTS),
    "SetFeatureStatus": (DEFINED, REGISTERED),
    "SetJobSchedule": IMPORTS,
    "StopBackfill": (SERVICE, ASLEEP, ("Backfill", backfill.SPEC.example or {})),
    "StopRun": (SERVICE, ASLEEP, ("RunNow", OWNER)),
    "SyncRegistration": (DEFINED, REGISTERED, (DEFINED[0], {**DEFINED[1], "name": "Contacts, again"})),
    "UnpauseOwner": (SERVICE, SCHEDULE, ("PauseOwner", OWNER)),
}
"""What is there before a command of a kind; where nothing is said, a service and an active schedule."""


@dataclass(frozen=True, slots=True)
class Size:
    """At how many messages of each kind the link is cut; without it at all of them."""

    cuts_a_kind: int | None


SHORT: Final = Size(cuts_a_kind=3)


def long(_minutes: float) -> Size:
    """All of them."""
    return Size(cuts_a_kind=None)


@dataclass
class Instance:
    """The part of an instance that takes commands, on a log of its own."""

    dispatcher: Dispatcher
    surroundings: InstanceSurroundings

    async def give(
        self, spec: CommandSpec[Any], body: Mapping[str, Any], workspace: str, key: str | None
    ) -> tuple[str, Outcome]:
        command: CommandFields = spec.command.model_validate_json(orjson.dumps(body))
        context = self.surroundings.context(workspace)
        keyed = None if key is None else Keyed(key=f"{workspace} cutter {key}", body_hash=BODY_HASH)
        self.last_id = context.command_id
        return context.command_id, await self.dispatcher.dispatch(spec, command, context, keyed=keyed)


@dataclass
class Cutter:
    """Gives commands over a link that is cut, and sets the scene over one that is not."""

    link: CutLink
    cut: Instance
    calm: Instance
    url: str
    figures: Figures
    specs: Mapping[str, CommandSpec[Any]]
    numbers: int = 0
    unknown: set[str] = field(default_factory=set)
    """The tries that were told that nobody can say whether they were written."""

    async def kind(self, name: str, chance: Random, cuts: int | None) -> None:
        """Cut one kind of command at all of its messages, or at some."""
        messages = await self._once(name, None)
        if messages is None:
            self.figures.figures.setdefault("kinds without a recipe", []).append(name)
            return
        places = range(1, messages + 1)
        self.figures.figures["messages"] = self.figures.figures.get("messages", 0) + messages
        for place in places if cuts is None else sorted(chance.sample(places, min(cuts, messages))):
            await self._once(name, place)
        for _ in range(COLD if cuts is None else 1):
            await self._once(name, chance.randint(1, COLD_MESSAGES), cold=True)

    async def _once(self, name: str, cut_at: int | None, *, cold: bool = False) -> int | None:
        """
        Give the command with a cut at that message; returns how many messages passed without one.

        `cold`: every connection was lost just before, so that it also takes the messages that open new ones.
        """
        workspace, body = await self._scene(name)
        written = self.calm.dispatcher.log.known_head.position
        await self.cut.dispatcher.log.wait_beyond(written - 1, HEARD_S)
        if cold:
            self.link.sever_all()
        self.link.arm(cut_at)
        spec, began = self.specs[name], time.monotonic()
        try:
            given, first = await self.cut.give(spec, body, workspace, "k")
        except Rejected as refusal:
            if cut_at is not None:
                self.figures.wrong.append(f"{name} cut at {cut_at} was refused: {refusal.code}")
            return None
        except LogFault as fault:
            given, first = self.cut.last_id, None
            self._note(fault, given)
            self.figures.saw(f"answer: {getattr(fault, 'outcome', type(fault).__name__)}")
        self._timed(name, cut_at, began)
        passed, was_cut = self.link.count, bool(self.link.cut_kind)
        self.link.arm(None)
        self.figures.faults["link cut"] += was_cut
        if was_cut and first is not None:
            self.figures.saw("answer found in spite of the cut")
        await self._again(name, cut_at, spec, body, workspace, [given], first)
        return passed

    def _note(self, fault: LogFault, given: str) -> None:
        if isinstance(fault, OutcomeUnknown):
            self.unknown.add(given)

    def _timed(self, name: str, cut_at: int | None, began: float) -> None:
        took = time.monotonic() - began
        longest = self.figures.figures.get("longest answer s", 0.0)
        self.figures.figures["longest answer s"] = round(max(longest, took), 2)
        self.figures.expect(took <= ANSWER_MAX_S, f"{name} cut at {cut_at} took {took:.1f} s")

    async def _again(
        self,
        name: str,
        cut_at: int | None,
        spec: CommandSpec[Any],
        body: Mapping[str, Any],
        workspace: str,
        ids: list[str],
        first: Outcome | None,
    ) -> None:
        where = f"{name} cut at {cut_at}"
        answers = [] if first is None else [first]
        for _ in range(2):
            given, outcome = await self._patiently(spec, body, workspace, ids)
            ids.append(given)
            answers.append(outcome)
        if first is None and answers[0].replayed:
            self.figures.saw("commit hidden by an error")
            told_unknown = not self.unknown.isdisjoint(ids)
            self.figures.expect(told_unknown, f"{where}: written, though each try was told that nothing was")
        self.figures.expect(answers[-1].replayed, f"{where}: the repetition was not a replay")
        told = {orjson.dumps(one.answer, option=orjson.OPT_SORT_KEYS) for one in answers}
        self.figures.expect(len(told) == 1, f"{where}: different answers: {told}")
        await self._count(where, ids, answers[-1])

    async def _patiently(
        self, spec: CommandSpec[Any], body: Mapping[str, Any], workspace: str, ids: list[str]
    ) -> tuple[str, Outcome]:
        """Give it again; a machine that is too busy may say a few times that the log cannot be used now."""
        for left in reversed(range(TRIES)):
            self.figures.commands["sent"] += 1
            try:
                given, outcome = await self.cut.give(spec, body, workspace, "k")
            except LogFault as fault:
                self._note(fault, self.cut.last_id)
                ids.append(self.cut.last_id)
                if not left:
                    raise
                continue
            self.figures.commands["accepted"] += 1
            return given, outcome
        raise AssertionError("unreachable")

    async def _count(self, where: str, ids: Sequence[str], answer: Outcome) -> None:
        connection = await asyncpg.connect(self.url, timeout=5)
        try:
            found = await connection.fetch(OF_COMMAND, ids, timeout=5)
        finally:
            await connection.close(timeout=5)
        positions = [event["position"] for event in answer.answer["events"]]
        stored = [row["position"] for row in found]
        by = {row["command_id"] for row in found}
        if not stored:
            self.figures.lost += 1
        elif len(by) != 1 or stored != positions:
            self.figures.duplicated += 1
        self.figures.expect(stored == positions and len(by) == 1, f"{where}: told {positions}, in the log {stored}")

    async def _scene(self, name: str) -> tuple[str, dict[str, Any]]:
        """Make a new workspace with what a command of this kind needs, and return it with the command's fields."""
        self.numbers += 1
        workspace = f"cut-{self.numbers}"
        body = dict(self.specs[name].example or {})
        if name == "CreateWorkspace":
            return workspace, body | {"id": workspace}
        if name == "EditScheduleJobs":
            body["jobs"] = [JOBS[0] | {"seq": 7}]
        if name == "IssueKey":
            body["id"] = f"key-{self.numbers}"
        await self.calm.give(self.specs["CreateWorkspace"], {"id": workspace, "time_zone": "UTC"}, workspace, None)
        run = ""
        for command, fields in BEFORE.get(name, (SERVICE, SCHEDULE)):
            content = dict(fields)
            if command == "IssueKey":
                content["id"] = f"key-{self.numbers}"
            if command in ("StopRun", "AdvanceRun"):
                content["run"] = run
            spec = advance_run.SPEC if command == "AdvanceRun" else self.specs[command]
            _, outcome = await self.calm.give(spec, content, workspace, None)
            run = outcome.answer.get("run", run)
            if name in ("StopRun", "ResumeRun"):
                body["run"] = run
            if name == "RevokeKey":
                body["id"] = f"key-{self.numbers}"
        return workspace, body


@asynccontextmanager
async def _instance(url: str, listening_at: str) -> AsyncIterator[Instance]:
    tasks, clock = Tasks(), SystemClock()

    async def listen_dial(session: Mapping[str, str]) -> Connection:
        return await connect(listening_at, role=APP_ROLE, settings=session)

    async def dial(session: Mapping[str, str]) -> Connection:
        return await connect(url, role=APP_ROLE, settings=session)

    async with await open_pool(url, role=APP_ROLE, min_size=1, max_size=4, settings=SESSION) as pool:
        log = PostgresEventLog(
            pool=pool,
            dial=dial,
            listen_dial=listen_dial,
            codec=Codec(EVENT_TYPES),
            clock=clock,
            random=SystemRandom(),
            tasks=tasks,
        )
        await log.start()
        surroundings = InstanceSurroundings(
            instance=SystemIds().new(),
            clock=clock,
            ids=SystemIds(),
            random=SystemRandom(),
            catalog=FakeCatalog(),
            limits=Limits(),
        )
        try:
            yield Instance(Dispatcher(log), surroundings)
        finally:
            await log.stop()
            await tasks.cancel_all()


async def run(seed: int, size: Size, command: str) -> Figures:
    """Cut every kind of command."""
    figures = Figures("T2 cut everywhere", ("P2", "P3"), seed, command)
    began, chance = time.monotonic(), Random(seed)
    specs = {spec.name: spec for spec in PUBLIC}
    with scratch() as folder:
        async with postgres(folder) as server, AsyncExitStack() as stack:
            await stack.enter_async_context(database(server.url, TEMPLATE))
            await set_up(url_of(server.url, TEMPLATE))
            places = asyncio.Semaphore(AT_ONCE)

            async def cut_one(number: int, name: str) -> None:
                async with places, database(server.url, f"cut_{number}", template=TEMPLATE) as url:
                    async with (
                        cut_link(url) as (link, through),
                        _instance(url, url) as calm,
                        _instance(through, url) as cut,
                    ):
                        cutter = Cutter(link, cut, calm, url, figures, specs)
                        await cutter.kind(name, Random(chance.random()), size.cuts_a_kind)
                    figures.gaps += await _gaps(url)

            await asyncio.gather(*(cut_one(number, name) for number, name in enumerate(specs)))
    figures.figures["kinds of command"] = len(specs) - len(figures.figures.get("kinds without a recipe", ()))
    left_out = figures.figures.get("kinds without a recipe", ())
    figures.expect(not left_out, f"no scene lets these kinds be accepted: {left_out}")
    figures.expect(figures.gaps == 0, f"{figures.gaps} positions are missing")
    rare = figures.sometimes["answer found in spite of the cut"] + figures.sometimes["commit hidden by an error"]
    figures.expect(rare > 0, "no cut ever fell on a command that was written")
    figures.seconds = time.monotonic() - began
    return figures


async def _gaps(url: str) -> int:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return int(await connection.fetchval("SELECT max(position) - count(*) FROM events", timeout=5))
    finally:
        await connection.close(timeout=5)
