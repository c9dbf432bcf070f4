"""The rule catalogue's worked examples and its decision table, asked from outside."""

import pytest

from tests.simulation.timelines import Simulate, at, cadence, schedule, service, simulate, timeline

__all__ = ["simulate"]

CHICAGO = "America/Chicago"
EIGHT = cadence("2026-03-06T08:00", 1, "day")


def test_R16_example_1_a_daily_run_drifts_in_spring(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-10T00:00:00Z",
            schedule("2026-03-01T00:00:00Z", cadence=cadence("2026-03-06T14:00", 1, "day", CHICAGO)),
        ),
        as_json=False,
    )

    assert told.code == 0
    assert [line[:29] for line in told.out.splitlines()[1:5]] == [
        "Fri 2026-03-06 14:00:00 CST  ",
        "Sat 2026-03-07 14:00:00 CST  ",
        "Sun 2026-03-08 15:00:00 CDT  ",
        "Mon 2026-03-09 15:00:00 CDT  ",
    ]


def test_R16_example_1_a_daily_run_drifts_in_autumn(simulate: Simulate) -> None:
    created = schedule("2026-10-01T00:00:00Z", cadence=cadence("2026-10-30T14:00", 1, "day", CHICAGO))
    told = simulate(timeline("2026-11-02T00:00:00Z", created, now="2026-10-01T00:00:00Z"))

    assert told.occurrences("due") == ["2026-10-30T19:00:00Z", "2026-10-31T19:00:00Z", "2026-11-01T19:00:00Z"]


def test_wall_clock_keeps_the_local_time(simulate: Simulate) -> None:
    kept = schedule(
        "2026-03-01T00:00:00Z",
        cadence=cadence("2026-03-06T14:00", 1, "day", CHICAGO),
        policies={"timing": "wall_clock"},
    )
    told = simulate(timeline("2026-03-10T00:00:00Z", kept))

    assert told.occurrences("due") == [
        f"2026-03-{day:02}T{hour}:00:00Z" for day, hour in ((6, 20), (7, 20), (8, 19), (9, 19))
    ]


def test_R25_example_2_shortened_and_behind(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-06T14:00:00Z",
            schedule("2026-03-06T00:00:00Z", cadence=EIGHT),
            at("2026-03-06T13:00:00Z", "EditCadence", id="nightly", cadence=cadence("2026-03-06T08:00", 4, "hour")),
        )
    )

    assert told.occurrences("due", "start", "cause", "cause_detail", "cadence_version") == [
        ("2026-03-06T08:00:00Z", "2026-03-06T08:00:00Z", "scheduled", None, 1),
        ("2026-03-06T12:00:00Z", "2026-03-06T13:00:00Z", "catch_up", "interval_decreased", 2),
    ]
    assert told.document["next_due"] == {"schedule/nightly": "2026-03-06T17:00:00Z"}


@pytest.mark.parametrize(
    ("catch_up", "ran", "coming"),
    [("due", 1, "2026-03-06T20:00:00Z"), ("always_on_tighten", 2, "2026-03-06T22:00:00Z")],
)
def test_R25_example_3_shortened_but_not_behind(simulate: Simulate, catch_up: str, ran: int, coming: str) -> None:
    told = simulate(
        timeline(
            "2026-03-06T11:00:00Z",
            schedule("2026-03-06T00:00:00Z", cadence=EIGHT, policies={"catch_up": catch_up}),
            at("2026-03-06T10:00:00Z", "EditCadence", id="nightly", cadence=cadence("2026-03-06T08:00", 12, "hour")),
        )
    )

    assert told.occurrences("outcome") == ["ran"] * ran
    assert told.document["next_due"] == {"schedule/nightly": coming}


def test_R27_example_4_a_zone_edit_while_waiting(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-07-02T00:00:00Z",
            schedule("2026-06-30T00:00:00Z", cadence=cadence("2026-07-01T09:00", 1, "day", CHICAGO)),
            at(
                "2026-07-01T12:00:00Z",
                "EditCadence",
                id="nightly",
                cadence=cadence("2026-07-01T09:00", 1, "day", "Europe/London"),
            ),
            now="2026-06-30T00:00:00Z",
        )
    )

    assert told.occurrences("start", "cause_detail") == [("2026-07-01T12:00:00Z", "zone_changed")]


