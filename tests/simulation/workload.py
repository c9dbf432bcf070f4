"""What is asked of the service: schedules of all kinds, and people who edit, run and stop them at any moment."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from tests.simulation.clients import Clients

if TYPE_CHECKING:
    from tests.simulation.world import World

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata", "America/St_Johns")
NIGHT = ("01:30", "02:00", "02:15", "02:30", "03:00")
ODD_NIGHTS = (("Europe/Berlin", "02:15"), ("America/New_York", "01:30"), ("Australia/Lord_Howe", "01:45"))
OVERLAPS = ("skip", "skip", "skip", "queue_one", "queue_all", "cancel_running", "allow")


class Workload:
    """Draws definitions and commands."""

    def __init__(self, world: "World", clients: Clients, random: Random) -> None:
        self._world = world
        self._clients = clients
        self._random = random
        self._services = [f"s{number}" for number in range(world.options.services)]
        self._schedules: list[str] = []
        self._acts: Sequence[tuple[float, Callable[[], Awaitable[Any]]]] = (
            (3.0, self._run_now),
            (1.5, self._stop),
            (2.0, self._edit_cadence),
            (1.5, self._edit_policies),
            (1.0, self._edit_jobs),
            (1.0, self._turn_off_and_on),
            (1.0, self._describe),
            (0.5, self._configure),
            (0.2, self._replace),
            (1.3, self._halt),
        )

    async def furnish(self) -> None:
        """Make the services and the schedules."""
        await self._clients.send("CreateWorkspace", patient=True, id="acme", time_zone="Europe/Berlin")
        for name in self._services:
            await self._clients.send("AddService", patient=True, id=name, **self._service())
        for zone, time in ODD_NIGHTS:
            await self._create_for_the_night(zone, time)
        for _ in range(self._world.options.schedules):
            await self._create()

    async def act(self) -> None:
        """Do what a person does."""
        weights = [weight for weight, _ in self._acts]
        await self._random.choices([act for _, act in self._acts], weights)[0]()

    async def rest(self) -> None:
        """Inactivate every schedule, so that the last run comes to its end."""
        for name in self._schedules:
            await self._clients.send("InactivateSchedule", patient=True, id=name)

    # -- definitions --------------------------------------------------------------------------------------------------

    def _service(self) -> Mapping[str, Any]:
        draw = self._random
        do = draw.choice(("work", "work", "work", "quick", "quick", "stubborn"))
        fields: dict[str, Any] = {
            "handler": draw.choice(("safe", "safe", "pay", "load")),
            "config": {"do": do, "seconds": draw.choice((0.5, 3.0, 10.0)), "failing": draw.choice((0.0, 0.0, 0.3))},
            "attempts": draw.choice((1, 2, 3)),
            "backoff": {"initial": f"PT{draw.choice((1, 3))}S", "max": "PT10S"},
            "wait_timeout": draw.choice(("PT20S", "PT10M")),
        }
        if draw.random() < 0.3:
            fields["timeout"] = "PT6S"
        return fields

    def _jobs(self) -> list[dict[str, Any]]:
        draw = self._random
        names = draw.sample(self._services, draw.choice((1, 1, 1, 1, 2, 3)))
        rows = []
        for name in names:
            row: dict[str, Any] = {"job": {"kind": "service", "id": name}, "seq": draw.choice((1, 1, 2, 3))}
            if draw.random() < 0.15:
                row["skip_wait"] = True
            rows.append(row)
        return rows

    def _cadence(self) -> tuple[dict[str, Any], list[str]]:
        """A cadence, and the timings that go with it."""
        draw, now = self._random, self._world.database.now()
        start = now + timedelta(minutes=draw.choice((-1440, -30, -1, 1, 15, 40)))
        minute = draw.choice((0, 0, 0, 30))
        fields = {
            "start_date": f"{start:%Y-%m-%d}",
            "start_time": f"{start:%H}:{minute:02}",
            "time_zone": draw.choice(ZONES),
        }
        if self._world.options.sparse:
            every, unit = draw.choice(((1, "day"), (1, "day"), (2, "day"), (12, "hour"), (1, "month")))
        else:
            every, unit = draw.choice(((30, "minute"),) * 14 + ((1, "hour"), (20, "minute"), (1, "day"), (1, "day")))
        if unit in ("day", "month"):
            fields["start_time"] = draw.choice(NIGHT)
        if draw.random() < 0.02:
            return {**fields, "unit": "once"}, ["elapsed"]
        timings = ["elapsed", "grid", "grid"] if unit in ("minute", "hour") else ["elapsed", "grid", "wall_clock"]
        return {**fields, "every": every, "unit": unit}, timings

    def _policies(self, timings: Sequence[str]) -> dict[str, Any]:
        draw = self._random
        fields: dict[str, Any] = {
            "timing": draw.choice(timings),
            "gap": draw.choice(("shift", "skip")),
            "repeat": draw.choice(("first", "second", "both")),
            "catch_up": draw.choice(("due", "due", "due", "always_on_tighten", "never")),
            "overlap": draw.choice(OVERLAPS),
            "on_failure": draw.choice(("continue", "stop")),
        }
        if draw.random() < 0.3:
            fields["catch_up_window"] = draw.choice(("PT1M", "PT45M", "PT3H"))
        return fields

    async def _create(self) -> None:
        cadence, timings = self._cadence()
        name = f"n{len(self._schedules)}"
        self._schedules.append(name)
        fields = {"id": name, "cadence": cadence, "policies": self._policies(timings), "jobs": self._jobs()}
        await self._clients.send("CreateSchedule", patient=True, **fields)

    async def _create_for_the_night(self, zone: str, time: str) -> None:
        """One whose moment a change of offset leaves out, or brings twice."""
        day = self._world.database.now().date().isoformat()
        cadence = {"start_date": day, "start_time": time, "time_zone": zone, "every": 1, "unit": "day"}
        policies = {**self._policies(["wall_clock"]), "gap": "shift", "repeat": "both"}
        name = f"n{len(self._schedules)}"
        self._schedules.append(name)
        await self._clients.send(
            "CreateSchedule", patient=True, id=name, cadence=cadence, policies=policies, jobs=self._jobs()
        )

    # -- what people do -----------------------------------------------------------------------------------------------

    def _any(self) -> str:
        return self._random.choice(self._schedules)

    async def _run_now(self) -> None:
        draw = self._random
        owner = {"kind": "schedule", "id": self._any()}
        if draw.random() < 0.3:
            owner = {"kind": "service", "id": draw.choice(self._services)}
        await self._clients.send("RunNow", keyed=draw.random() < 0.7, owner=owner)

    async def _stop(self) -> None:
        runs = sorted(address[1] for address in self._world.judge.open)
        if runs:
            mode = self._random.choice(("now", "now", "after_current"))
            await self._clients.send("StopRun", run=self._random.choice(runs), mode=mode)

    async def _edit_cadence(self) -> None:
        cadence, _ = self._cadence()
        await self._clients.send("EditCadence", keyed=self._random.random() < 0.7, id=self._any(), cadence=cadence)

    async def _edit_policies(self) -> None:
        policies = self._policies(["elapsed", "grid"])
        await self._clients.send("EditSchedulePolicies", id=self._any(), policies=policies)

    async def _edit_jobs(self) -> None:
        await self._clients.send("EditScheduleJobs", id=self._any(), jobs=self._jobs())

    async def _turn_off_and_on(self) -> None:
        name = self._any()
        await self._clients.send("InactivateSchedule", id=name)
        await asyncio.sleep(30.0 * self._random.random())
        await self._clients.send("ActivateSchedule", patient=True, id=name)

    async def _describe(self) -> None:
        await self._clients.send("DescribeSchedule", id=self._any(), description=f"words {self._random.random()}")

    async def _configure(self) -> None:
        await self._clients.send("ConfigureService", id=self._random.choice(self._services), **self._service())

    async def _replace(self) -> None:
        await self._clients.send("DeleteSchedule", id=self._any())
        await self._create()

    async def _halt(self) -> None:
        """Pause a schedule, or hold the workspace, for a while."""
        draw = self._random
        begin, end, fields = draw.choice(
            (
                ("PauseOwner", "UnpauseOwner", {"owner": {"kind": "schedule", "id": self._any()}}),
                ("HoldStarts", "ReleaseStarts", {}),
            )
        )
        for_s = 90.0 * draw.random()
        until = self._world.database.now() + timedelta(seconds=for_s)
        ends = {"until": f"{until:%Y-%m-%dT%H:%M:%SZ}"} if draw.random() < 0.3 else {}
        await self._clients.send(begin, **fields, **ends)
        await asyncio.sleep(for_s)
        await self._clients.send(end, patient=True, **fields)
