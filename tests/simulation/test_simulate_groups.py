"""Groups and Connect jobs in a timeline: what would run, in which minute, and what would end."""

from typing import Any

from tests.simulation.timelines import Simulate, at, simulate

__all__ = ["simulate"]

NOW = "2026-12-01T12:00:00Z"
NIGHT = {"type": "daily", "at": "02:30", "time_zone": "Europe/Berlin"}


def job(job_id: str, **fields: Any) -> list[dict[str, Any]]:
    config = {"source": f"{job_id}.csv", "table": job_id, "mode": "replace"}
    given = {"id": job_id, "kind": "import", "handler": "csv.import", "config": config, "expires_on": "never"}
    return [at(NOW, "SaveJob", **given, **fields), at(NOW, "ActivateJob", id=job_id)]


def group(**fields: Any) -> list[dict[str, Any]]:
    given = {"id": "lists", "name": "Lists", "jobs": ["contacts", "extension"], "schedule": NIGHT, **fields}
    return [*job("contacts"), *job("extension"), at(NOW, "CreateGroup", **given), at(NOW, "ActivateGroup", id="lists")]


def timeline(until: str, *steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"now": NOW, "until": until, "steps": list(steps), **fields}


def test_G30_the_minutes_of_slots_are_those_of_the_timeline_in_turn(simulate: Simulate) -> None:
    again = {**NIGHT, "at": "03:00"}
    alone = {"type": "daily", "at": "16:20", "time_zone": "America/Chicago"}
    told = simulate(
        timeline(
            "2026-12-04T12:00:00Z",
            *group(),
            *job("alone", schedule=alone),
            at("2026-12-02T08:00:00Z", "SaveGroup", id="lists", name="Lists", jobs=["contacts"]),
            at(
                "2026-12-02T12:00:00Z",
                "SaveGroup",
                id="lists",
                name="Lists",
                jobs=["contacts", "extension"],
                schedule=again,
            ),
            slot_minutes=[7, 3, 14],
        )
    )

    assert [one["code"] for one in told.document["refused"]] == ["group_too_small"]
    assert told.occurrences("owner", "due", "outcome") == [
        ("import/alone", "2026-12-01T22:18:00Z", "ran"),
        ("group/lists", "2026-12-02T01:37:00Z", "ran"),
        ("import/alone", "2026-12-02T22:18:00Z", "ran"),
        ("group/lists", "2026-12-03T02:14:00Z", "ran"),
        ("import/alone", "2026-12-03T22:18:00Z", "ran"),
        ("group/lists", "2026-12-04T02:14:00Z", "ran"),
    ]
    assert told.document["next_due"] == {"group/lists": "2026-12-05T02:14:00Z", "import/alone": "2026-12-04T22:18:00Z"}


def test_G30_the_minute_of_each_occurrence_is_drawn_anew_and_alike_in_each_simulation(simulate: Simulate) -> None:
    anew = timeline("2026-12-09T12:00:00Z", *group(schedule={**NIGHT, "redraw": "per_occurrence"}))
    told = simulate(anew)

    due = told.occurrences("due")
    assert [moment[8:13] for moment in due] == [f"{day:02}T01" for day in range(2, 10)]
    assert len({moment[14:16] for moment in due}) > 1
    assert {moment[14:16] for moment in due} <= {str(minute) for minute in range(30, 45)}
    assert simulate(anew).occurrences("due") == told.occurrences("due")


def test_G4_the_first_failure_is_told_with_what_it_skips(simulate: Simulate) -> None:
    told = simulate(timeline("2026-12-02T12:00:00Z", *group(), outcomes=["failed:error"], slot_minutes=0))

    (run,) = told.document["runs"]
    assert (run["owner"], run["state"]) == ("group/lists", "failed")
    assert [(one["job"]["id"], one["state"], one["reason"]) for one in run["job_runs"]] == [
        ("contacts", "failed", "error"),
        ("extension", "skipped", "previous_job_failed"),
    ]


def test_G43_G56_what_is_too_late_is_missed_and_a_group_ends_with_its_last_day(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-12-06T12:00:00Z",
            *group(expires_on="2026-12-03"),
            {"at": "2026-12-02T00:00:00Z", "down": True},
            {"at": "2026-12-02T08:00:00Z", "up": True},
            at("2026-12-05T00:00:00Z", "RunNow", owner={"kind": "group", "id": "lists"}),
            slot_minutes=4,
        )
    )

    assert told.occurrences("due", "outcome", "reason") == [
        ("2026-12-02T01:34:00Z", "missed", "catch_up_window"),
        ("2026-12-03T01:34:00Z", "ran", None),
    ]
    assert [one["code"] for one in told.document["refused"]] == ["group_expired"]
    assert told.document["next_due"] == {}


def test_the_text_shows_groups_at_their_own_local_time(simulate: Simulate) -> None:
    told = simulate(timeline("2026-12-02T12:00:00Z", *group(), slot_minutes=4), as_json=False)

    assert "Wed 2026-12-02 02:34:00 CET  group/lists  ran, succeeded after 10 s" in told.out
    assert "Next of group/lists: Thu 2026-12-03 02:34:00 CET" in told.out


def test_G66_a_failure_would_be_mailed_once(simulate: Simulate) -> None:
    told_of = {"mode": "failure", "recipients": ["ops@example.org"]}
    told = simulate(timeline("2026-12-02T12:00:00Z", *group(notification=told_of), outcomes=["failed"], slot_minutes=4))

    (run,), (mail,) = told.document["runs"], told.document["mails"]
    assert (mail["run"], mail["to"], mail["at"]) == (run["id"], "ops@example.org", run["ended_at"])
