"""What an integration does to its schedules is proven from the log, and told with the feature's status then."""

import asyncio
from collections.abc import Callable
from typing import Any

from eventjobs.audit.occurrences import audit_facts
from eventjobs.audit.why import Why, why_owner
from eventjobs.domain.owner import schedule_ref
from tests.audit.spoiling import changed, where
from tests.audit.test_occurrences import of
from tests.runner.plant import Instance, Plant
from tests.runner.test_runs import OK
from tests.runner.test_ticker import SOON, ticking
from tests.support.bodies import row
from tests.support.definitions import NIGHTLY, feature, publish, put, register, scheduled, sync
from tests.support.logs import facts_of
from tests.support.story import WORKSPACE, at, command
from tests.support.time import virtually


def lived(story: Callable[[Plant, Instance], Any]) -> None:
    """Play a story with a registration in Onboarding whose schedule is due at 12:10, 12:25 … of the first day."""

    async def play() -> None:
        plant = Plant()
        one = Instance(plant, "one").start()
        await plant.furnish(one, [row("a")], {"a": OK}, active=False)
        await one.do(publish(feature("contacts", scheduled(cadence=SOON))))
        await one.do(register())
        ticking(one)
        await story(plant, one)
        await asyncio.sleep(120)
        report = audit_facts(facts_of(plant.log))
        assert report.findings == ()
        assert report.occurrences.get("ran", 0) > 0
        await one.kill()

    virtually(play())


async def why(plant: Plant, instant: str) -> Why:
    head = plant.log.known_head.position
    return await why_owner(plant.log, WORKSPACE, schedule_ref(NIGHTLY), at(instant), before=head + 1)


def told(answer: Why) -> dict[str, str]:
    return {fact["about"]: fact["sentence"] for fact in answer.document()["facts"]}


def test_every_step_of_a_feature_from_onboarding_to_off_is_the_rules() -> None:
    async def story(_: Plant, one: Instance) -> None:
        await one.do(put("active"))
        await asyncio.sleep(3_000)
        await one.do(publish(feature("contacts", scheduled(cadence={**SOON, "every": 30}))))
        await one.do(sync())
        await asyncio.sleep(3_000)
        await one.do(command("EditCadence", id=NIGHTLY, cadence={**SOON, "every": 20}))
        await asyncio.sleep(3_000)
        await one.do(
            publish(feature("contacts", scheduled(cadence={**SOON, "every": 40}, policies={"timing": "grid"})))
        )
        await one.do(sync())
        await one.do(put("maintenance"))
        await asyncio.sleep(9_000)
        await one.do(put("active"))
        await one.do(command("ClearCadenceOverride", id=NIGHTLY))
        await asyncio.sleep(3_000)
        await one.do(command("DeleteSchedule", id=NIGHTLY))
        await asyncio.sleep(3_000)
        await one.do(command("RestoreSchedule", id=NIGHTLY))
        await asyncio.sleep(3_000)
        await one.do(put("off"))
        await asyncio.sleep(3_000)

    lived(story)


def test_why_names_the_status_of_the_feature_in_force_then() -> None:
    async def story(plant: Plant, one: Instance) -> None:
        await one.do(put("active"))
        await asyncio.sleep(900)
        await one.do(put("maintenance"))
        await asyncio.sleep(900)
        before = await why(plant, "2026-12-01 12:10")
        assert before.verdict == "ran"
        assert told(before)["feature"] == "Feature contacts of integration crm went from onboarding to active."
        assert "as its feature's status says" in told(before)["activity"]
        after = await why(plant, "2026-12-01 12:25")
        assert after.verdict == "inactive"
        assert told(after)["feature"] == "Feature contacts of integration crm went from active to maintenance."

    lived(story)


def test_why_names_the_calendar_that_a_definition_names() -> None:
    async def story(plant: Plant, one: Instance) -> None:
        backup = {"days": ["tue"], "start": "12:20", "end": "12:40", "note": "backup"}
        await one.do(command("SaveCalendar", id="nights", name="Nights", time_zone="UTC", weekly=[backup]))
        await one.do(put("active"))
        await one.do(publish(feature("contacts", scheduled(cadence=SOON, policies={"calendars": ["nights"]}))))
        await one.do(sync())
        await asyncio.sleep(1_800)
        assert "was skipped (blackout) by calendar nights, “backup”." in (await why(plant, "2026-12-01 12:25")).sentence

    lived(story)


def test_R75_an_override_that_was_cleared_without_the_definitions_timing_is_found() -> None:
    cron = {"cron": "*/30 * * * *", "time_zone": "UTC"}

    async def story(plant: Plant, one: Instance) -> None:
        await one.do(put("active"))
        await one.do(command("EditCadence", id=NIGHTLY, cadence=cron))
        await asyncio.sleep(3_600)
        await one.do(command("ClearCadenceOverride", id=NIGHTLY))
        await asyncio.sleep(3_600)
        facts = facts_of(plant.log)
        place = where(facts, of("schedule.override_cleared", NIGHTLY)) - 1
        assert facts[place].event.policies.timing.timing == "elapsed"
        spoilt = [*facts[:place], changed(facts[place], policies=None), *facts[place + 1 :]]
        found = audit_facts(spoilt).findings
        assert (found[0].kind, found[0].position) == ("not_the_rule", facts[place].position)
        assert found[0].what == "its cadence is read as wall_clock, and by the rule as elapsed"

    lived(story)


def test_R73_a_sync_that_overwrites_what_was_overridden_is_found() -> None:
    async def story(plant: Plant, one: Instance) -> None:
        await one.do(put("active"))
        await one.do(command("EditCadence", id=NIGHTLY, cadence={**SOON, "every": 20}))
        await one.do(publish(feature("contacts", scheduled(cadence={**SOON, "every": 40}))))
        await one.do(sync())
        await asyncio.sleep(1_800)
        facts = facts_of(plant.log)
        place = where(facts, of("schedule.synced", NIGHTLY))
        synced = facts[place].event
        assert synced.cadence.every == 20
        spoilt = [*facts[:place], changed(facts[place], cadence=synced.origin.cadence), *facts[place + 1 :]]
        found = audit_facts(spoilt).findings
        assert (found[0].kind, found[0].position) == ("not_the_rule", facts[place].position)
        assert found[0].what.startswith("by its definition and overrides it has the cadence")

    lived(story)