def test_R13_example_5_a_late_activation_sets_the_time_of_day(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-06-11T00:00:00Z",
            schedule("2026-06-01T00:00:00Z", active=False, cadence=cadence("2026-01-01T14:00", 1, "day")),
            at("2026-06-09T09:17:00Z", "ActivateSchedule", id="nightly"),
            now="2026-06-01T00:00:00Z",
        )
    )

    assert told.occurrences("due", "cause_detail") == [
        ("2026-06-09T09:17:00Z", "first_activation"),
        ("2026-06-10T09:17:00Z", None),
    ]


def test_R99_example_6_a_maintenance_window_costs_one_run(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-05T06:00:00Z",
            schedule("2026-03-04T00:00:00Z", cadence=cadence("2026-03-04T20:50", 15, "minute", CHICAGO)),
            {"at": "2026-03-05T02:51:00Z", "down": True},
            {"at": "2026-03-05T05:59:00Z", "up": True},
        )
    )
    first, caught_up, *missed = told.document["occurrences"]

    assert (first["due"], first["outcome"]) == ("2026-03-05T02:50:00Z", "ran")
    assert caught_up == {
        "owner": "schedule/nightly",
        "due": "2026-03-05T03:05:00Z",
        "outcome": "ran",
        "reason": None,
        "start": "2026-03-05T05:59:00Z",
        "cause": "catch_up",
        "cause_detail": "downtime",
        "missed_occurrences": 11,
        "cadence_version": 1,
    }
    assert [(one["outcome"], one["reason"]) for one in missed] == [("missed", "downtime")] * 11
    assert missed[-1]["due"] == "2026-03-05T05:50:00Z"
    assert told.document["next_due"] == {"schedule/nightly": "2026-03-05T06:14:00Z"}


def test_R37_example_7_rows_run_in_the_order_of_their_sequence_numbers(simulate: Simulate) -> None:
    jobs = [
        {"job": {"kind": "service", "id": name}, "seq": seq, "skip_wait": name == "e"}
        for name, seq in (("a", 1), ("b", 1), ("c", 2), ("d", 3), ("e", 3))
    ]
    now = "2026-03-06T07:00:00Z"
    told = simulate(
        timeline(
            "2026-03-06T09:00:00Z",
            *(service(now, name) for name in "abcde"),
            schedule(now, cadence=EIGHT, jobs=jobs),
            now=now,
            run_seconds=[60, 90, 300, 10, 20],
        )
    )
    (run,) = told.document["runs"]
    spans = {row["job"]["id"]: (row["started_at"][14:19], row["ended_at"][14:19]) for row in run["job_runs"]}

    assert spans == {
        "a": ("00:00", "01:00"),
        "b": ("00:00", "01:30"),
        "e": ("00:00", "05:00"),
        "c": ("01:30", "01:40"),
        "d": ("01:40", "02:00"),
    }
    assert run["ended_at"] == "2026-03-06T08:05:00Z"


def test_R17_example_8_months_keep_their_day(simulate: Simulate) -> None:
    monthly = schedule("2026-01-01T00:00:00Z", cadence=cadence("2026-01-31T10:00", 1, "month"))
    told = simulate(timeline("2026-06-01T00:00:00Z", monthly, now="2026-01-01T00:00:00Z"))

    assert [due[5:10] for due in told.occurrences("due")] == ["01-31", "02-28", "03-31", "04-30", "05-31"]


@pytest.mark.parametrize(
    ("start", "due"), [("2026-03-08T02:30", "2026-03-08T08:30:00Z"), ("2026-11-01T01:30", "2026-11-01T06:30:00Z")]
)
def test_R21_example_9_a_start_in_a_gap_and_in_a_repeated_hour(simulate: Simulate, start: str, due: str) -> None:
    told = simulate(
        timeline("2026-12-01T00:00:00Z", schedule("2026-03-01T00:00:00Z", cadence=cadence(start, 1, "once", CHICAGO)))
    )

    assert told.occurrences("due") == [due]
    assert told.document["next_due"] == {}


