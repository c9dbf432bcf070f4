"""What is asked of the service: schedules of all kinds, and people who edit, run and stop them at any moment."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.simulation.again import Again
from tests.simulation.clients import Clients
from tests.simulation.halting import halt
from tests.simulation.integrations import Integration

if TYPE_CHECKING:
    from tests.simulation.world import World

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata", "America/St_Johns")
NIGHT = ("01:30", "02:00", "02:15", "02:30", "03:00")
CRONS = ("*/30 * * * *", "0,30 0-12 * * *", "15 1-3,14 * * *", "30 2 * * *")
SPARSE_CRONS = ("30 2 * * *", "15 2 * * 1-5", "30 1,14 * * *", "0 3 1 * *")
ODD_NIGHTS = (("Europe/Berlin", "02:15"), ("America/New_York", "01:30"), ("Australia/Lord_Howe", "01:45"))
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FLOWING = 0.12
"""How many job tables have a flow in them: who waits for a partner keeps time from jumping."""
OVERLAPS = ("skip", "skip", "skip", "queue_one", "queue_all", "cancel_running", "allow")


class Workload:
    """Draws definitions and commands."""

    def __init__(self, world: "World", clients: Clients, random: Random) -> None:
        self._world = world
        self._clients = clients
        self._random = random
        self._services = [f"s{number}" for number in range(world.options.services)]
        self._flows = [f"f{number}" for number in range(world.options.flows)]
        self._schedules: list[str] = []
        self._integration = Integration(clients, random, lambda: dict(self._service()), self._drawn)
        self._again = Again(world, clients, random)
        self._acts: Sequence[tuple[float, Callable[[], Awaitable[Any]]]] = (
            (3.0, self._run_now),
            (1.5, self._stop),
            (2.0, self._edit_cadence),
            (1.5, self._edit_policies),
            (1.0, self._edit_jobs),
            (1.0, self._turn_off_and_on),
            (1.0, self._describe),
            (0.5, self._configure),
            (0.3 if self._flows else 0.0, self._edit_flow),
            (0.2, self._replace),
            (1.3, self._halt),
            (0.5, self._black_out),
            (1.5, self._integration.act),
            (1.5, self._again.resume),
            (0.5, self._backfill),
            (0.4 if world.options.watched else 0.0, self._watch),
        )

    async def furnish(self) -> None:
        """Make the services and the schedules."""
        await self._clients.send("CreateWorkspace", patient=True, id="acme", time_zone="Europe/Berlin")
        await self._clients.send("SaveCalendar", patient=True, **self._calendar())
        for name in self._services:
            await self._clients.send("AddService", patient=True, id=name, **self._service())
        for name in self._flows:
            await self._clients.send("AddFlow", patient=True, id=name, **self._flow())
        for zone, time in ODD_NIGHTS:
            await self._create_for_the_night(zone, time)
        for _ in range(self._world.options.schedules):
            await self._create()
        await self._integration.furnish()
        for _ in range(self._world.options.watched):
            await self._watch()

    async def act(self) -> None:
        """Do what a person does."""
        weights = [weight for weight, _ in self._acts]
        await self._random.choices([act for _, act in self._acts], weights)[0]()

    async def rest(self) -> None:
        """Inactivate every schedule, so that the last run comes to its end."""
        await self._integration.rest()
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

    def _flow(self) -> Mapping[str, Any]:
        draw = self._random
        fields: dict[str, Any] = {
            "handler": "python",
            "config": {"seconds": draw.choice((0.5, 3.0)), "failing": draw.choice((0.0, 0.2)), "suspends": True},
            "attempts": draw.choice((1, 2, 3)),
            "delivery": draw.choice(("at_least_once", "at_most_once")),
            "backoff": {"initial": "PT1S", "max": "PT10S"},
            "wait_timeout": draw.choice(("PT2S", "PT5S", "PT20S")),
            "exclusive": draw.random() < 0.3,
            "active": draw.random() < 0.9,
        }
        return fields

    def _jobs(self) -> list[dict[str, Any]]:
        draw = self._random
        names = draw.sample(self._services, draw.choice((1, 1, 1, 1, 2, 3)))
        if self._flows and draw.random() < FLOWING:
            names[-1] = draw.choice(self._flows)
        rows = []
        for name in names:
            kind = "flow" if name in self._flows else "service"
            row: dict[str, Any] = {"job": {"kind": kind, "id": name}, "seq": draw.choice((1, 1, 2, 3))}
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
        if draw.random() < 0.1:
            crons = SPARSE_CRONS if self._world.options.sparse else CRONS
            return {"cron": draw.choice(crons), "time_zone": fields["time_zone"]}, ["wall_clock"]
        timings = ["elapsed", "grid", "grid"] if unit in ("minute", "hour") else ["elapsed", "grid", "wall_clock"]
        return {**fields, "every": every, "unit": unit}, timings

    def _drawn(self) -> tuple[dict[str, Any], dict[str, Any]]:
        cadence, timings = self._cadence()
        return cadence, self._policies(timings)

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
        if draw.random() < 0.3:
            fields["calendars"] = ["freeze"]
        if draw.random() < 0.2:
            fields["spread"] = draw.choice(("PT5S", "PT1M"))
        return fields

    def _calendar(self) -> dict[str, Any]:
        """A calendar that blacks out what comes now, some hours of the day, or nothing."""
        draw, zone = self._random, self._random.choice(ZONES)
        now = self._world.database.now().astimezone(ZoneInfo(zone))
        content: dict[str, Any] = {"id": "freeze", "name": "Freeze", "time_zone": zone}
        match draw.choice(("now", "now", "daily", "nothing")):
            case "now":
                start, end = now - timedelta(minutes=1), now + timedelta(minutes=draw.choice((1, 3, 31)))
                content["ranges"] = [{"start": f"{start:%Y-%m-%dT%H:%M}", "end": f"{end:%Y-%m-%dT%H:%M}"}]
            case "daily":
                hour, days = draw.randrange(24), draw.choice((WEEK, WEEK[:4]))
                content["weekly"] = [{"days": days, "start": f"{hour:02}:00", "end": f"{(hour + 3) % 24:02}:30"}]
        return content

    def _alerts(self) -> dict[str, Any]:
        draw = self._random
        limits: dict[str, Any] = {
            "failures_in_a_row": draw.choice((1, 1, 2)),
            "late_after": draw.choice(("PT1M", "PT10M")),
            "runs_longer_than": draw.choice(("PT3S", "PT20S")),
            "no_progress_in": draw.choice(("PT8S", "PT1M")),
            "no_success_in": draw.choice(("PT2H", "P1D")),
        }
        alerts = {name: limit for name, limit in limits.items() if draw.random() < 0.6}
        hook = {"url": "https://hooks.example.org/jobs", "secret": "secret://hook"}
        alerts["email"] = draw.sample(("ops@example.org", "boss@example.org"), draw.choice((0, 1, 2)))
        alerts["webhook"] = [hook] if draw.random() < 0.5 else []
        alerts["on_recovery"] = draw.random() < 0.7
        if draw.random() < 0.4:
            alerts["heartbeat"] = "https://monitor.example.org/ping"
        return alerts

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
            name = draw.choice([*self._services, *self._flows])
            owner = {"kind": "flow" if name in self._flows else "service", "id": name}
        await self._clients.send("RunNow", keyed=draw.random() < 0.7, owner=owner)

    async def _stop(self) -> None:
        runs = sorted(address[1] for address in self._world.judge.work.open)
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

    async def _edit_flow(self) -> None:
        await self._clients.send("EditFlow", id=self._random.choice(self._flows), **self._flow())

    async def _backfill(self) -> None:
        await self._again.backfill(self._any())

    async def _watch(self) -> None:
        """Say anew what is watched for, and who is told; sometimes nothing, and nobody."""
        alerts = {} if self._random.random() < 0.1 else self._alerts()
        await self._clients.send("EditScheduleAlerts", patient=True, id=self._any(), alerts=alerts)

    async def _replace(self) -> None:
        await self._clients.send("DeleteSchedule", id=self._any())
        await self._create()

    async def _black_out(self) -> None:
        """Save the calendar anew; a range that a change of the clocks turns round is refused."""
        await self._clients.send("SaveCalendar", keyed=self._random.random() < 0.7, **self._calendar())

    async def _halt(self) -> None:
        await halt(self._world, self._clients, self._random, {"kind": "schedule", "id": self._any()})
