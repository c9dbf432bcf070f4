"""An instance says in the log that it is up, and answers nothing with zone data older than the log's (T11)."""

from collections.abc import Sequence
from typing import Any

import pytest

from eventjobs.audit.occurrences import audit_facts
from eventjobs.domain import zones
from eventjobs.domain.streams import schedule_stream
from eventjobs.events.recorded import StreamId
from eventjobs.runner.presence import Presence
from tests.runner.plant import Instance, Plant
from tests.support.bodies import row, schedule
from tests.support.logs import facts_of
from tests.support.story import WORKSPACE, command
from tests.support.time import virtually
from tests.support.zone_data import OLD, use_old_zone_data

WALL = {"start_date": "2026-12-01", "start_time": "04:00", "time_zone": "Europe/Berlin", "every": 1, "unit": "month"}
APRIL = "2027-04-01"


class Views:
    """The schedules by the wall clock, as the view would give them."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant

    async def outdated(self, zone_data: str, limit: int) -> Sequence[StreamId]:
        names = [schedule_stream(WORKSPACE, name) for name in ("wall", "grid", "off")]
        found = [(name, self.plant.schedule(name.id).next) for name in names]
        return [name for name, due in found if due is not None and due.zone_data < zone_data][:limit]


def presence(instance: Instance, zone_data: str | None = None) -> Presence:
    plant = instance.plant
    return Presence(
        plant.log,
        instance.dispatcher,
        instance.surroundings,
        plant.clock,
        instance.lease,
        Views(plant),
        zone_data=zone_data or zones.zone_data(),
    )


def told(plant: Plant) -> list[Any]:
    return [fact.event for fact in plant.facts("log:log")][1:]


def test_an_instance_ticks_once_its_start_is_in_the_log() -> None:
    async def story() -> None:
        plant = Plant()
        instance = Instance(plant, "one")
        it = presence(instance)
        assert not it.trusted()
        await it.look()
        await it.look()
        started, adopted = told(plant)
        assert (started.instance, started.zone_data) == ("one", zones.zone_data())
        assert (adopted.version, adopted.previous) == (zones.zone_data(), None)
        assert it.trusted()
        assert it.trouble() is None
        instance.lease.is_trusted = False
        assert not it.trusted()

    virtually(story())


def test_a_second_instance_with_the_same_zone_data_adopts_nothing() -> None:
    async def story() -> None:
        plant = Plant()
        await presence(Instance(plant, "one")).look()
        await presence(Instance(plant, "two")).look()
        assert [event.TYPE for event in told(plant)] == [
            "log.instance_started",
            "log.zone_data_adopted",
            "log.instance_started",
        ]

    virtually(story())


def test_a_time_without_a_lease_is_noted_when_it_is_over() -> None:
    async def story() -> None:
        plant = Plant()
        instance = Instance(plant, "one")
        it = presence(instance)
        _ = instance.tasks.start(it.keep(), name="presence")
        await plant.clock.sleep(60)
        assert len(told(plant)) == 2, "nothing to note while all is well"
        instance.lease.is_trusted = False
        await plant.clock.sleep(45)
        assert len(told(plant)) == 2
        instance.lease.is_trusted = True
        await plant.clock.sleep(5)
        (resumed,) = told(plant)[2:]
        assert (resumed.instance, resumed.away_s) == ("one", pytest.approx(45, abs=2))
        await instance.kill()

    virtually(story())


def test_an_instance_with_older_zone_data_ticks_no_more_and_says_so() -> None:
    async def story() -> None:
        plant = Plant()
        old, new = Instance(plant, "old"), Instance(plant, "new")
        before, after = presence(old, OLD), presence(new)
        await before.look()
        assert before.trusted()
        await after.look()
        await before.look()
        assert (before.trusted(), before.trouble()) == (False, "zone_data_old")
        late = presence(Instance(plant, "late"), OLD)
        await late.look()
        assert (late.trusted(), late.trouble()) == (False, "zone_data_old")
        assert (after.trusted(), after.trouble()) == (True, None)
        assert [event.version for event in plant.events("log.zone_data_adopted")] == [OLD, zones.zone_data()]

    virtually(story())


def test_T11_newer_zone_data_moves_coming_moments_of_the_wall_clock_once_and_answers_nothing_again() -> None:
    async def story() -> None:
        plant = Plant()
        with pytest.MonkeyPatch.context() as patch:
            use_old_zone_data(patch)
            old = Instance(plant, "old").start()
            await plant.furnish(old, [row("a")], {"a": {}}, active=False)
            await presence(old).look()
            for name, fields in {
                "wall": {"policies": {"timing": "wall_clock"}},
                "grid": {"policies": {"timing": "grid"}},
                "off": {"policies": {"timing": "wall_clock"}, "active": False},
            }.items():
                await old.do(schedule(name, jobs=[row("a")], cadence=WALL, **fields))
            await until(plant, old, APRIL)
            answered = len(plant.facts(type_="run.opened"))
            recorded = plant.schedule("wall").next
            assert recorded is not None
            assert (f"{recorded.due:%F %H}", recorded.local) == ("2027-04-01 03", "2027-04-01T04:00:00")
            await old.kill()

        new = Instance(plant, "new").start(plant.log.known_head.position)
        it = presence(new)
        for _ in range(3):
            await it.look()
            await plant.clock.sleep(120)
        moved = plant.schedule("wall").next
        assert moved is not None
        assert (f"{moved.due:%F %H}", moved.local) == ("2027-04-01 02", "2027-04-01T04:00:00")
        assert moved.zone_data == zones.zone_data()
        (fact,) = plant.facts(type_="schedule.zone_data_adopted")
        assert (fact.stream.name, fact.event.version) == ("schedule:wall", zones.zone_data())
        assert len(plant.facts(type_="run.opened")) == answered, "nothing answered is due again"

        await until(plant, new, "2027-06-01")
        dues = [fact.event.due for fact in plant.facts(type_="run.opened") if fact.event.owner.id == "wall"]
        assert dues == sorted(set(dues))
        assert [f"{due:%m-%d %H}" for due in dues] == ["01-01 03", "02-01 03", "03-01 03", "04-01 02", "05-01 02"]
        report = audit_facts(facts_of(plant.log))
        assert report.findings == ()
        assert set(report.not_checked) == {OLD}
        assert report.steps > 2 * sum(report.not_checked.values()), "both versions agree about most moments"
        await new.kill()

    virtually(story())


async def until(plant: Plant, instance: Instance, day: str) -> None:
    """Answer what is due until a day begins."""
    while (due := await plant.due(plant.after(days=365), 1)) and f"{due[0].due_at:%F}" < day:
        plant.clock.step(max(0.0, (due[0].due_at - plant.clock.now()).total_seconds()))
        await instance.do(command("AnswerDue", kind="schedule", id=due[0].owner))
        await plant.clock.sleep(5)  # its run
