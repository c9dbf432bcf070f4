"""Who is told of what happened to groups and Connect jobs: from the log's facts, once, whoever reads them (§6)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from eventjobs.commands.context import Limits
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.domain.streams import run_stream
from eventjobs.events import EVENT_TYPES
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.codec import Codec
from eventjobs.log.memory import MemoryEventLog
from eventjobs.runner.reporter import PUT_OFF, Reporter
from eventjobs.runner.surroundings import InstanceSurroundings
from eventjobs.simulation.views import MemoryMark
from tests.support.logs import facts_of
from tests.support.ports import CountingIds, FakeCatalog, FixedRandom
from tests.support.story import SPEC_OF, WORKSPACE, at, command
from tests.support.time import FrozenClock

OPS, BOSS = "ops@example.org", "boss@example.org"
DAILY = {"type": "daily", "at": "14:05", "time_zone": "UTC"}
DUE = at("2026-12-01 14:00")
LISTS = {"id": "lists", "name": "Lists", "jobs": ["contacts", "extension"], "schedule": DAILY}
MODES = ("always", "failure", "none")


class Torn(MemoryEventLog):
    """Cannot read the facts of groups backwards while it is torn."""

    torn = False

    async def read_back(
        self, before: int, limit: int, *, stream: StreamId, types: Sequence[str]
    ) -> Sequence[Recorded[Any]]:
        if self.torn and stream.kind == "group":
            raise RuntimeError("torn")
        return await super().read_back(before, limit, stream=stream, types=types)


class Trusted:
    def trusted(self) -> bool:
        return True


class Desk:
    """A log in memory with a workspace of imports, and what tells of it; time stands still until it is moved."""

    def __init__(self, *, log: type[MemoryEventLog] = MemoryEventLog, limits: Limits | None = None) -> None:
        self.clock = FrozenClock()
        self.log = log(Codec(EVENT_TYPES), self.clock)
        self.mark = MemoryMark()
        self.ids = CountingIds()
        self.limits = limits or Limits()

    def reporter(
        self, name: str = "one", *, mark: MemoryMark | None = None, dispatcher: Dispatcher | None = None
    ) -> Reporter:
        return Reporter(
            self.log,
            dispatcher or Dispatcher(self.log),
            self.surroundings(name),
            self.clock,
            Trusted(),
            mark=mark or self.mark,
        )

    def surroundings(self, name: str) -> InstanceSurroundings:
        return InstanceSurroundings(
            instance=name,
            clock=self.clock,
            ids=self.ids,
            random=FixedRandom(0.0),
            catalog=FakeCatalog(),
            limits=self.limits,
        )

    async def do(self, name: str, /, *, actor: str = "instance:one", **fields: Any) -> Any:
        wanted = command(name, **fields)
        context = replace(self.surroundings("one").context(WORKSPACE), actor=actor)
        return await Dispatcher(self.log).dispatch(SPEC_OF[type(wanted)], wanted, context)

    async def furnish(self, *jobs: str) -> "Desk":
        """Make imports that run on demand: by default the two of the group `lists`."""
        await self.do("CreateWorkspace", id=WORKSPACE, time_zone="UTC", kind="automation")
        for job in jobs or ("contacts", "extension"):
            await self.do("SaveJob", id=job, kind="import", handler="csv.import", config={}, expires_on="never")
            await self.do("ActivateJob", id=job)
        return self

    async def group(self, mode: str = "always") -> "Desk":
        """Make the group, active."""
        await self.do("CreateGroup", **LISTS, notification={"mode": mode, "recipients": [OPS]})
        await self.do("ActivateGroup", id="lists")
        return self

    async def run(self, run: str = "r", kind: str = "group", owner: str = "lists") -> None:
        await self.do("RunNow", owner={"kind": kind, "id": owner}, id=run)
        await self.advance(run)

    async def advance(self, run: str, *ended: Any) -> None:
        await self.do("AdvanceRun", run=run, term=1, ended=list(ended))

    async def due(self, when: datetime = DUE, kind: str = "group", owner: str = "lists") -> None:
        self.clock.instant = when
        await self.do("AnswerDue", kind=kind, id=owner)

    async def tell(self, *recipients: str) -> None:
        """Save the group with others to tell."""
        await self.do("SaveGroup", **LISTS, notification={"mode": "always", "recipients": recipients})

    async def told(self) -> list[str]:
        """Have told what there is to tell, and return what is wanted: to whom, of which kind, and what it says."""
        await self.reporter().step()
        return [f"{event.recipient.partition('@')[0]}: {said(event)}" for event in self.wanted()]

    def wanted(self) -> list[Any]:
        return [fact.event for fact in facts_of(self.log) if fact.type == "notification.requested"]


def said(event: Any) -> str:
    about = event.about
    match event.kind:
        case "run.ended":
            flags = [name for name in ("recovered", "rejected") if about.get(name)]
            return " ".join([event.run, about["state"], *flags])
        case "occurrence.not_run":
            return f"{about['outcome']} {about['reason']}"
        case _:
            return f"{about.get('became', 'expires in')} {about.get('days_left', '')}".strip()


def end(row: int = 1, state: str = "succeeded", **fields: Any) -> dict[str, Any]:
    return {"row": row, "attempt": 1, "state": state, **fields}


async def succeed(desk: Desk, run: str = "r", **counts: int) -> None:
    await desk.run(run)
    await desk.advance(run, end(1, counts=counts))
    await desk.advance(run, end(2))


async def fail(desk: Desk, run: str = "r") -> None:
    await desk.run(run)
    await desk.advance(run, end(1, "failed", reason="error", detail="no such file"))


async def lose_a_member(desk: Desk) -> None:
    await desk.do("DeactivateJob", id="extension", force=True)
    await desk.run()


async def stop(desk: Desk) -> None:
    await desk.run()
    await desk.do("StopRun", run="r", mode="now")
    await desk.advance("r", end(1, "aborted", reason="stopped"))


async def displace(desk: Desk) -> None:
    (created,) = (fact.event for fact in facts_of(desk.log) if fact.type == "group.created")
    told = {"mode": created.notification.mode, "recipients": [OPS]}
    await desk.do("SaveGroup", **LISTS, notification=told, policies={"overlap": "cancel_running"})
    await desk.run()
    await desk.due()
    await desk.advance("r", end(1, "aborted", reason="stopped"))


async def reject(desk: Desk) -> None:
    await succeed(desk, rejected=3)


async def overlap(desk: Desk) -> None:
    await desk.run()
    await desk.due()


async def be_away(desk: Desk) -> None:
    await desk.due(DUE + timedelta(hours=5))


async def recover(desk: Desk) -> None:
    await fail(desk, "r0")
    await succeed(desk)


async def come_near(desk: Desk) -> None:
    await desk.do("DeactivateGroup", id="lists")
    for day in ("2026-12-24", "2026-12-30"):
        await desk.due(at(f"{day} 00:00"))


async def expire(desk: Desk) -> None:
    await desk.do("DeactivateGroup", id="lists")
    await desk.due(at("2027-01-01 00:00"))


R1, R2 = "ops: r succeeded", "ops: r failed"
ROWS: list[tuple[str, Callable[[Desk], Awaitable[None]], Sequence[list[str]]]] = [
    ("1 a run that succeeded", succeed, ([R1], [], [])),
    ("2 a run that failed at a member", fail, ([R2], [R2], [])),
    ("4 a preflight that failed", lose_a_member, ([R2], [R2], [])),
    ("5 a run that a person stopped", stop, (["ops: r aborted"], [], [])),
    ("6 a run that had to make room", displace, (["ops: r aborted"], ["ops: r aborted"], [])),
    ("7 a run with rejected records", reject, ([f"{R1} rejected"], [], [])),
    ("8 a moment that was skipped", overlap, (["ops: skipped overlap"], ["ops: skipped overlap"], [])),
    ("8 a moment that was missed", be_away, (["ops: missed catch_up_window"], ["ops: missed catch_up_window"], [])),
    ("9 a success after a failure", recover, (["ops: r0 failed", f"{R1} recovered"], ["ops: r0 failed"], [])),
    ("10 an expiry that comes near", come_near, (["ops: expires in 7", "ops: expires in 1"],) * 3),
    ("11 an expiry", expire, (["ops: deleted"],) * 3),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("happens", "told"), [pytest.param(*row[1:], id=row[0]) for row in ROWS])
async def test_the_matrix_of_a_group(happens: Any, told: Sequence[list[str]], mode: str) -> None:
    desk = await (await Desk().furnish()).group(mode)
    await happens(desk)
    assert await desk.told() == told[MODES.index(mode)]


@pytest.mark.parametrize("mode", MODES)
async def test_G66_rows_3_and_13_a_member_tells_by_its_own_mode_and_only_of_runs_by_itself(mode: str) -> None:
    desk = await Desk().furnish()
    told = {"mode": mode, "recipients": [BOSS]}
    await desk.do("SaveJob", id="contacts", kind="import", handler="csv.import", config={}, notification=told)
    await desk.group("none")
    await succeed(desk)
    await fail(desk, "r2")
    assert await desk.told() == []

    await desk.run("alone", "import", "contacts")
    await desk.advance("alone", end())
    await desk.run("again", "import", "contacts")
    await desk.advance("again", end(state="failed", reason="error"))
    wanted = {"always": ["alone succeeded", "again failed"], "failure": ["again failed"], "none": []}
    assert await desk.told() == [f"boss: {one}" for one in wanted[mode]]


async def everything(desk: Desk) -> list[str]:
    """Let a run succeed and one fail, a moment be skipped and the group expire; return what is told of it."""
    await succeed(desk)
    await fail(desk, "r2")
    await desk.run("r3")
    await desk.due()
    await desk.advance("r3", end(1))
    await desk.advance("r3", end(2))
    await expire(desk)
    return [R1, "ops: r2 failed", "ops: skipped overlap", "ops: r3 succeeded recovered", "ops: deleted"]


async def test_G71_two_instances_that_tell_at_once_tell_each_thing_once() -> None:
    desk = await (await Desk().furnish()).group()
    wanted = await everything(desk)
    await asyncio.gather(desk.reporter("one").step(), desk.reporter("two", mark=MemoryMark()).step())
    assert sorted(await desk.told()) == sorted(wanted)


async def test_G71_who_begins_anew_tells_nothing_more_although_others_are_listed_by_now() -> None:
    desk = await (await Desk().furnish()).group()
    await succeed(desk)
    await fail(desk, "r2")
    assert await desk.told() == [R1, "ops: r2 failed"]

    await desk.tell(OPS, BOSS)
    desk.mark = MemoryMark()
    assert await desk.told() == [R1, "ops: r2 failed"]


async def test_G70_a_day_that_was_told_of_is_not_told_again_in_another_zone() -> None:
    desk = await (await Desk().furnish()).group()
    await desk.due(at("2026-12-01 16:00"))
    told = await desk.told()
    assert told == ["ops: missed catch_up_window"]

    there = {**DAILY, "time_zone": "Pacific/Kiritimati"}
    await desk.do("SaveGroup", **{**LISTS, "schedule": there}, notification={"mode": "always", "recipients": [OPS]})
    desk.mark = MemoryMark()
    assert await desk.told() == told


async def test_G44_a_run_tells_those_who_were_listed_when_it_began() -> None:
    desk = await (await Desk().furnish()).group()
    await desk.run()
    await desk.tell(BOSS)
    await desk.advance("r", end(1, "failed"))
    await succeed(desk, "r2")
    assert await desk.told() == ["ops: r failed", "boss: r2 succeeded recovered"]


async def test_a_run_that_was_stopped_is_neither_a_success_nor_a_failure_before_another() -> None:
    desk = await (await Desk().furnish()).group()
    await fail(desk, "r0")
    await stop(desk)
    await succeed(desk, "r2")
    await succeed(desk, "r3")
    assert await desk.told() == ["ops: r0 failed", "ops: r aborted", "ops: r2 succeeded recovered", "ops: r3 succeeded"]


async def test_what_another_instance_ended_is_told_by_one_that_remembers_it_open() -> None:
    desk = await (await Desk().furnish()).group()
    await desk.run()
    remembering = Dispatcher(desk.log)
    _ = await remembering.states.load([run_stream(WORKSPACE, "r")])
    late = desk.reporter("late", dispatcher=remembering)
    await desk.advance("r", end(1, "failed"))
    await late.step()
    assert [said(event) for event in desk.wanted()] == ["r failed"]


async def test_what_cannot_be_told_is_told_later_and_keeps_nothing_back() -> None:
    desk = await (await Desk(log=Torn).furnish("contacts", "extension", "alone")).group()
    told = {"mode": "always", "recipients": [BOSS]}
    await desk.do("SaveJob", id="alone", kind="import", handler="csv.import", config={}, notification=told)
    await fail(desk)
    await desk.run("a", "import", "alone")
    await desk.advance("a", end())
    desk.log.torn = True  # type: ignore[attr-defined]
    teller = desk.reporter()
    await teller.step()
    assert [said(event) for event in desk.wanted()] == ["a succeeded"]

    desk.log.torn = False  # type: ignore[attr-defined]
    (closed,) = (fact.position for fact in facts_of(desk.log) if fact.type == "group.run_closed")
    assert await desk.mark.find() == closed - 1
    await teller.step()
    assert len(desk.wanted()) == 1
    desk.clock.instant += PUT_OFF
    await teller.step()
    assert [said(event) for event in desk.wanted()] == ["a succeeded", "r failed"]
    assert (await desk.mark.find() or 0) > closed


async def test_G61_a_single_job_tells_of_its_expiry_by_its_kind() -> None:
    desk = await Desk().furnish()
    fields = {"kind": "import", "handler": "csv.import", "config": {}, "expires_on": "2026-12-08"}
    await desk.do("SaveJob", id="brief", **fields, notification={"mode": "failure", "recipients": [BOSS]})
    for day in ("2026-12-07", "2026-12-09"):
        await desk.due(at(f"{day} 00:00"), "job", "brief")
    assert await desk.told() == ["boss: expires in 1", "boss: deleted"]
    assert {(event.subject.kind, event.about["expires_on"]) for event in desk.wanted()} == {("import", "2026-12-08")}


async def test_G61_a_group_without_recipients_tells_the_member_who_made_it_that_it_expires() -> None:
    desk = await Desk().furnish()
    await desk.do("AddMember", id="ada", name="Ada", email="ada@example.org", roles=["data_director"])
    await desk.do("IssueKey", id="k", roles=["data_director"], member="ada")
    await desk.do("CreateGroup", **LISTS, actor="key:acme/k")
    await desk.due(at("2026-12-24 00:00"))
    assert await desk.told() == ["ada: expires in 7"]


async def test_G68_a_planned_run_tells_its_window_the_drawn_minute_and_what_comes_next() -> None:
    desk = await (await Desk().furnish()).group()
    await desk.due()
    await desk.advance("group.lists.1.20261201t140000z")
    desk.clock.instant += timedelta(seconds=12)
    await desk.advance("group.lists.1.20261201t140000z", end(1, "failed"))
    _ = await desk.told()
    (event,) = desk.wanted()
    about = event.about
    assert about["planned"] == {"date": "2026-12-01", "window": "14:00-14:14", "minute": "14:00"}
    assert (about["cause"], about["started_at"], about["duration_s"]) == ("scheduled", "2026-12-01T14:00:00Z", 12.0)
    assert [(job["state"], job["duration_s"]) for job in about["jobs"]] == [("failed", 12.0), ("skipped", None)]
    assert (about["next"], about["days_left"]) == ("2026-12-02 14:00", 30)
    assert "by" not in about


async def test_G66_the_jobs_of_a_run_tell_whom_they_told_when_it_opened() -> None:
    desk = await Desk().furnish()
    contacts = {"id": "contacts", "kind": "import", "handler": "csv.import", "config": {}}
    await desk.do("SaveJob", **contacts, notification={"mode": "always", "recipients": [BOSS]})
    also = {"mode": "failure", "recipients": [OPS], "also_send_job_mails": True}
    await desk.do("CreateGroup", **LISTS, notification=also)
    await desk.do("ActivateGroup", id="lists")
    await desk.run()
    await desk.do("SaveJob", **contacts, notification={"mode": "always", "recipients": [OPS]})
    await desk.advance("r", end(1))
    assert await desk.told() == []
    await desk.advance("r", end(2))
    assert await desk.told() == ["boss: r succeeded"]
    assert [event.subject.id for event in desk.wanted()] == ["contacts"]
    assert await desk.told() == ["boss: r succeeded"]


async def test_G52_a_group_that_tells_nobody_makes_its_call_after_a_success() -> None:
    desk = await Desk().furnish()
    call = {"url": "https://campaigns.example.org/launch", "secret": "secret://hook"}
    await desk.do("CreateGroup", **LISTS, notification={"on_success": [call]})
    await desk.do("ActivateGroup", id="lists")
    await fail(desk, "r0")
    assert await desk.told() == []
    await succeed(desk)
    await desk.told()
    assert [(event.kind, event.recipient, event.run) for event in desk.wanted()] == [
        ("run.succeeded", call["url"], "r")
    ]
