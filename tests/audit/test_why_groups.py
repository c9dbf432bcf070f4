"""Why a group or a Connect job did or did not run, at any past moment (SPEC 6)."""

from collections.abc import Callable
from typing import Any

import pytest

from eventjobs.errors import NotFound
from eventjobs.events.run import Ref
from eventjobs.simulation.loop import virtually
from tests.audit.life import import_job
from tests.audit.test_why import Asked, told
from tests.runner.test_runs import OK, slow
from tests.runner.test_ticker import ticking
from tests.support.bodies import row, run_now
from tests.support.story import at, command

LISTS = {
    "id": "lists",
    "name": "Lists",
    "jobs": ["contacts", "extension"],
    "schedule": {"type": "hourly", "every": 1, "slot": "15-29", "time_zone": "UTC"},
    "expires_on": "2026-12-02",
}
WEEK_S = 7 * 86_400.0
FIRST = "group.lists.1.20261201t121500z"


def asked(
    story: Callable[[Asked], Any],
    *,
    groups: tuple[dict[str, Any], ...] = (LISTS,),
    begin: str | None = None,
    **fields: Any,
) -> None:
    """Let a plant have two imports and the group `lists` of them, all active; it is noon, or later by `begin`."""

    async def play() -> None:
        it = Asked()
        it.owner = Ref(kind="group", id="lists")
        await it.plant.furnish(it.one, [row("a")], {"a": OK}, active=False)
        for job in ("contacts", "extension"):
            await it.one.do(command("SaveJob", **{**import_job(job), "config": {}, **fields}))
            await it.one.do(command("ActivateJob", id=job))
        for group in groups:
            await it.one.do(command("CreateGroup", **group))
            await it.one.do(command("ActivateGroup", id=group["id"]))
        if begin is not None:
            await it.plant.clock.sleep((at(begin) - it.plant.clock.now()).total_seconds())
        ticking(it.one)
        await story(it)
        await it.one.kill()

    virtually(play(), within_s=WEEK_S)


def sentences(why: Any, about: str) -> list[str]:
    return [fact["sentence"] for fact in why.document()["facts"] if fact["about"] == about]


def test_G30_a_run_is_told_with_its_slot_the_drawn_minute_and_its_jobs() -> None:
    async def story(it: Asked) -> None:
        await it.plant.clock.sleep(1_000)
        why = await it.why(at("2026-12-01 12:15"))
        assert (why.verdict, why.occurrence, why.run) == ("ran", FIRST, FIRST)
        assert why.sentence == (
            "The occurrence of group lists due 2026-12-01T12:15:00Z ran at 2026-12-01T12:15:00Z (scheduled); "
            "the run ended succeeded."
        )
        assert "in the slot 15-29 UTC (minute 15 was drawn)" in sentences(why, "rule")[0]
        assert "with contacts and extension" in sentences(why, "policies")[0]
        ends = it.plant.facts(f"run:{FIRST}", "job_run.ended")
        assert [fact.position for fact in ends] == [
            position for about, position in told(why) if about == "run" and position in {fact.position for fact in ends}
        ]
        assert why.document()["cadence_version"] == 1

    asked(story)


def test_G21_the_members_and_the_minute_are_those_of_then() -> None:
    async def story(it: Asked) -> None:
        await it.plant.clock.sleep(1_000)
        await it.one.do(command("ReorderGroup", id="lists", jobs=["extension", "contacts"]))
        await it.one.do(command("SaveGroup", **{**LISTS, "schedule": {**LISTS["schedule"], "slot": "45-59"}}))  # type: ignore[dict-item]
        await it.plant.clock.sleep(3_600)
        before, after = await it.why(at("2026-12-01 12:15")), await it.why(at("2026-12-01 12:45"))
        assert ("rule", it.position("group.activated")) in told(before)
        assert ("rule", it.position("group.scheduled")) in told(after)
        assert "minute 45 was drawn" in sentences(after, "rule")[0]
        assert it.position("group.reordered") not in [position for _, position in told(before)]
        assert (await it.why(at("2026-12-01 12:15"))) == before

    asked(story)


def test_G30_a_minute_that_was_drawn_anew_says_why_it_was_due_then() -> None:
    async def story(it: Asked) -> None:
        await it.plant.clock.sleep(3_600)
        drawn = it.position("group.minute_drawn")
        next_due = it.plant.facts("group:lists", "group.minute_drawn")[0].event.next.due
        before, ran = await it.why(at("2026-12-01 12:30")), await it.why(next_due)
        assert (before.verdict, before.next_due) == ("not_due", next_due)
        assert ("due", drawn) in told(before)
        assert ("due", drawn) in told(ran)
        assert sentences(ran, "due")[0].startswith(
            f"Minute {next_due.minute} was drawn for what is next of group lists"
        )
        assert "is anew for each run" in sentences(ran, "rule")[0]

    asked(story, groups=({**LISTS, "schedule": {**LISTS["schedule"], "redraw": "per_occurrence"}},))  # type: ignore[dict-item]