@pytest.mark.parametrize(
    ("policies", "days"),
    [
        ({"gap": "shift"}, ["07 08:30", "08 08:30", "09 07:30"]),
        ({"gap": "skip"}, ["07 08:30", "09 07:30"]),
    ],
)
def test_a_local_time_in_the_gap_of_spring(simulate: Simulate, policies: dict[str, str], days: list[str]) -> None:
    lost = schedule(
        "2026-03-07T00:00:00Z",
        cadence=cadence("2026-03-07T02:30", 1, "day", CHICAGO),
        policies={"timing": "wall_clock", **policies},
    )
    told = simulate(timeline("2026-03-10T00:00:00Z", lost))

    assert [due[8:16].replace("T", " ") for due in told.occurrences("due")] == days


@pytest.mark.parametrize(
    ("repeat", "instants"),
    [("first", ["06:30"]), ("second", ["07:30"]), ("both", ["06:30", "07:30"])],
)
def test_a_local_time_that_comes_twice_in_autumn(simulate: Simulate, repeat: str, instants: list[str]) -> None:
    twice = schedule(
        "2026-10-31T12:00:00Z",
        cadence=cadence("2026-11-01T01:30", 1, "day", CHICAGO),
        policies={"timing": "wall_clock", "repeat": repeat},
    )
    told = simulate(timeline("2026-11-02T00:00:00Z", twice, now="2026-10-31T12:00:00Z"))

    assert [due[11:16] for due in told.occurrences("due")] == instants


@pytest.mark.parametrize(
    ("repeat", "instants"),
    [
        ("first", ["06:00", "06:30", "08:00", "08:30"]),
        ("both", ["06:00", "06:30", "07:00", "07:30", "08:00", "08:30"]),
    ],
)
def test_a_cron_in_the_night_of_autumn(simulate: Simulate, repeat: str, instants: list[str]) -> None:
    half_hourly = schedule(
        "2026-10-31T12:00:00Z",
        cadence={"cron": "*/30 1,2 * * *", "time_zone": CHICAGO},
        policies={"repeat": repeat},
    )
    told = simulate(timeline("2026-11-01T12:00:00Z", half_hourly, now="2026-10-31T12:00:00Z"))

    assert [due[11:16] for due in told.occurrences("due")] == instants
    assert set(told.occurrences("outcome")) == {"ran"}


def test_a_cron_catches_up_after_downtime_and_every_moment_has_its_outcome(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-09T00:00:00Z",
            schedule("2026-03-06T00:00:00Z", cadence={"cron": "0 */6 * * *", "time_zone": "UTC"}),
            {"at": "2026-03-06T07:00:00Z", "down": True},
            {"at": "2026-03-07T13:00:00Z", "up": True},
        )
    )

    outcomes = told.occurrences("outcome")
    assert outcomes == ["ran", "ran", *["missed"] * 4, *["ran"] * 5], told.occurrences("due", "outcome")


def test_R23_a_schedule_that_never_catches_up_misses_what_passed(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-09T00:00:00Z",
            schedule("2026-03-06T00:00:00Z", cadence=EIGHT, policies={"catch_up": "never"}),
            {"at": "2026-03-06T12:00:00Z", "down": True},
            {"at": "2026-03-07T12:00:00Z", "up": True},
        )
    )

    assert told.occurrences("due", "outcome", "reason") == [
        ("2026-03-06T08:00:00Z", "ran", None),
        ("2026-03-07T08:00:00Z", "missed", "catch_up_never"),
        ("2026-03-08T08:00:00Z", "ran", None),
    ]


def test_R30_the_grid_stays_where_it_is_after_an_outage(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-06T12:00:00Z",
            schedule(
                "2026-03-06T00:00:00Z", cadence=cadence("2026-03-06T01:00", 1, "hour"), policies={"timing": "grid"}
            ),
            {"at": "2026-03-06T01:30:00Z", "down": True},
            {"at": "2026-03-06T10:40:00Z", "up": True},
        )
    )

    assert [one for one in told.occurrences("due", "start", "missed_occurrences") if one[1]] == [
        ("2026-03-06T01:00:00Z", "2026-03-06T01:00:00Z", 0),
        ("2026-03-06T02:00:00Z", "2026-03-06T10:40:00Z", 8),
        ("2026-03-06T11:00:00Z", "2026-03-06T11:00:00Z", 0),
    ]


