"""
The life of a deployment, played through the real core on the virtual clock, and the log that it leaves.

What is due is answered at its instant by `AnswerDue`, as the ticker does it, without looking every second; so weeks
pass in no time. While the service is down nothing is answered, and the clock may step.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from eventjobs.commands import announce_instance, observe_clock_step
from eventjobs.commands.announce_instance import AnnounceInstance
from eventjobs.commands.context import Limits
from eventjobs.commands.observe_clock_step import ObserveClockStep
from eventjobs.commands.spec import CommandFields
from eventjobs.domain.reference import ON_TIME
from eventjobs.domain.zones import zone_data
from eventjobs.errors import JobFailed, Rejected
from eventjobs.events.recorded import Recorded
from eventjobs.handlers.context import HandlerContext
from eventjobs.ids import EVERYWHERE
from tests.runner.plant import Instance, Plant
from tests.support import time as virtual_time
from tests.support.bodies import row, run_now, schedule
from tests.support.capturing import capture_logs
from tests.support.logs import facts_of
from tests.support.story import command
from tests.support.time import NOON, virtually

YEAR_S = 366 * 86_400.0
QUARTERLY = {"start_date": "2026-12-01", "start_time": "12:00", "time_zone": "UTC", "every": 15, "unit": "minute"}
DAILY = {**QUARTERLY, "time_zone": "Europe/Berlin", "start_time": "02:30", "every": 1, "unit": "day"}
ONCE = {**QUARTERLY, "start_date": "2026-12-03", "unit": "once"}
SERVICES = {"quick": {"config": {"do": "work", "seconds": 20}}, "slow": {"config": {"do": "work", "seconds": 2_000}}}

LAST_S = 2 * ON_TIME.total_seconds()
"""How long after the last act the log ends: what should have been answered by then is late."""
REFUSALS = frozenset(
    {
        *("already_running", "held", "no_room", "not_found", "timing_not_possible"),
        *("expiration_not_in_future", "group_expired", "group_inactive", "group_running", "group_too_small"),
        *("job_expired", "job_in_group", "job_in_other_group", "job_in_running_group", "job_inactive"),
        *("job_not_qualified", "name_taken", "not_active", "slot_in_past", "slot_overlaps_now"),
    }
)
"""Why a command that a life happens upon may be refused."""

Act = tuple[str, Any]
"""A word, and what it needs."""


class Life:
    """One deployment; `act` does one thing to it."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.started = 0
        self.refused: set[str] = set()
        self.instance = self._start()

    def _start(self) -> Instance:
        self.started += 1
        instance = Instance(self.plant, f"i{self.started}", grace_s=10.0).start(self.plant.log.known_head.position)
        _ = instance.tasks.start(self._answer(instance), name="answers")
        return instance

    async def _answer(self, instance: Instance) -> None:
        context = instance.surroundings.context(EVERYWHERE)
        await instance.dispatcher.dispatch(announce_instance.SPEC, AnnounceInstance(zone_data=zone_data()), context)
        while True:
            for timer in await self.plant.due(self.plant.clock.now(), 1_000):
                await self._give(instance, command("AnswerDue", kind=timer.kind, id=timer.owner))
            coming = await self.plant.due(self.plant.after(days=365), 1)
            ahead = (coming[0].due_at - self.plant.clock.now()).total_seconds() if coming else YEAR_S
            await self.plant.log.wait_beyond(self.plant.log.known_head.position, max(0.001, min(ahead, 3_600.0)))

    async def do(self, name: str, /, **fields: Any) -> None:
        """Give a command; what is refused is refused."""
        await self._give(self.instance, command(name, **fields))

    async def _give(self, instance: Instance, body: CommandFields) -> None:
        try:
            await instance.do(body)
        except Rejected as refusal:
            self.refused.add(refusal.code)

    async def act(self, word: str, what: Any = None) -> None:
        match word:
            case "wait":
                await asyncio.sleep(what)
            case "down":
                await self.instance.kill()
                await asyncio.sleep(what)
                self.instance = self._start()
                await self._take_over()
            case "step":
                await self._step(what)
            case "run":
                await self._give(self.instance, run_now(what))
            case "run_group":
                await self._give(self.instance, run_now(what, "group"))
            case _:
                await self.do(word, **what)

    async def _take_over(self) -> None:
        """Whoever comes up takes over what was left running."""
        for run in await self.plant.open_runs():
            await self.do("TakeOverRun", run=run.run, seen_term=run.term, cause="lease_lost")

    async def _step(self, seconds: float) -> None:
        expected = self.plant.clock.now()
        self.plant.clock.step(seconds)
        step = ObserveClockStep(expected=expected, reading=self.plant.clock.now(), step_s=seconds)
        context = self.instance.surroundings.context(EVERYWHERE)
        await self.instance.dispatcher.dispatch(observe_clock_step.SPEC, step, context)

    async def note_the_end(self) -> None:
        """Append a last fact that explains no lateness, so that what is due until now is judged."""
        await asyncio.sleep(LAST_S)
        outcome = await self.instance.do(command("DescribeSchedule", id="nightly", description="the end"))
        assert outcome.decided

    async def furnish(self, schedules: Sequence[dict[str, Any]], groups: Sequence[dict[str, Any]] = ()) -> None:
        """Make the services, the schedules by their bodies, and the groups with the imports that they name."""
        self.plant.floor.doings.update(work=_work, fail=_fail)
        await self.plant.furnish(self.instance, [row("quick")], SERVICES, cadence=QUARTERLY, active=False)
        for body in schedules:
            made = schedule(**{"jobs": [row("quick")], **body})
            await self._give(self.instance, made)
            assert self.plant.schedule(made.id).alive, (self.refused, body)
        for job in sorted({job for body in groups for job in body["jobs"]}):
            await self.do("SaveJob", **import_job(job))
            await self.do("ActivateJob", id=job)
        for body in groups:
            await self.do("CreateGroup", **body)
            await self.do("ActivateGroup", id=body["id"])
        assert not self.refused, self.refused


