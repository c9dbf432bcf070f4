"""Why a schedule did or did not run, at any past moment, by what was in force then."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from eventjobs.audit.why import Why, why_owner
from eventjobs.domain.owner import schedule_ref
from eventjobs.errors import NotFound
from tests.runner.plant import Instance, Plant
from tests.runner.test_runs import OK, slow
from tests.runner.test_ticker import SOON, ticking
from tests.support.bodies import edit, row, run_now
from tests.support.story import WORKSPACE, at, command
from tests.support.time import virtually


class Asked:
    """A plant with the schedule `nightly`, due at 12:10, 12:25 … of a day whose noon is the beginning."""

    def __init__(self) -> None:
        self.plant = Plant()
        self.one = Instance(self.plant, "one").start()
        self.owner = schedule_ref("nightly")

    async def begin(self, job: dict[str, Any] | None = None, **fields: Any) -> None:
        await self.plant.furnish(self.one, [row("a")], {"a": job or OK}, **{"cadence": SOON, **fields})
        ticking(self.one)

    async def why(self, instant: datetime, *, before: int | None = None) -> Why:
        head = self.plant.log.known_head.position
        return await why_owner(self.plant.log, WORKSPACE, self.owner, instant, before=before or head + 1)

    def position(self, type_: str, place: int = 0) -> int:
        return self.plant.facts(type_=type_)[place].position


def asked(story: Callable[[Asked], Any], **fields: Any) -> None:
    async def play() -> None:
        it = Asked()
        await it.begin(**fields)
        await story(it)
        await it.one.kill()

    virtually(play())


def told(why: Why) -> list[tuple[str, int]]:
    return [(link.about, link.fact.position) for link in why.links]


def test_what_ran_is_told_from_its_rule_to_its_end() -> None:
    async def story(it: Asked) -> None:
        await it.plant.clock.sleep(700)
        why = await it.why(at("2026-12-01 12:10"))
        assert (why.verdict, why.occurrence) == ("ran", "schedule.nightly.1.20261201t121000z")
        assert why.run == why.occurrence
        assert why.moments is not None
        assert (why.moments.first, why.next_due) == (at("2026-12-01 12:10"), at("2026-12-01 12:25"))
        assert told(why) == [
            ("rule", it.position("schedule.created")),
            ("answer", it.position("schedule.run_opened")),
            ("run", it.position("run.opened")),
            ("run", it.position("run.ended")),
        ]
        assert why.sentence == (
            "The occurrence of schedule nightly due 2026-12-01T12:10:00Z ran at 2026-12-01T12:10:00Z (scheduled); "
            "the run ended succeeded."
        )
        document = why.document()
        assert [fact["about"] for fact in document["facts"]] == ["rule", "answer", "run", "run"]
        assert document["facts"][0]["sentence"].startswith("Schedule nightly was created, active, with 1 job")

    asked(story)


def test_a_cron_is_told_by_its_expression() -> None:
    async def story(it: Asked) -> None:
        await it.plant.clock.sleep(1_000)
        why = await it.why(at("2026-12-01 12:15"))
        assert (why.verdict, why.next_due) == ("ran", at("2026-12-01 12:30"))
        assert "by the cron */15 * * * * in Europe/Berlin" in why.document()["facts"][0]["sentence"]

    asked(story, cadence={"cron": "*/15 * * * *", "time_zone": "Europe/Berlin"})


@pytest.mark.parametrize(
    ("instant", "verdict"), [("12:10:59", "ran"), ("12:11:00", "not_due"), ("12:09:59", "not_due")]
)
def test_an_instant_is_about_a_moment_for_a_minute(instant: str, verdict: str) -> None:
    async def story(it: Asked) -> None:
        await it.plant.clock.sleep(700)
        why = await it.why(at(f"2026-12-01 {instant}"))
        assert why.verdict == verdict

    asked(story)


def test_where_nothing_was_due_the_next_moment_is_named_as_it_was_known_then() -> None:
    async def story(it: Asked) -> None:
        await it.plant.clock.sleep(700)
        await it.one.do(command("EditCadence", id="nightly", cadence={**SOON, "every": 30}))
        why = await it.why(at("2026-12-01 12:11"))
        assert (why.verdict, why.next_due) == ("not_due", at("2026-12-01 12:25"))
        later = await it.why(at("2026-12-01 12:11:40"))
        assert later.next_due == at("2026-12-01 12:40")
        assert told(later)[0] == ("rule", it.position("schedule.cadence_edited"))

    asked(story)


def test_what_met_an_open_run_names_that_run() -> None:
    async def story(it: Asked) -> None:
        await it.plant.clock.sleep(1_600)
        why = await it.why(at("2026-12-01 12:25"))
        assert (why.verdict, why.run) == ("skipped", None)
        assert "(overlap); run schedule.nightly.1.20261201t121000z was open" in why.sentence
        assert ("overlapped", it.position("run.opened")) in told(why)
        assert ("run", it.position("run.skipped")) in told(why)

    asked(story, job=slow(2_000))


def test_what_waited_tells_for_what_and_how_it_ended() -> None:
    async def story(it: Asked) -> None:
        await it.plant.clock.sleep(1_600)
        waiting = await it.why(at("2026-12-01 12:25"))
        assert (waiting.verdict, waiting.run) == ("waiting", None)
        seen = it.plant.log.known_head.position
        await it.plant.clock.sleep(2_000)
        why = await it.why(at("2026-12-01 12:25"))
        assert (why.verdict, why.run) == ("running", "schedule.nightly.1.20261201t122500z")
        assert ("waited_for", it.position("run.opened")) in told(why)
        again = await it.why(at("2026-12-01 12:25"), before=seen + 1)
        assert again == waiting, "as of then it is told as it was then"

    asked(story, job=slow(2_000), policies={"overlap": "queue_one"})


def test_the_policies_in_force_are_told_also_where_the_cadence_was_edited_since() -> None:
    async def story(it: Asked) -> None:
        await it.one.do(command("EditSchedulePolicies", id="nightly", policies={"overlap": "queue_one"}))
        await it.one.do(edit(**{**SOON, "every": 30}))
        await it.plant.clock.sleep(700)
        why = await it.why(at("2026-12-01 12:10"))
        found = dict(told(why))
        assert found["rule"] == it.position("schedule.cadence_edited")
        assert found["policies"] == it.position("schedule.policies_edited")
        assert found["activity"] == it.position("schedule.created")
        document = why.document()
        assert document["cadence_version"] == 2
        sentence = next(fact["sentence"] for fact in document["facts"] if fact["about"] == "policies")
        assert "other policies: timing elapsed, catch-up due, overlap queue_one" in sentence

    asked(story)


def test_a_pause_and_a_hold_are_told_by_whom_they_are() -> None:
    async def story(it: Asked) -> None:
        await it.one.do(command("PauseOwner", owner={"kind": "schedule", "id": "nightly"}, note="audit"))
        await it.plant.clock.sleep(700)
        await it.one.do(command("UnpauseOwner", owner={"kind": "schedule", "id": "nightly"}))
        await it.one.do(command("HoldStarts", note="move"))
        await it.plant.clock.sleep(900)
        await it.one.do(command("ReleaseStarts"))
        paused = await it.why(at("2026-12-01 12:10"))
        assert (paused.verdict, "(paused)" in paused.sentence) == ("skipped", True)
        assert ("pause", it.position("schedule.paused")) in told(paused)
        held = await it.why(at("2026-12-01 12:25"))
        assert (held.verdict, "(held)" in held.sentence) == ("skipped", True)
        assert told(held)[1] == ("hold", it.position("workspace.starts_held"))
        assert "pause" not in dict(told(held)), "it was over"

    asked(story)


def test_while_inactive_it_says_since_when() -> None:
    async def story(it: Asked) -> None:
        await it.one.do(command("InactivateSchedule", id="nightly"))
        await it.plant.clock.sleep(700)
        why = await it.why(at("2026-12-01 12:10"))
        assert why.verdict == "inactive"
        assert ("activity", it.position("schedule.inactivated")) in told(why)
        await it.one.do(command("DeleteSchedule", id="nightly"))
        assert (await it.why(it.plant.clock.now())).verdict == "deleted"

    asked(story)


def test_a_run_by_hand_names_who_asked_for_it() -> None:
    async def story(it: Asked) -> None:
        await it.one.do(run_now(id="mine"))
        await it.plant.clock.sleep(30)
        why = await it.why(it.plant.clock.now())
        assert (why.verdict, why.run, why.moments) == ("ran", "mine", None)
        assert "started by hand" in why.sentence
        assert "by instance:one" in why.sentence

    asked(story)


def test_downtime_tells_what_ran_late_what_was_missed_and_who_came_up() -> None:
    async def play() -> None:
        it = Asked()
        await it.plant.furnish(it.one, [row("a")], {"a": OK}, cadence=SOON)
        await it.plant.clock.sleep(3_000)
        before = await it.why(at("2026-12-01 12:30"))
        assert (before.verdict, before.sentence) == (
            "unanswered",
            "The occurrence of schedule nightly due 2026-12-01T12:10:00Z has no answer yet.",
        )
        await it.one.do(command("AnnounceInstance", zone_data="2026a"))
        ticking(it.one)
        await it.plant.clock.sleep(10)
        late = await it.why(at("2026-12-01 12:10"))
        assert late.verdict == "ran"
        assert "late (catch up)" in late.sentence
        assert ("absence", it.position("log.instance_started")) in told(late)
        missed = await it.why(at("2026-12-01 12:25"))
        assert (missed.verdict, missed.run) == ("missed", late.run)
        assert missed.moments is not None
        assert (missed.moments.first, missed.moments.last, missed.moments.count) == (
            at("2026-12-01 12:25"),
            at("2026-12-01 12:40"),
            2,
        )
        assert f"run {late.run} stands for it" in missed.sentence
        assert ("covered_by", it.position("run.opened")) in told(missed)
        await it.one.kill()

    virtually(play())


def test_before_it_was_made_there_is_nothing_to_tell() -> None:
    async def story(it: Asked) -> None:
        with pytest.raises(NotFound):
            await it.why(at("2026-12-01 11:59"))

    asked(story)


def test_many_runs_by_hand_hide_nothing() -> None:
    async def story(it: Asked) -> None:
        for number in range(60):
            await it.one.do(run_now(id=f"by-hand-{number}"))
            await it.plant.clock.sleep(5)
        await it.plant.clock.sleep(120)
        why = await it.why(it.plant.clock.now())
        assert (why.verdict, why.next_due) == ("not_due", at("2026-12-01 12:10"))

    asked(story)


def test_a_run_that_was_taken_over_often_has_its_end_all_the_same() -> None:
    async def story(it: Asked) -> None:
        await it.plant.clock.sleep(610)
        run = it.plant.facts(type_="run.opened")[0].stream.id
        for term in range(1, 15):
            await it.one.do(command("TakeOverRun", run=run, seen_term=term, cause="its instance is gone"))
        await it.plant.clock.sleep(120)
        why = await it.why(at("2026-12-01 12:10"))
        assert (why.verdict, why.links[0].about) == ("ran", "rule")
        assert ("run", it.position("run.opened")) in told(why)
        assert ("run", it.position("run.ended")) in told(why)

    asked(story, job={**slow(60), "handler": "csv.import"})


def test_a_blackout_is_told_by_calendar_and_entry_as_they_were_then() -> None:
    async def story(it: Asked) -> None:
        await it.plant.clock.sleep(700)
        why = await it.why(at("2026-12-01 12:10"))
        assert why.verdict == "skipped"
        assert why.sentence.endswith("due 2026-12-01T12:10:00Z was skipped (blackout) by calendar nights, “backup”.")
        assert ("blackout", it.position("calendar.saved", 1)) in told(why)
        await it.one.do(calendar())
        assert await it.why(at("2026-12-01 12:10")) == why
        await it.plant.clock.sleep(900)
        after = await it.why(at("2026-12-01 12:25"))
        assert (after.verdict, "blackout" in dict(told(after))) == ("ran", False)

    async def begin(it: Asked) -> None:
        await it.one.do(calendar())
        await it.one.do(command("EditSchedulePolicies", id="nightly", policies={"calendars": ["nights"]}))
        days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        await it.one.do(calendar(weekly=[{"days": days, "start": "12:05", "end": "12:30", "note": "backup"}]))
        await story(it)

    asked(begin)


def test_a_blackout_that_began_before_a_late_start_is_told() -> None:
    async def story(it: Asked) -> None:
        freeze = {"start": "2026-12-01T12:20", "end": "2026-12-01T14:00", "note": "freeze"}
        await it.one.do(calendar(ranges=[freeze]))
        await it.one.do(
            command("EditSchedulePolicies", id="nightly", policies={"calendars": ["nights"], "overlap": "queue_one"})
        )
        await it.plant.clock.sleep(2_400)
        why = await it.why(at("2026-12-01 12:15"))
        assert "waited and was then skipped (blackout) by calendar nights, “freeze”." in why.sentence

    asked(story, job=slow(1_500), cadence={**SOON, "every": 15, "start_time": "12:00"})


def calendar(**entries: Any) -> Any:
    return command("SaveCalendar", id="nights", name="Nights", time_zone="UTC", **entries)