def test_G23_a_preflight_that_failed_names_what_took_the_job_away() -> None:
    async def story(it: Asked) -> None:
        await it.one.do(command("DeactivateJob", id="extension", force=True))
        await it.plant.clock.sleep(1_000)
        why = await it.why(at("2026-12-01 12:15"))
        assert why.verdict == "ran"
        assert why.sentence.endswith("the run ended failed (not_qualified).")
        assert ("member", it.position("job.deactivated")) in told(why)
        assert sentences(why, "member") == ["Job extension was deactivated."]

    asked(story)


def test_while_it_is_off_it_says_since_when_and_whether_it_was_a_draft() -> None:
    async def story(it: Asked) -> None:
        await it.one.do(command("CreateGroup", id="draft", name="Draft", jobs=[]))
        await it.one.do(command("DeactivateGroup", id="lists"))
        await it.plant.clock.sleep(1_000)
        off = await it.why(at("2026-12-01 12:15"))
        assert (off.verdict, off.sentence[:24]) == ("inactive", "Group lists was inactive")
        assert ("activity", it.position("group.deactivated")) in told(off)
        it.owner = Ref(kind="group", id="draft")
        draft = await it.why(at("2026-12-01 12:15"))
        assert (draft.verdict, "was a draft" in draft.sentence) == ("inactive", True)

    asked(story)


def test_a_pause_and_an_overlap_are_told() -> None:
    async def story(it: Asked) -> None:
        await it.plant.clock.sleep(1_000)
        await it.one.do(command("PauseOwner", owner={"kind": "group", "id": "lists"}, note="audit"))
        await it.plant.clock.sleep(3_600)
        paused = await it.why(at("2026-12-01 13:15"))
        assert (paused.verdict, "(paused)" in paused.sentence) == ("skipped", True)
        assert ("pause", it.position("group.paused")) in told(paused)
        await it.one.do(command("UnpauseOwner", owner={"kind": "group", "id": "lists"}))
        await it.one.do(run_now("lists", "group", id="mine"))
        by_hand = await it.why(it.plant.clock.now())
        assert (by_hand.run, "Group lists was started by hand" in by_hand.sentence) == ("mine", True)

    asked(story)


def test_G56_G60_the_end_and_what_put_it_off_are_told() -> None:
    async def story(it: Asked) -> None:
        before = await it.why(it.plant.clock.now())
        assert (before.verdict, before.sentence.endswith("group lists runs on demand alone.")) == ("not_due", True)
        await it.one.do(run_now("lists", "group", id="mine"))
        await it.plant.clock.sleep(150)
        deferred = await it.why(at("2026-12-02 23:02"))
        assert ("expiry", it.position("group.expiry_deferred")) in told(deferred)
        await it.plant.clock.sleep(3_000)
        gone = await it.why(it.plant.clock.now())
        assert (gone.verdict, "Group lists expired at" in gone.sentence) == ("expired", True)
        assert ("activity", it.position("group.expired")) in told(gone)

    lists = {**LISTS, "schedule": {"type": "on_demand"}}
    asked(story, groups=(lists,), begin="2026-12-02 22:59:50", **slow(600))


def test_a_job_is_told_by_its_kind_with_its_group() -> None:
    async def story(it: Asked) -> None:
        it.owner = Ref(kind="import", id="contacts")
        await it.plant.clock.sleep(1_000)
        why = await it.why(at("2026-12-01 12:15"))
        assert why.verdict == "not_due"
        assert why.sentence == "Nothing was due at 2026-12-01T12:15:00Z: import contacts runs on demand alone."
        assert sentences(why, "members") == ["Job contacts is a member of group lists."]
        it.owner = Ref(kind="export", id="contacts")
        with pytest.raises(NotFound):
            await it.why(at("2026-12-01 12:15"))

    asked(story)


def test_a_job_with_a_schedule_of_its_own_is_told_as_any_owner() -> None:
    async def story(it: Asked) -> None:
        it.owner = Ref(kind="import", id="alone")
        own = {"type": "daily", "at": "12:20", "time_zone": "UTC"}
        await it.one.do(command("SaveJob", **{**import_job("alone"), "config": {}, "schedule": own}))
        await it.one.do(command("ActivateJob", id="alone"))
        await it.plant.clock.sleep(1_300)
        why = await it.why(at("2026-12-01 12:15"))
        assert (why.verdict, why.occurrence) == ("ran", "job.alone.1.20261201t121500z")
        assert why.sentence.startswith("The occurrence of import alone due 2026-12-01T12:15:00Z ran")

    asked(story, groups=())
