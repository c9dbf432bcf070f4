"""The audit beside the running service: it keeps up, counts, and raises an alarm once for each thing it finds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from eventjobs.audit.awaited import Awaited
from eventjobs.audit.findings import Kind
from eventjobs.audit.liveness import Liveness
from eventjobs.audit.owners import Kept
from eventjobs.audit.watch import BATCH, LOOK_S, LedgerWatch
from eventjobs.commands.announce_instance import AnnounceInstance
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.streams import schedule_stream
from eventjobs.domain.zones import zone_data
from eventjobs.events.cadence import NextDue
from eventjobs.events.recorded import Provenance, Recorded
from eventjobs.events.schedule import ScheduleActivated
from eventjobs.ids import EVERYWHERE
from eventjobs.log.port import Append
from eventjobs.telemetry.metrics import Metrics
from tests.runner.plant import Instance, Plant
from tests.support.bodies import row, schedule
from tests.support.capturing import capture_logs
from tests.support.story import SPEC_OF, WORKSPACE, at, command
from tests.support.time import virtually

STREAM = schedule_stream(WORKSPACE, "nightly")
HOURS = timedelta(hours=10)


class Watched:
    """A plant that is audited, an instance that is up in it, and the figures."""

    def __init__(self) -> None:
        self.plant = Plant()
        self.instance = Instance(self.plant, "one").start()
        self.metrics = Metrics()
        self.watch = LedgerWatch(self.plant.log, self.plant.clock, self.metrics, lambda: True)

    async def begin(self) -> None:
        announced = AnnounceInstance(zone_data=zone_data())
        context = self.instance.surroundings.context(EVERYWHERE)
        await self.instance.dispatcher.dispatch(SPEC_OF[AnnounceInstance], announced, context)
        await self.plant.furnish(self.instance, [row("a")], {"a": {}})
        _ = self.instance.tasks.keep(self.watch.run, name="ledger", sleep=self.plant.clock.sleep)
        await self.plant.clock.sleep(5)

    async def corrupt(self) -> None:
        """Write what no command would: another next moment."""
        present: Schedule = self.plant.schedule()
        assert present.next is not None
        wrong = replace(present.next, due=present.next.due + timedelta(seconds=1))
        version = len(self.plant.facts(STREAM.name))
        by = Provenance(actor="key:somebody", command_id="by-hand")
        fact = ScheduleActivated(timing=present.timing, next=wrong)
        await self.plant.log.append(Append(events=[(STREAM, fact)], expected={STREAM: version}, provenance=by))

    def figure(self, kind: Kind) -> float | None:
        registry = self.metrics._registry
        return registry.get_sample_value("eventjobs_ledger_findings", {"kind": kind})


def watched(story: Callable[[Watched], Any]) -> list[Any]:
    async def play() -> None:
        it = Watched()
        await it.begin()
        await story(it)
        await it.instance.kill()

    with capture_logs() as lines:
        virtually(play())
    return [line for line in lines if line["event"] == "ledger_finding"]


def test_a_sound_log_is_followed_to_its_head_in_silence() -> None:
    async def story(it: Watched) -> None:
        await it.plant.clock.sleep(HOURS.total_seconds() - 7_300)
        await it.instance.do(command("AnswerDue", kind="schedule", id="nightly"))
        await it.plant.clock.sleep(30)
        head = it.plant.log.known_head.position
        assert it.watch.summary() == {"position": head, "findings": 0, "first": None}
        assert {it.figure(kind) for kind in Kind} == {0.0}
        assert it.metrics._registry.get_sample_value("eventjobs_ledger_position") == head
        assert it.metrics._registry.get_sample_value("eventjobs_ledger_lag_events") == 0

    assert watched(story) == []


def test_a_wrong_step_is_an_alarm_and_a_figure() -> None:
    async def story(it: Watched) -> None:
        await it.corrupt()
        await it.plant.clock.sleep(30)
        position = it.plant.facts(STREAM.name, "schedule.activated")[0].position
        assert it.watch.summary() == {"position": position, "findings": 1, "first": position}
        found = it.watch.found()
        assert found is not None
        assert (found.found, found.kinds[Kind.NOT_THE_RULE]) == (1, 1)
        assert [finding.owner for finding in found.findings] == [STREAM]
        assert it.figure(Kind.NOT_THE_RULE) == 1

    (alarm,) = watched(story)
    assert (alarm["log_level"], alarm["kind"], alarm["owner"]) == ("error", Kind.NOT_THE_RULE, STREAM.name)


def test_a_moment_that_nobody_answers_is_an_alarm_though_the_log_is_silent_and_ends_with_its_answer() -> None:
    async def story(it: Watched) -> None:
        await it.plant.clock.sleep(8 * 3_600 + 30)
        assert it.figure(Kind.LEFT_OVER) == 0
        await it.plant.clock.sleep(60)
        assert it.figure(Kind.LEFT_OVER) == 1
        assert it.watch.summary()["findings"] == 1
        await it.instance.do(command("AnswerDue", kind="schedule", id="nightly"))
        await it.plant.clock.sleep(2 * LOOK_S)
        assert it.figure(Kind.LEFT_OVER) == 0

    assert [alarm["kind"] for alarm in watched(story)] == [Kind.LEFT_OVER]


def test_a_late_answer_stays_an_alarm() -> None:
    async def story(it: Watched) -> None:
        await it.plant.clock.sleep(8 * 3_600 + 300)
        await it.instance.do(command("AnswerDue", kind="schedule", id="nightly"))
        await it.plant.clock.sleep(60)
        await it.instance.do(schedule("other", jobs=[row("a")]))
        await it.plant.clock.sleep(60)
        assert it.figure(Kind.LATE) == 1

    assert [alarm["kind"] for alarm in watched(story)] == [Kind.LEFT_OVER, Kind.LATE]


def test_a_long_log_is_caught_up_in_batches() -> None:
    async def story(it: Watched) -> None:
        for number in range(BATCH * 2):
            await it.instance.do(command("DescribeSchedule", id="nightly", description=str(number)))
        later = LedgerWatch(it.plant.log, it.plant.clock, it.metrics, lambda: True)
        assert later.summary() is None
        assert await later.step()
        assert position(later) == BATCH
        while await later.step():
            pass
        assert position(later) == it.plant.log.known_head.position

    assert watched(story) == []


def position(watch: LedgerWatch) -> int:
    summary = watch.summary()
    assert summary is not None
    return int(summary["position"])


def test_an_audit_that_broke_in_a_fact_goes_on_without_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    take, broken = Liveness.take, []

    def breaks_once(liveness: Liveness, fact: Recorded[Any]) -> None:
        if fact.type == "schedule.run_opened" and not broken:
            broken.append(fact.position)
            raise ZeroDivisionError
        take(liveness, fact)

    async def story(it: Watched) -> None:
        monkeypatch.setattr(Liveness, "take", breaks_once)
        await it.plant.clock.sleep(8 * 3_600 + 5)
        await it.instance.do(command("AnswerDue", kind="schedule", id="nightly"))
        await it.plant.clock.sleep(60)
        assert broken
        assert position(it.watch) == it.plant.log.known_head.position
        assert counted(it.metrics) == 0

    watched(story)


def test_only_the_instance_whose_turn_it_is_audits_and_counts_findings() -> None:
    async def story(it: Watched) -> None:
        turn, metrics = {"is_ours": False}, Metrics()
        other = LedgerWatch(it.plant.log, it.plant.clock, metrics, lambda: True, is_ours=lambda: turn["is_ours"])
        _ = it.instance.tasks.start(other.run(), name="other ledger")
        await it.corrupt()
        await it.plant.clock.sleep(60)
        assert other.summary() is None
        turn["is_ours"] = True
        await it.plant.clock.sleep(60)
        assert counted(metrics) == counted(it.metrics) > 0
        turn["is_ours"] = False
        await it.plant.clock.sleep(10)
        assert other.summary() is None
        assert counted(metrics) == 0

    assert watched(story)


def counted(metrics: Metrics) -> float:
    values = (metrics._registry.get_sample_value("eventjobs_ledger_findings", {"kind": kind}) for kind in Kind)
    return sum(value or 0 for value in values)


def test_what_has_passed_is_known_without_a_look_at_the_others() -> None:
    noon, owners, awaited = at("2026-12-01 12:00"), {}, Awaited()
    for minute in (3, 1, 2):
        stream = schedule_stream(WORKSPACE, f"due-{minute}")
        owners[stream] = waiting(noon + timedelta(minutes=minute))
        awaited.note(stream, owners[stream].awaits)

    def passed(minutes: int) -> list[str]:
        return [stream.id for stream in awaited.passed(noon + timedelta(minutes=minutes), owners)]

    assert passed(0) == []
    assert passed(2) == ["due-1", "due-2"]
    owners[schedule_stream(WORKSPACE, "due-1")] = waiting(None)
    assert passed(2) == ["due-2"], "one was answered"
    assert passed(1) == [], "the clock went back"
    assert passed(2) == ["due-2"], "and on again"
    owners[schedule_stream(WORKSPACE, "due-2")] = waiting(noon + timedelta(minutes=9))
    awaited.note(schedule_stream(WORKSPACE, "due-2"), noon + timedelta(minutes=9))
    assert passed(3) == ["due-3"], "one waits for a later moment now"
    assert passed(9) == ["due-2", "due-3"]


def waiting(due: datetime | None) -> Kept:
    following = None if due is None else NextDue(due=due, local="", fold=0, zone_data="")
    return Kept(state=Schedule(active=True, next=following))
