"""The audit beside the running service is silent about sound groups and Connect jobs, and raises an alarm of others."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from eventjobs.audit.findings import Kind
from eventjobs.audit.watch import KEEP_S, LOOK_S, LedgerWatch
from eventjobs.domain.streams import group_stream
from eventjobs.events.recorded import Provenance
from eventjobs.log.port import Append
from eventjobs.telemetry.metrics import Metrics
from tests.audit.life import import_job
from tests.audit.test_keeping import Shelf
from tests.audit.test_watch import Watched, watched
from tests.support.connect import GROUP, run
from tests.support.story import WORKSPACE, command

STREAM = group_stream(WORKSPACE, "lists")
HOURLY = {"type": "hourly", "every": 1, "slot": "15-29", "time_zone": "UTC"}


def lists(story: Callable[[Watched], Any]) -> list[Any]:
    """Watch a group of two imports, the second of which fails, that is due at 12:15, and an import that is at 12:30."""

    async def play(it: Watched) -> None:
        for job in ("contacts", "extension"):
            await it.instance.do(command("SaveJob", **import_job(job, handler="noop")))
            await it.instance.do(command("ActivateJob", id=job))
        alone = import_job("alone", handler="noop", schedule={**HOURLY, "slot": "30-44"})
        await it.instance.do(command("SaveJob", **alone))
        await it.instance.do(command("ActivateJob", id="alone"))
        body = {"id": "lists", "name": "Lists", "jobs": ["contacts", "extension"], "schedule": HOURLY}
        await it.instance.do(command("CreateGroup", **body))
        await it.instance.do(command("ActivateGroup", id="lists"))
        await story(it)

    return watched(play)


async def answered(it: Watched, kind: str, the_id: str) -> None:
    await it.instance.do(command("AnswerDue", kind=kind, id=the_id))


def test_a_sound_log_of_a_group_and_a_job_is_followed_in_silence() -> None:
    async def story(it: Watched) -> None:
        await it.plant.clock.sleep(15 * 60 - 5)
        await answered(it, "group", "lists")
        await it.plant.clock.sleep(15 * 60)
        await answered(it, "import", "alone")
        await it.instance.do(run("by-hand", **GROUP))
        await it.plant.clock.sleep(60)
        ended = [fact.event.state for fact in it.plant.facts(type_="run.ended")]
        assert len(ended) == 3, ended
        assert it.watch.summary() == {"position": it.plant.log.known_head.position, "findings": 0, "first": None}
        assert {it.figure(kind) for kind in Kind} == {0.0}

    assert lists(story) == []


def test_a_moment_of_a_group_that_nobody_answers_is_an_alarm_that_ends_with_its_answer() -> None:
    async def story(it: Watched) -> None:
        await it.plant.clock.sleep(16 * 60 + 30)
        assert it.figure(Kind.LEFT_OVER) == 1
        await answered(it, "group", "lists")
        await it.plant.clock.sleep(2 * LOOK_S)
        assert it.figure(Kind.LEFT_OVER) == 0

    (alarm,) = lists(story)
    assert (alarm["kind"], alarm["owner"]) == (Kind.LEFT_OVER, STREAM.name)


def test_another_moment_than_the_slot_gives_is_an_alarm_and_a_figure() -> None:
    async def story(it: Watched) -> None:
        before = it.plant.facts(STREAM.name, "group.activated")[0].event
        minute_later = replace(before.next, due=before.next.due + timedelta(minutes=1))
        wrong = replace(before, cadence_version=2, next=minute_later)
        await it.plant.clock.sleep(1)
        version = len(it.plant.facts(STREAM.name))
        by = Provenance(actor="key:somebody", command_id="by-hand")
        await it.plant.log.append(Append(events=[(STREAM, wrong)], expected={STREAM: version}, provenance=by))
        await it.plant.clock.sleep(30)
        assert it.figure(Kind.NOT_THE_RULE) == 1

    (alarm,) = lists(story)
    assert (alarm["log_level"], alarm["kind"], alarm["owner"]) == ("error", Kind.NOT_THE_RULE, STREAM.name)


def test_the_watch_of_another_instance_goes_on_with_the_groups_that_were_kept() -> None:
    async def story(it: Watched) -> None:
        shelf = Shelf()
        first = LedgerWatch(it.plant.log, it.plant.clock, Metrics(), lambda: True, shelf)
        _ = it.instance.tasks.start(first.run(), name="first ledger")
        await it.plant.clock.sleep(2 * KEEP_S)
        await it.instance.do(run("by-hand", **GROUP))
        await it.plant.clock.sleep(2 * KEEP_S)
        assert shelf.kept is not None
        assert STREAM in shelf.kept.owners
        metrics = Metrics()
        second = LedgerWatch(it.plant.log, it.plant.clock, metrics, lambda: True, shelf)
        _ = it.instance.tasks.start(second.run(), name="second ledger")
        await it.plant.clock.sleep(13 * 60)
        left_over = metrics._registry.get_sample_value("eventjobs_ledger_findings", {"kind": Kind.LEFT_OVER})
        assert left_over == it.figure(Kind.LEFT_OVER) == 1

    assert {alarm["owner"] for alarm in lists(story)} == {STREAM.name}
