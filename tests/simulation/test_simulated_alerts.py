"""What `eventjobs simulate` would mail."""

from tests.simulation.timelines import NOW, Simulate, at, cadence, schedule, simulate, timeline

__all__ = ["simulate"]

HOURLY = cadence("2026-03-01T01:00", 1, "hour")
ALERTS = {"failures_in_a_row": 2, "runs_longer_than": "PT30M", "late_after": "PT10M", "email": ["ops@example.org"]}


def watched(until: str, *steps: object, **fields: object) -> object:
    return timeline(until, schedule(NOW, cadence=HOURLY, alerts=ALERTS), *steps, **fields)  # type: ignore[arg-type]


def test_mails_are_told_when_to_whom_and_about_which_run(simulate: Simulate) -> None:
    told = simulate(watched("2026-03-01T04:30:00Z", outcomes=["failed", "failed", "succeeded", "failed"]))

    mails = told.document["mails"]
    assert [(one["at"][:16], one["kind"], one["alert"]) for one in mails] == [
        ("2026-03-01T02:00", "alert.raised", "failures"),
        ("2026-03-01T03:00", "alert.recovered", "failures"),
    ]
    assert {(one["to"], one["owner"]) for one in mails} == {("ops@example.org", "schedule/nightly")}
    assert mails[0]["run"] == "schedule.nightly.1.20260301t020000z"


def test_X13_an_outage_is_mailed_once_it_is_over(simulate: Simulate) -> None:
    down, up = {"at": "2026-03-01T01:30:00Z", "down": True}, {"at": "2026-03-01T04:30:00Z", "up": True}
    told = simulate(watched("2026-03-01T06:00:00Z", down, up))

    (mail,) = told.document["mails"]
    assert (mail["at"][:16], mail["alert"]) == ("2026-03-01T04:30", "late")


def test_a_run_that_takes_too_long_is_mailed_while_it_runs(simulate: Simulate) -> None:
    told = simulate(watched("2026-03-01T01:50:00Z", run_seconds=2_400))

    assert [(one["at"][:16], one["kind"]) for one in told.document["mails"]] == [
        ("2026-03-01T01:30", "alert.raised"),
        ("2026-03-01T01:40", "alert.recovered"),
    ]


def test_mails_are_told_to_people_too(simulate: Simulate) -> None:
    told = simulate(watched("2026-03-01T02:30:00Z", outcomes=["failed"]), as_json=False)

    assert "ops@example.org" in told.out
    assert "wrong: failures" in told.out


def test_G64_the_reports_of_groups_are_told_as_mails_too(simulate: Simulate) -> None:
    names = ("contacts", "extension")
    config = {"source": "a.csv", "table": "a", "mode": "replace"}
    import_ = {"kind": "import", "handler": "csv.import", "config": config, "expires_on": "never"}
    jobs = [at(NOW, "SaveJob", id=name, **import_) for name in names]
    jobs += [at(NOW, "ActivateJob", id=name) for name in names]
    hourly = {"type": "hourly", "every": 1, "slot": "00-14", "time_zone": "UTC"}
    told = {"mode": "always", "recipients": ["ops@example.org"]}
    group = {"id": "lists", "name": "Lists", "jobs": names, "schedule": hourly, "notification": told}
    steps = [*jobs, at(NOW, "CreateGroup", **group), at(NOW, "ActivateGroup", id="lists")]
    played = simulate(timeline("2026-03-01T02:30:00Z", *steps))

    assert [(one["kind"], one["owner"]) for one in played.document["mails"]] == [("run.ended", "group/lists")] * 2
    assert all(one["run"].startswith("group.lists.1.") for one in played.document["mails"])