def test_an_inactive_schedule_has_no_occurrences(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-12T00:00:00Z",
            schedule("2026-03-06T00:00:00Z", cadence=EIGHT),
            at("2026-03-07T12:00:00Z", "InactivateSchedule", id="nightly"),
            at("2026-03-10T12:00:00Z", "ActivateSchedule", id="nightly"),
        )
    )

    assert told.occurrences("due", "start", "cause_detail", "missed_occurrences") == [
        ("2026-03-06T08:00:00Z", "2026-03-06T08:00:00Z", None, 0),
        ("2026-03-07T08:00:00Z", "2026-03-07T08:00:00Z", None, 0),
        ("2026-03-08T08:00:00Z", "2026-03-10T12:00:00Z", "reactivated", 0),
        ("2026-03-11T12:00:00Z", "2026-03-11T12:00:00Z", None, 0),
    ]


def test_a_queued_moment_runs_after_the_run_before_it(simulate: Simulate) -> None:
    now = "2026-03-06T00:00:00Z"
    queued = schedule(now, cadence=cadence("2026-03-06T01:00", 1, "hour"), policies={"overlap": "queue_one"})
    told = simulate(timeline("2026-03-06T06:00:00Z", queued, now=now, run_seconds=[9_000, 60, 5_400]))

    assert told.occurrences("due", "outcome", "reason", "start") == [
        ("2026-03-06T01:00:00Z", "ran", None, "2026-03-06T01:00:00Z"),
        ("2026-03-06T02:00:00Z", "ran", None, "2026-03-06T03:30:00Z"),
        ("2026-03-06T03:00:00Z", "skipped", "overlap", None),
        ("2026-03-06T04:00:00Z", "ran", None, "2026-03-06T04:00:00Z"),
        ("2026-03-06T05:00:00Z", "ran", None, "2026-03-06T05:30:00Z"),
    ]


def test_a_moment_may_displace_the_run_before_it(simulate: Simulate) -> None:
    now = "2026-03-06T00:00:00Z"
    urgent = schedule(now, cadence=cadence("2026-03-06T01:00", 1, "hour"), policies={"overlap": "cancel_running"})
    told = simulate(timeline("2026-03-06T04:00:00Z", urgent, now=now, run_seconds=[9_000, 60]))

    assert told.runs("state", "opened_at", "ended_at") == [
        ("aborted", "2026-03-06T01:00:00Z", "2026-03-06T02:00:00Z"),
        ("succeeded", "2026-03-06T02:00:00Z", "2026-03-06T02:01:00Z"),
        ("running", "2026-03-06T03:00:00Z", None),
    ]


def test_a_pause_and_a_hold_skip_what_falls_due_in_them(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-06T08:00:00Z",
            schedule("2026-03-06T00:00:00Z", cadence=cadence("2026-03-06T01:00", 1, "hour")),
            at(
                "2026-03-06T01:30:00Z",
                "PauseOwner",
                owner={"kind": "schedule", "id": "nightly"},
                until="2026-03-06T03:30:00Z",
            ),
            at("2026-03-06T05:30:00Z", "HoldStarts", note="maintenance"),
            at("2026-03-06T06:15:00Z", "RunNow", owner={"kind": "schedule", "id": "nightly"}),
            at("2026-03-06T06:30:00Z", "ReleaseStarts"),
        )
    )

    assert [(due[11:13], outcome, reason) for due, outcome, reason in told.occurrences("due", "outcome", "reason")] == [
        ("01", "ran", None),
        ("02", "skipped", "paused"),
        ("03", "skipped", "paused"),
        ("04", "ran", None),
        ("05", "ran", None),
        ("06", "skipped", "held"),
        ("07", "ran", None),
    ]
    assert [one["code"] for one in told.document["refused"]] == ["held"]
