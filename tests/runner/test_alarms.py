"""The watch over schedules: what the clock and the log say becomes incidents and messages, once, whoever watches."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from eventjobs.clock import Clock
from eventjobs.domain.streams import schedule_stream
from eventjobs.errors import LogUnavailable
from eventjobs.events import EVENT_TYPES
from eventjobs.events.recorded import Provenance, Recorded, StreamId
from eventjobs.events.schedule import ScheduleRestored
from eventjobs.log.codec import Codec
from eventjobs.log.memory import MemoryEventLog
from eventjobs.log.port import Append, Head
from eventjobs.runner.alarms import Alarms
from eventjobs.simulation.views import MemoryMark, MemoryWatched
from tests.runner.plant import Instance, Plant
from tests.runner.test_runs import OK, doing, slow
from tests.runner.test_ticker import SOON, ticking
from tests.support.bodies import DAILY, row, run_now, schedule
from tests.support.story import WORKSPACE, at, command
from tests.support.time import virtually

OPS = "ops@example.org"
BY = Provenance(actor="system", command_id="00000000-0000-7000-8000-000000000001")
NEVER = {**DAILY, "start_date": "2027-12-01"}


def alarms_of(instance: Instance, mark: MemoryMark) -> Alarms:
    plant = instance.plant
    watched = MemoryWatched(plant.log)
    return Alarms(
        plant.log,
        instance.dispatcher,
        instance.surroundings,
        plant.clock,
        instance.lease,
        watched=watched,
        mark=mark,
        following=watched,
    )


def watching(instance: Instance, mark: MemoryMark | None = None) -> Alarms:
    alarms = alarms_of(instance, mark or MemoryMark())
    _ = instance.tasks.start(alarms.run(), name=f"alarms {instance.name}")
    return alarms


async def watched(
    *names: str,
    job: dict[str, Any] = OK,
    cadence: Any = NEVER,
    log: type[MemoryEventLog] = MemoryEventLog,
    **alerts: Any,
) -> tuple[Plant, Any]:
    plant = Plant()
    plant.log = log(Codec(EVENT_TYPES), plant.clock)
    instances = [Instance(plant, name).start() for name in names or ("one",)]
    fields = {"cadence": cadence, "alerts": {"email": [OPS], **alerts}}
    await plant.furnish(instances[0], [row("a")], {"a": job}, **fields)
    return plant, instances


class ReadBack(MemoryEventLog):
    """Notes which streams were looked through from their end."""

    def __init__(self, codec: Codec, clock: Clock) -> None:
        super().__init__(codec, clock)
        self.names: list[str] = []

    async def read_back(
        self, before: int, limit: int, *, stream: StreamId, types: Sequence[str]
    ) -> Sequence[Recorded[Any]]:
        self.names.append(stream.name)
        return await super().read_back(before, limit, stream=stream, types=types)


class HalfSilent(MemoryEventLog):
    """Fails at once for `nightly`, and takes its time for others; notes what was looked through to the end."""

    def __init__(self, codec: Codec, clock: Clock) -> None:
        super().__init__(codec, clock)
        self.looks: list[str] = []

    async def read_back(
        self, before: int, limit: int, *, stream: StreamId, types: Sequence[str]
    ) -> Sequence[Recorded[Any]]:
        if stream.name == "schedule:nightly":
            raise LogUnavailable("it does not answer")
        await asyncio.sleep(2)
        self.looks.append(stream.name)
        return await super().read_back(before, limit, stream=stream, types=types)


class Behind(MemoryEventLog):
    """A log of which an instance knows less than its streams hold, when another one wrote a moment ago."""

    known: int | None = None

    @property
    def known_head(self) -> Head:
        head = super().known_head
        return head if self.known is None else replace(head, position=self.known)


def raised(plant: Plant) -> list[tuple[str, str]]:
    return [(fact.event.alert, f"{fact.at:%d %H:%M}") for fact in plant.facts(type_="alert.raised")]


def told(plant: Plant) -> list[str]:
    return [event.kind for event in plant.events("notification.requested")]


def test_R97_what_nobody_answers_is_late_when_its_time_is_over_and_recovers_when_it_starts() -> None:
    async def story() -> None:
        plant, (one,) = await watched(cadence=SOON, late_after="PT5M")
        watching(one)
        await plant.clock.sleep(20 * 60)
        assert raised(plant) == [("late", "01 12:15")]

        ticking(one)
        await plant.clock.sleep(60)
        assert [event.cause for event in plant.events("alert.recovered")] == ["started"]
        assert told(plant) == ["alert.raised", "alert.recovered"]

    virtually(story())


def test_R97_a_run_without_progress_is_stuck_until_it_goes_on() -> None:
    async def hang(context: Any, _config: Any) -> Any:
        await context.clock.sleep(30 * 60)
        await context.progress(0.5, "half")
        await context.clock.sleep(10 * 60)

    async def story() -> None:
        plant, (one,) = await watched(job=doing("hang"), no_progress_in="PT15M", runs_longer_than="PT35M")
        plant.floor.doings["hang"] = hang
        watching(one)
        await one.do(run_now(id="r"))
        await plant.ended("r")
        await plant.clock.sleep(10)

        assert raised(plant) == [("stuck", "01 12:15"), ("too_long", "01 12:35")]
        recovered = [(event.alert, event.cause) for event in plant.events("alert.recovered")]
        assert recovered == [("stuck", "progressed"), ("too_long", "ended")]

    virtually(story())


def test_R97_a_success_that_does_not_come_is_missed_from_the_last_one_on() -> None:
    async def story() -> None:
        plant, (one,) = await watched(no_success_in="PT20M")
        watching(one)
        await plant.clock.sleep(10 * 60)
        await one.do(run_now(id="good"))
        await plant.clock.sleep(20 * 60 + 5)

        assert raised(plant) == [("no_success", "01 12:30")]

    virtually(story())


def test_a_success_that_another_instance_recorded_a_moment_ago_counts() -> None:
    """Sparse seed 4: the state had the success already, and its time was looked for below the known head only."""

    async def story() -> None:
        plant, (one,) = await watched(no_success_in="PT20M", log=Behind)
        assert isinstance(plant.log, Behind)
        await plant.clock.sleep(19 * 60)
        before = plant.log.known_head.position
        await one.do(run_now(id="good"))
        await plant.ended("good")
        await plant.clock.sleep(2 * 60)
        plant.log.known = before
        await alarms_of(one, MemoryMark()).step()
        assert raised(plant) == []

    virtually(story())


def test_the_wait_for_a_success_begins_anew_where_a_pause_or_a_hold_ended() -> None:
    async def story() -> None:
        plant, (one,) = await watched(no_success_in="PT10M")
        watching(one)
        until = plant.after(minutes=15).isoformat()
        await one.do(command("PauseOwner", owner={"kind": "schedule", "id": "nightly"}, until=until))
        await plant.clock.sleep(20 * 60)
        await one.do(command("HoldStarts"))
        await plant.clock.sleep(20 * 60)
        await one.do(command("ReleaseStarts"))
        await plant.clock.sleep(9 * 60)
        assert raised(plant) == []

        await plant.clock.sleep(2 * 60)
        assert [alert for alert, _ in raised(plant)] == ["no_success"]

    virtually(story())


def test_the_long_stream_of_a_schedule_is_looked_through_once_and_not_after_each_run() -> None:
    async def story() -> None:
        plant, (one,) = await watched(no_success_in="PT20M", log=ReadBack)
        watching(one)
        for name in ("first", "second", "third"):
            await one.do(run_now(id=name))
            await plant.ended(name)
            await plant.clock.sleep(5)
        assert isinstance(plant.log, ReadBack)
        assert plant.log.names.count("schedule:nightly") == 1

        await one.do(command("EditScheduleAlerts", id="nightly", alerts={"no_success_in": "PT10M", "email": [OPS]}))
        await plant.clock.sleep(10 * 60 + 5)
        assert [(event.alert, event.since) for event in plant.events("alert.raised")] == [
            ("no_success", plant.facts(type_="schedule.alerts_edited")[-1].at)
        ]
        assert plant.log.names.count("schedule:nightly") == 1

    virtually(story())


def test_R97_failures_in_a_row_are_told_and_each_success_calls_the_heartbeat() -> None:
    async def story() -> None:
        plant, (one,) = await watched(job=doing("fail"), failures_in_a_row=2, heartbeat="https://beat.example.org/")
        watching(one)
        for run in ("f1", "f2", "f3"):
            await one.do(run_now(id=run))
            await plant.ended(run)
        await plant.clock.sleep(5)
        assert [event.run for event in plant.events("alert.raised")] in (["f2"], ["f3"])

        await one.do(command("ConfigureService", id="a", **OK))
        await one.do(run_now(id="good"))
        await plant.ended("good")
        await plant.clock.sleep(5)
        assert told(plant) == ["alert.raised", "alert.recovered", "heartbeat"]

    virtually(story())


def test_X13_who_watches_after_downtime_tells_what_started_late_while_nobody_did() -> None:
    async def story() -> None:
        mark = MemoryMark()
        plant, (one,) = await watched(cadence=SOON, late_after="PT5M")
        watching(one, mark)
        await plant.clock.sleep(5)
        await one.kill()
        await plant.clock.sleep(3_600)

        two = Instance(plant, "two").start()
        ticking(two)
        await plant.clock.sleep(5)  # by now the catch-up run is over
        watching(two, mark)
        await plant.clock.sleep(5)
        (event,) = plant.events("alert.raised")
        assert (event.alert, event.settled, event.due) == ("late", True, at("2026-12-01 12:10"))
        assert told(plant) == ["alert.raised"]

    virtually(story())


def test_two_that_watch_at_once_raise_each_incident_once() -> None:
    async def story() -> None:
        plant, (one, two) = await watched(
            "one",
            "two",
            job=slow(3_600),
            cadence=SOON,
            late_after="PT5M",
            runs_longer_than="PT5M",
            no_success_in="PT15M",
        )
        mark = MemoryMark()
        watching(one, mark)
        watching(two, mark)
        await plant.clock.sleep(20 * 60)
        ticking(one)
        await plant.clock.sleep(10 * 60)

        incidents = [event.incident for event in plant.events("alert.raised")]
        assert len(incidents) == len(set(incidents)) >= 3
        assert len(plant.events("notification.requested")) == len(incidents) + len(plant.events("alert.recovered"))

    virtually(story())


def test_one_that_watches_anew_raises_nothing_a_second_time() -> None:
    async def story() -> None:
        plant, (one,) = await watched(cadence=SOON, late_after="PT5M", no_success_in="PT10M")
        await alarms_of(one, MemoryMark()).step()
        await plant.clock.sleep(20 * 60)
        for _ in range(3):
            alarms = alarms_of(one, MemoryMark())
            await alarms.step()
            await alarms.step()

        assert sorted(event.alert for event in plant.events("alert.raised")) == ["late", "no_success"]

    virtually(story())


def test_a_schedule_that_has_no_alerts_any_more_is_let_go() -> None:
    async def story() -> None:
        _, (one,) = await watched(late_after="PT5M")
        alarms = alarms_of(one, MemoryMark())
        await alarms.step()
        assert alarms.next_look() is not None

        await one.do(command("EditScheduleAlerts", id="nightly", alerts={}))
        await alarms.step()
        assert alarms.next_look() is None

    virtually(story())


def test_a_deleted_schedule_is_let_go_and_watched_again_once_it_is_restored() -> None:
    async def story() -> None:
        plant, (one,) = await watched(no_success_in="PT10M")
        watching(one)
        await one.do(command("DeleteSchedule", id="nightly"))
        await plant.clock.sleep(15 * 60)
        assert raised(plant) == []

        nightly = schedule_stream(WORKSPACE, "nightly")
        expected = {nightly: len(plant.facts(nightly.name))}
        restored = Append(events=[(nightly, ScheduleRestored())], expected=expected, provenance=BY)
        await plant.log.append(restored)
        await one.do(command("ActivateSchedule", id="nightly"))
        await plant.clock.sleep(10 * 60 + 5)
        assert [alert for alert, _ in raised(plant)] == ["no_success"]

    virtually(story())


def test_no_look_outlives_one_that_failed() -> None:
    """Found by a simulated year, seed 4: it came back to a schedule that was not watched any more."""

    async def story() -> None:
        plant, (one,) = await watched(no_success_in="PT10M", log=HalfSilent)
        await one.do(
            schedule("slow", jobs=[row("a")], cadence=NEVER, alerts={"no_success_in": "PT10M", "email": [OPS]})
        )
        with pytest.raises(LogUnavailable):
            await alarms_of(one, MemoryMark()).step()
        assert cast(HalfSilent, plant.log).looks == ["schedule:slow"]

    virtually(story())


def test_alerts_that_come_later_are_watched_from_then_on() -> None:
    async def story() -> None:
        plant, (one,) = await watched()
        await one.do(command("EditScheduleAlerts", id="nightly", alerts={}))
        watching(one)
        await plant.clock.sleep(10 * 60)
        await one.do(command("EditScheduleAlerts", id="nightly", alerts={"no_success_in": "PT10M", "email": [OPS]}))
        await plant.clock.sleep(10 * 60 + 5)

        assert raised(plant) == [("no_success", "01 12:20")]

    virtually(story())