def import_job(job: str, **fields: Any) -> dict[str, Any]:
    """Return the body of an import that is quick, or as its name begins: `slow`, or `bad`, which fails."""
    config = (
        {"do": "fail"} if job.startswith("bad") else SERVICES["slow" if job.startswith("slow") else "quick"]["config"]
    )
    return {"id": job, "kind": "import", "handler": "csv.import", "config": config, "expires_on": "never", **fields}


async def _work(context: HandlerContext, config: Any) -> None:
    await context.clock.sleep(config.seconds)


async def _fail(_context: HandlerContext, _config: Any) -> None:
    raise JobFailed("it does not work", retryable=False)


def lived(
    schedules: Sequence[dict[str, Any]],
    acts: Sequence[Act],
    monkeypatch: pytest.MonkeyPatch,
    *,
    groups: Sequence[dict[str, Any]] = (),
    at_once: int | None = None,
    of_an_owner: int | None = None,
) -> list[Any]:
    """Play a life, in which so many runs of all and of an owner may be open at once, and return its log."""
    monkeypatch.setattr("eventjobs.runner.supervisor.POLL_S", YEAR_S)
    monkeypatch.setattr(virtual_time, "DEADLINE_S", 20 * YEAR_S)

    async def play() -> list[Recorded[Any]]:
        life = Life(Plant(limits=Limits(runs_per_workspace=at_once, runs_per_owner=of_an_owner)))
        await life.furnish(schedules, groups)
        for word, what in acts:
            await life.act(word, what)
        await life.note_the_end()
        facts = facts_of(life.plant.log)
        await life.instance.kill()
        assert life.refused <= REFUSALS, life.refused - REFUSALS
        return facts

    with capture_logs() as lines:
        facts = virtually(play())
    assert [line for line in lines if line["event"] == "task_failed"] == []
    return facts


__all__ = ["DAILY", "NOON", "ONCE", "QUARTERLY", "Act", "Life", "lived"]
