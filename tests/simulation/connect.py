"""What is asked of Manage Connect: groups and jobs of all kinds, that end, come anew, are edited, run and stopped."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from tests.simulation.again import Again
from tests.simulation.clients import WORKSPACE, Clients
from tests.simulation.halting import halt
from tests.simulation.slot_ends import WORKSPACE_ZONE
from tests.simulation.slot_owner import SlotOwner
from tests.simulation.workload import WEEK, ZONES

if TYPE_CHECKING:
    from tests.simulation.world import World

MEMBERS_MAX: Final = 4
ALONE: Final = 8
"""How many jobs run by a schedule of their own."""
NIGHTS: Final = (1, 2, 3)
"""The hours in which clocks are set."""
PEOPLE: Final = ("ops@example.org", "boss@example.org", "night@example.org")
SOON: Final = timedelta(seconds=30)


class Connect:
    """Draws definitions and commands."""

    def __init__(self, world: "World", clients: Clients, random: Random) -> None:
        self._world = world
        self._clients = clients
        self._random = random
        self._groups: list[str] = []
        self._jobs: list[str] = []
        self._again = Again(world, clients, random)
        self._acts: Sequence[tuple[float, Callable[[], Awaitable[Any]]]] = (
            (3.0, self._run_now),
            (1.5, self._stop),
            (1.5, self._again.resume),
            (5.0, self._mend),
            (2.0, self._save_group),
            (1.0, self._reorder),
            (0.6, self._switch_off),
            (2.0, self._set_expiration),
            (0.5, self._delete_group),
            (1.5, self._save_job),
            (0.7, self._spoil_job),
            (1.0, self._set_job_schedule),
            (1.0, self._halt),
        )

    async def furnish(self) -> None:
        """Make the jobs, and the groups of them."""
        await self._clients.send("CreateWorkspace", patient=True, id=WORKSPACE, time_zone=WORKSPACE_ZONE)
        for _ in range(ALONE):
            await self._create_job(schedule=self._schedule())
        for _ in range(self._world.options.groups):
            await self._create_group()

    async def act(self) -> None:
        """Do what a person does; often by hand what is about to come by itself, or cannot come any more."""
        if self._ending() or (self._random.random() < 0.3 and self._soon() is not None):
            await self._run_now()
            return
        weights = [weight for weight, _ in self._acts]
        await self._random.choices([act for _, act in self._acts], weights)[0]()

    async def rest(self) -> None:
        """Switch everything off, so that the last run comes to its end."""
        for group in self._living("group"):
            await self._clients.send("DeactivateGroup", patient=True, id=group.name)
        for job in self._living("job"):
            await self._clients.send("DeactivateJob", patient=True, id=job.name, force=True)

    # -- definitions --------------------------------------------------------------------------------------------------

    def _schedule(self) -> dict[str, Any]:
        """A slot schedule of any type; hours are often those of the night in which the clocks are set, or the last."""
        draw = self._random
        hour = draw.choice((*NIGHTS, 23, draw.randrange(24)))
        start: dict[str, Any] = {"hour": hour, "slot": draw.choice(("00-14", "15-29", "30-44", "45-59"))}
        if draw.random() < 0.2:
            start = {"at": f"{hour:02}:{draw.randrange(60):02}"}
        today = self._world.database.now().astimezone(ZoneInfo(WORKSPACE_ZONE)).date()
        kind = draw.choices(("daily", "weekly", "monthly", "hourly", "once", "on_demand"), (6, 10, 8, 1, 2, 4))[0]
        zone = {"type": kind, "time_zone": draw.choice(ZONES)}
        match kind:
            case "on_demand":
                return {"type": kind}
            case "once":
                return {**zone, **start, "date": f"{today + timedelta(days=draw.randint(0, 20))}"}
            case "weekly":
                zone["days"] = draw.sample(WEEK, draw.choice((1, 2, 3)))
            case "monthly":
                zone["day"] = draw.choice((1, 15, 28, "last", "last"))
            case "hourly":
                zone["every"] = draw.choice((8, 11, 12, 23))
                start = {"slot": draw.choice(("0-15", "46-60"))}
        if draw.random() < 0.1:
            zone["from"] = f"{today + timedelta(days=draw.randint(1, 9))}"
            zone["until"] = f"{today + timedelta(days=draw.randint(9, 40))}"
        return {**zone, **start}

    def _policies(self) -> dict[str, Any]:
        draw = self._random
        fields = {
            "gap": draw.choice(("shift", "skip")),
            "repeat": draw.choice(("first", "second", "both")),
            "catch_up": draw.choice(("due", "due", "due", "never")),
            "overlap": draw.choice(("skip", "queue_one", "queue_all", "cancel_running")),
        }
        if draw.random() < 0.3:
            fields["catch_up_window"] = draw.choice(("PT1M", "PT3H"))
        return fields

    def _notification(self) -> dict[str, Any]:
        draw = self._random
        mode = draw.choice(("always", "failure", "none"))
        if mode == "none":
            return {"mode": mode}
        return {
            "mode": mode,
            "recipients": draw.sample(PEOPLE, draw.choice((1, 2))),
            "failure_recipients": draw.sample(PEOPLE, draw.choice((0, 1))),
            "on_recovery": draw.random() < 0.5,
        }

    def _last_day(self, soonest: int) -> str:
        draw, today = self._random, self._world.database.now().astimezone(ZoneInfo(WORKSPACE_ZONE)).date()
        return "never" if draw.random() < 0.4 else f"{today + timedelta(days=draw.randint(soonest, 150))}"

    def _job(self) -> dict[str, Any]:
        draw = self._random
        do = draw.choice(("work", "work", "quick", "quick", "stubborn"))
        fields: dict[str, Any] = {
            "kind": "import",
            "handler": draw.choice(("safe", "safe", "pay", "load")),
            "config": {"do": do, "seconds": draw.choice((0.5, 3.0, 15.0)), "failing": draw.choice((0.0, 0.0, 0.2))},
            "attempts": draw.choice((1, 1, 2)),
            "backoff": {"initial": "PT1S", "max": "PT10S"},
            "policies": self._policies(),
            "on_expiry": draw.choice(("delete", "deactivate")),
        }
        if draw.random() < 0.5:
            fields["notification"] = self._notification()
        return fields

    def _group(self, jobs: Sequence[str]) -> dict[str, Any]:
        draw = self._random
        members = [{"job": job, "required": draw.random() < 0.8} for job in jobs]
        fields = {
            "jobs": members,
            "schedule": self._schedule(),
            "policies": self._policies(),
            "notification": self._notification(),
            "on_expiry": draw.choice(("delete", "delete", "delete", "deactivate")),
        }
        if draw.random() < 0.5:  # the others end 30 days after their creation
            fields["expires_on"] = self._last_day(2)
        return fields

    async def _create_job(self, **fields: Any) -> str:
        name = f"j{len(self._jobs)}"
        self._jobs.append(name)
        fields["expires_on"] = "never" if self._random.random() < 0.7 else self._last_day(20)
        await self._clients.send("SaveJob", patient=True, id=name, **self._job(), **fields)
        await self._clients.send("ActivateJob", patient=True, id=name)
        return name

    async def _create_group(self) -> None:
        """A group of jobs that are free, and of new ones; the name is that of one which is gone, if there is one."""
        draw = self._random
        name = f"g{len(self._groups)}"
        self._groups.append(name)
        free = [job.name for job in self._living("job") if job.group is None and job.active and not _is_due(job)]
        jobs = draw.sample(free, min(len(free), draw.randint(1, MEMBERS_MAX)))
        while len(jobs) < 2 or (len(jobs) < MEMBERS_MAX and draw.random() < 0.3):
            jobs.append(await self._create_job())
        number = next(
            number for number in range(len(self._groups)) if f"group {number}" not in self._world.judge.slots.names
        )
        await self._clients.send("CreateGroup", patient=True, id=name, name=f"Group {number}", **self._group(jobs))
        await self._clients.send("ActivateGroup", patient=True, id=name)

    # -- what people do -----------------------------------------------------------------------------------------------

    def _living(self, kind: str) -> list[SlotOwner]:
        owners = self._world.judge.slots.living.values()
        return [one for one in owners if one.is_group == (kind == "group")]

    def _any(self, kind: str) -> SlotOwner | None:
        found = self._living(kind)
        return self._random.choice(found) if found else None

    def _keyed(self) -> bool:
        return self._random.random() < 0.7

    def _ending(self) -> list[SlotOwner]:
        """Those that are about to end."""
        until = self._world.database.now() + SOON
        return [one for one in self._world.judge.slots.living.values() if one.active and one.ends_by(until)]

    def _soon(self) -> SlotOwner | None:
        """One that is about to be due, or to end, if there is such."""
        judge = self._world.judge
        due = judge.owners.due_by(self._world.database.now() + SOON)
        found = self._ending() or [judge.slots.owners[address] for address in due]
        return self._random.choice(found) if found else None

    async def _run_now(self) -> None:
        one = self._soon() or self._any(self._random.choice(("group", "group", "job")))
        if one is not None:
            await self._clients.send("RunNow", keyed=self._keyed(), owner=_ref(one))

    async def _stop(self) -> None:
        runs = sorted(address[1] for address in self._world.judge.work.open)
        if runs:
            mode = self._random.choice(("now", "after_current"))
            await self._clients.send("StopRun", run=self._random.choice(runs), mode=mode)

    async def _mend(self) -> None:
        """Make another group for one that is gone, or put right what keeps one from running."""
        if len(self._living("group")) < self._world.options.groups:
            await self._create_group()
            return
        job = self._any("job")
        if job is not None and not job.active and not job.expired:
            await self._clients.send("ActivateJob", id=job.name)
        broken = [
            group for group in self._living("group") if not group.active or len(self._fit(group)) < len(group.members)
        ]
        if broken:
            await self._revive(self._random.choice(broken))

    def _fit(self, group: SlotOwner) -> list[str]:
        """Those of its jobs that qualify."""
        return [job for job in group.members if (WORKSPACE, job) in self._world.judge.slots.runs.qualified]

    async def _revive(self, group: SlotOwner) -> None:
        if group.expired:
            await self._clients.send("SetExpiration", owner=_ref(group), expires_on=self._last_day(20))
        fit = self._fit(group)
        while len(fit) < 2:
            fit.append(await self._create_job())
        await self._save(group, fit)
        await self._clients.send("ActivateGroup", id=group.name)

    async def _save(self, group: SlotOwner, jobs: Sequence[str]) -> None:
        names = {said: name for name, said in self._world.judge.slots.names.items()}
        name = names.get(group.name, "group").capitalize()
        await self._clients.send("SaveGroup", keyed=self._keyed(), id=group.name, name=name, **self._group(jobs))

    async def _save_group(self) -> None:
        group = self._any("group")
        if group is not None:
            free = [job.name for job in self._living("job") if job.group is None and job.active]
            more = self._random.sample(free, min(len(free), self._random.choice((0, 0, 1))))
            await self._save(group, [*group.members, *more][-MEMBERS_MAX:])

    async def _reorder(self) -> None:
        group = self._any("group")
        if group is not None:
            jobs = self._random.sample(group.members, len(group.members))
            await self._clients.send("ReorderGroup", keyed=self._keyed(), id=group.name, jobs=jobs)

    async def _switch_off(self) -> None:
        group = self._any("group")
        if group is not None:
            await self._clients.send("DeactivateGroup", keyed=self._keyed(), id=group.name)

    async def _set_expiration(self) -> None:
        draw, one = self._random, self._any(self._random.choice(("group", "group", "job")))
        if one is None:
            return
        fields: dict[str, Any] = {"expires_on": self._last_day(1)}
        if draw.random() < 0.6:
            fields = {"extend_by_days": draw.choice((1, 30))}
        if one.is_group and draw.random() < 0.5:
            fields["members"] = True
        await self._clients.send("SetExpiration", keyed=self._keyed(), owner=_ref(one), **fields)

    async def _delete_group(self) -> None:
        group = self._any("group")
        if group is not None:
            await self._clients.send("DeleteGroup", keyed=self._keyed(), id=group.name)
            await self._create_group()

    async def _save_job(self) -> None:
        job = self._any("job")
        if job is not None:
            fields = {**self._job(), "schedule": self._schedule()} if _is_due(job) else self._job()
            await self._clients.send("SaveJob", keyed=self._keyed(), id=job.name, **fields)

    async def _spoil_job(self) -> None:
        """Take a job away, also from a group that needs it."""
        job = self._any("job")
        if job is not None:
            what = self._random.choice(("DeactivateJob", "DeactivateJob", "DeleteJob"))
            await self._clients.send(what, id=job.name, force=self._random.random() < 0.5)

    async def _set_job_schedule(self) -> None:
        job = self._any("job")
        if job is not None:
            schedule = {"type": "on_demand"} if job.group is not None else self._schedule()
            await self._clients.send("SetJobSchedule", keyed=self._keyed(), id=job.name, schedule=schedule)

    async def _halt(self) -> None:
        one = self._soon() or self._any(self._random.choice(("group", "job")))
        if one is not None:
            await halt(self._world, self._clients, self._random, _ref(one))


def _ref(one: SlotOwner) -> Mapping[str, str]:
    return {"kind": "group" if one.is_group else "import", "id": one.name}


def _is_due(job: SlotOwner) -> bool:
    """Whether it has a schedule of its own."""
    return bool(job.saved["type"] != "on_demand")
