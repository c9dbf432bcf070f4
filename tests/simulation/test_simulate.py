"""`eventjobs simulate` from outside: what is asked, what is told, and that it is the same every time."""

import os
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson
import pytest

from eventjobs.cli.main import run
from eventjobs.commands.context import Limits
from eventjobs.ids import EVERYWHERE
from eventjobs.log.memory import MemoryEventLog
from eventjobs.settings import Settings
from eventjobs.simulation.sparse import SparseClock, SparseLog
from tests.simulation.timelines import NOW, Simulate, at, cadence, schedule, service, simulate, timeline

__all__ = ["simulate"]

HOURLY = cadence("2026-03-01T01:00", 1, "hour")
GUIDE = (Path(__file__).parents[2] / "docs/simulate.md").read_text("utf-8")
EXAMPLES = Path(__file__).parent / "examples"
RUN_NOW = {"owner": {"kind": "schedule", "id": "nightly"}}


def fenced(language: str) -> str:
    """The first block of the guide in a language."""
    return GUIDE.split(f"```{language}\n")[1].split("```")[0]


def test_the_guide_s_example_is_told_as_it_says(simulate: Simulate) -> None:
    told = simulate(fenced("json").encode(), as_json=False)

    assert told.code == 0
    assert told.out == fenced("console").partition("\n")[2]


@pytest.mark.parametrize("name", ["daylight_saving", "maintenance_window"])
def test_an_example_is_answered_to_the_byte(simulate: Simulate, name: str) -> None:
    told = simulate((EXAMPLES / f"{name}.json").read_bytes())

    assert told.out == (EXAMPLES / f"{name}.answer.json").read_text("utf-8")


def test_the_answer_has_what_the_guide_names(simulate: Simulate) -> None:
    told = simulate(timeline("2026-03-01T02:00:00Z", schedule(NOW, cadence=HOURLY)))
    (run,) = told.document["runs"]
    (job_run,) = run["job_runs"]

    assert list(told.document) == ["occurrences", "runs", "refused", "mails", "next_due"]
    assert told.document["mails"] == []
    assert told.document["next_due"] == {"schedule/nightly": "2026-03-01T02:00:00Z"}
    assert list(told.document["occurrences"][0]) == [
        "owner",
        "due",
        "outcome",
        "reason",
        "start",
        "cause",
        "cause_detail",
        "missed_occurrences",
        "cadence_version",
    ]
    assert (run["id"], run["state"], run["owner"]) == (
        "schedule.nightly.1.20260301t010000z",
        "succeeded",
        "schedule/nightly",
    )
    assert (run["opened_at"], run["ended_at"]) == ("2026-03-01T01:00:00Z", "2026-03-01T01:00:05Z")
    assert (job_run["job"], job_run["state"]) == ({"kind": "service", "id": "load"}, "succeeded")


def test_R45_what_falls_due_while_a_run_is_open_is_skipped(simulate: Simulate) -> None:
    told = simulate(timeline("2026-03-01T06:00:00Z", schedule(NOW, cadence=HOURLY), run_seconds=[9_000, 60]))

    assert told.occurrences("due", "outcome", "reason") == [
        ("2026-03-01T01:00:00Z", "ran", None),
        ("2026-03-01T02:00:00Z", "skipped", "overlap"),
        ("2026-03-01T03:00:00Z", "skipped", "overlap"),
        ("2026-03-01T04:00:00Z", "ran", None),
        ("2026-03-01T05:00:00Z", "ran", None),
    ]


def test_outcomes_and_seconds_are_gone_through_in_turn(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-01T06:00:00Z",
            schedule(NOW, cadence=HOURLY),
            run_seconds=[10, 20],
            outcomes=["succeeded", "failed", "failed:stop_step"],
        )
    )

    assert told.runs("state", "reason") == [
        ("succeeded", None),
        ("failed", "error"),
        ("failed", "stop_step"),
        ("succeeded", None),
        ("failed", "error"),
    ]
    assert [ended[17:19] for ended in told.runs("ended_at")] == ["10", "20", "10", "20", "10"]


def test_a_failed_job_run_is_tried_again_and_fails_again(simulate: Simulate) -> None:
    tried = service(NOW, "again", attempts=3, backoff={"initial": "PT10S", "factor": 2, "max": "PT1M", "jitter": 0})
    jobs = [{"job": {"kind": "service", "id": "again"}, "seq": 1}]
    told = simulate(
        timeline("2026-03-01T02:00:00Z", tried, schedule(NOW, cadence=HOURLY, jobs=jobs), outcomes=["failed"])
    )
    (job_run,) = told.document["runs"][0]["job_runs"]

    assert [one["started_at"][14:19] for one in job_run["attempts"]] == ["00:00", "00:15", "00:40"]


def test_RunNow_is_refused_while_a_run_is_open_and_moves_nothing(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-01T03:00:00Z",
            schedule(NOW, cadence=HOURLY),
            at("2026-03-01T00:30:00Z", "RunNow", **RUN_NOW),
            at("2026-03-01T01:00:03Z", "RunNow", **RUN_NOW),
            at("2026-03-01T01:30:00Z", "RunNow", owner={"kind": "schedule", "id": "none"}),
        )
    )

    assert told.document["refused"] == [
        {"at": "2026-03-01T01:00:03Z", "command": "RunNow", "code": "already_running"},
        {"at": "2026-03-01T01:30:00Z", "command": "RunNow", "code": "not_found"},
    ]
    assert told.runs("cause") == ["manual", "scheduled", "scheduled"]
    assert told.occurrences("due") == ["2026-03-01T01:00:00Z", "2026-03-01T02:00:00Z"]


def test_what_falls_due_at_the_instant_of_a_step_comes_before_it(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-01T02:00:00Z",
            schedule(NOW, cadence=HOURLY),
            at("2026-03-01T01:00:00Z", "InactivateSchedule", id="nightly"),
        )
    )

    assert told.occurrences("outcome") == ["ran"]
    assert told.document["next_due"] == {}


def test_a_run_begins_at_the_instant_at_which_everything_is_killed(simulate: Simulate) -> None:
    told = simulate(
        timeline("2026-03-01T03:00:00Z", schedule(NOW, cadence=HOURLY), {"at": "2026-03-01T01:00:00Z", "down": True})
    )

    assert told.occurrences("due", "start") == [("2026-03-01T01:00:00Z", "2026-03-01T01:00:00Z")]
    assert told.runs("state", "ended_at") == [("running", None)]
    assert told.document["next_due"] == {"schedule/nightly": "2026-03-01T02:00:00Z"}


def test_what_is_due_next_is_told_also_in_a_pause(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-01T00:45:00Z",
            schedule(NOW, cadence=HOURLY),
            at("2026-03-01T00:30:00Z", "PauseOwner", owner=RUN_NOW["owner"], until="2026-03-01T00:50:00Z"),
        )
    )

    assert told.document["next_due"] == {"schedule/nightly": "2026-03-01T01:00:00Z"}


def test_a_stopped_run_ends_aborted_at_once(simulate: Simulate) -> None:
    run = "schedule.nightly.1.20260301t010000z"
    told = simulate(
        timeline(
            "2026-03-01T02:00:00Z",
            schedule(NOW, cadence=HOURLY),
            at("2026-03-01T01:05:00Z", "StopRun", run=run),
            run_seconds=3_000,
        )
    )

    assert told.runs("id", "state", "ended_at") == [(run, "aborted", "2026-03-01T01:05:00Z")]


def test_a_run_that_was_open_at_a_kill_goes_on_ten_seconds_after_the_start(simulate: Simulate) -> None:
    jobs = [{"job": {"kind": "service", "id": name}, "seq": seq} for seq, name in enumerate(("load", "pay"), 1)]
    told = simulate(
        timeline(
            "2026-03-01T02:00:00Z",
            service(NOW, "pay"),
            schedule(NOW, cadence=HOURLY, jobs=jobs, policies={"on_failure": "continue"}),
            {"at": "2026-03-01T01:00:30Z", "down": True},
            {"at": "2026-03-01T01:10:00Z", "up": True},
            run_seconds=60,
        )
    )
    (run,) = told.document["runs"]
    first, second = run["job_runs"]

    assert (first["state"], first["reason"]) == ("failed", "interrupted")
    assert "2026-03-01T01:10:10Z" <= first["ended_at"] <= "2026-03-01T01:10:12Z"
    assert second["state"] == "succeeded"
    assert told.occurrences("outcome") == ["ran"]


def test_several_instances_answer_each_moment_once(simulate: Simulate) -> None:
    alone = timeline("2026-03-01T06:00:00Z", schedule(NOW, cadence=HOURLY))
    joined = [{"at": f"2026-03-01T00:{minute}:00Z", "up": True} for minute in (10, 20)]
    together = simulate({**alone, "steps": [*alone["steps"], *joined]})

    assert together.played is not None
    assert together.document == simulate(alone).document
    assert sum(fact.type == "log.instance_started" for fact in together.played.facts) == 3


def test_the_looks_that_are_jumped_over_would_have_found_nothing(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = timeline(
        "2026-03-01T01:10:00Z",
        service(NOW, "pay", attempts=2),
        *(
            schedule(
                NOW,
                f"s{number}",
                cadence=cadence(f"2026-03-01T00:0{number}", 15, "minute"),
                jobs=[{"job": {"kind": "service", "id": name}, "seq": 1} for name in ("pay", "load")],
            )
            for number in range(1, 4)
        ),
        at(
            "2026-03-01T00:10:00.25Z",
            "PauseOwner",
            owner={"kind": "schedule", "id": "s1"},
            until="2026-03-01T00:20:00Z",
        ),
        {"at": "2026-03-01T00:18:01.5Z", "down": True},
        {"at": "2026-03-01T00:35:00.75Z", "up": True},
        at("2026-03-01T00:40:00Z", "EditCadence", id="s2", cadence=cadence("2026-03-01T00:41", 20, "minute")),
        run_seconds=[5, 100, 700],
        outcomes=["succeeded", "failed"],
    )
    sparse = simulate(hour)
    monkeypatch.setattr(SparseClock, "name_poller", lambda *_: None)
    monkeypatch.setattr(SparseLog, "wait_beyond", MemoryEventLog.wait_beyond)
    dense = simulate(hour)

    assert sparse.played is not None
    assert dense.played is not None
    assert [fact.chain for fact in sparse.played.facts] == [fact.chain for fact in dense.played.facts]
    assert {"skipped", "ran"} <= set(sparse.occurrences("outcome"))


def test_a_command_is_refused_while_nothing_is_up(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-01T02:00:00Z",
            {"at": "2026-03-01T00:10:00Z", "down": True},
            {"at": "2026-03-01T00:20:00Z", "down": True},
            at("2026-03-01T00:30:00Z", "RunNow", **RUN_NOW),
        )
    )

    assert told.document["refused"] == [{"at": "2026-03-01T00:30:00Z", "command": "RunNow", "code": "service_down"}]


def test_what_the_core_refuses_is_told_and_the_rest_goes_on(simulate: Simulate) -> None:
    told = simulate(
        timeline(
            "2026-03-01T02:00:00Z",
            service(NOW, "wrong", config={"seconds": -1}),
            service(NOW, "unknown", handler="no-such-handler"),
            schedule(NOW, "often", cadence=cadence("2026-03-01T01:00", 1, "minute")),
            schedule(NOW, cadence=HOURLY),
        )
    )

    assert [(one["command"], one["code"]) for one in told.document["refused"]] == [
        ("AddService", "greater_than_equal"),
        ("AddService", "unknown_handler"),
        ("CreateSchedule", "interval_too_short"),
    ]
    assert told.occurrences("outcome") == ["ran"]


def test_a_workspace_may_be_made_by_the_timeline(simulate: Simulate) -> None:
    made = at(NOW, "CreateWorkspace", id="acme", time_zone="Europe/Berlin", kind="customer")
    document = timeline("2026-03-01T02:00:00Z", schedule(NOW, cadence=HOURLY))
    told = simulate({**document, "steps": [made, *document["steps"]]})

    assert told.document["refused"] == []
    assert told.played is not None
    assert {fact.workspace for fact in told.played.facts} == {"acme", EVERYWHERE}


def test_steps_are_played_in_the_order_of_time(simulate: Simulate) -> None:
    document = timeline("2026-03-01T02:00:00Z", schedule(NOW, cadence=HOURLY))
    late = at("2026-03-01T00:30:00Z", "InactivateSchedule", id="nightly")
    told = simulate({**document, "steps": [late, *document["steps"]]})

    assert told.document["refused"] == []
    assert told.document["occurrences"] == []


def test_without_steps_nothing_happens(simulate: Simulate) -> None:
    told = simulate({"now": NOW, "until": "2027-03-01T00:00:00Z", "slot_minutes": [7, 3]})

    assert told.document == {"occurrences": [], "runs": [], "refused": [], "mails": [], "next_due": {}}


WRONG: list[tuple[Any, list[str]]] = [
    (b"{", ["Invalid JSON"]),
    (b"[]", ["object"]),
    ({}, ["now: ", "until: "]),
    ({"now": NOW, "until": NOW}, ["until: it lies after now"]),
    ({"now": NOW, "until": "2099-01-01T00:00:00Z"}, ["until: it lies after now, and 30 years after it"]),
    ({"now": "2026-03-01", "until": 5}, ["now: an instant has its offset", "until: an instant is a text"]),
    (timeline("2026-03-02T00:00:00Z", speed=3), ["speed: "]),
    (timeline("2026-03-02T00:00:00Z", run_seconds=-1), ["run_seconds.0: "]),
    (timeline("2026-03-02T00:00:00Z", run_seconds=[]), ["run_seconds: "]),
    (timeline("2026-03-02T00:00:00Z", run_seconds="5"), ["run_seconds.0: "]),
    (timeline("2026-03-02T00:00:00Z", outcomes=["done"]), ["outcomes.0: an outcome is one of"]),
    (timeline("2026-03-02T00:00:00Z", slot_minutes=[15]), ["slot_minutes.0: "]),
    (timeline("2026-03-02T00:00:00Z", {"at": NOW}), ["steps.1: a step has one of command, down and up"]),
    (timeline("2026-03-02T00:00:00Z", {"at": NOW, "down": True, "up": True}), ["steps.1: a step has one of"]),
    (timeline("2026-03-02T00:00:00Z", {"at": NOW, "down": False}), ["steps.1.down: "]),
    (timeline("2026-03-02T00:00:00Z", {"at": NOW, "up": True, "data": {}}), ["steps.1: data belongs to a command"]),
    (timeline("2026-03-02T00:00:00Z", {"at": NOW, "upp": True}), ["steps.1.upp: "]),
    (timeline("2026-03-02T00:00:00Z", at("2026-02-28T23:59:59Z", "RunNow", **RUN_NOW)), ["steps.1.at: "]),
    (timeline("2026-03-02T00:00:00Z", at("2026-03-02T00:00:00Z", "RunNow", **RUN_NOW)), ["steps.1.at: "]),
    (timeline("2026-03-02T00:00:00Z", at(NOW, "RunThen")), ["steps.1.command: there is no command 'RunThen'"]),
    (timeline("2026-03-02T00:00:00Z", at(NOW, "AnswerDue", kind="schedule", id="nightly")), ["steps.1.command: "]),
    (timeline("2026-03-02T00:00:00Z", at(NOW, "RunNow", ownr=1)), ["steps.1.data.owner: ", "steps.1.data.ownr: "]),
    (
        timeline("2026-03-02T00:00:00Z", schedule(NOW, cadence={**HOURLY, "every": "1"})),
        ["steps.1.data.cadence.every: "],
    ),
]


@pytest.mark.parametrize(("document", "told"), WRONG, ids=[" ".join(told)[:40] for _, told in WRONG])
def test_what_is_wrong_is_named_with_its_path(simulate: Simulate, document: Any, told: list[str]) -> None:
    answer = simulate(document)

    assert (answer.code, answer.out) == (2, "")
    for part in told:
        assert f"  {part}" in answer.err or part in answer.err.splitlines()[1]


def test_a_file_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["simulate", str(tmp_path / "none.json")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_the_same_file_has_the_same_answer_to_the_byte() -> None:
    """Whatever order the interpreter gives its sets; the timeline also comes from standard input here."""
    busy = timeline(
        "2026-03-02T00:00:00Z",
        service(NOW, "pay", attempts=3),
        *(
            schedule(
                NOW,
                f"s{number}",
                cadence=cadence(f"2026-03-01T{number:02}:00", 1 + number % 3, "hour"),
                jobs=[{"job": {"kind": "service", "id": name}, "seq": 1} for name in ("pay", "load")],
            )
            for number in range(4)
        ),
        {"at": "2026-03-01T12:00:01Z", "down": True},
        {"at": "2026-03-01T17:30:00Z", "up": True},
        at("2026-03-01T00:30:00Z", "RunNow", owner={"kind": "schedule", "id": "s3"}),
        run_seconds=[5, 900, 4_000],
        outcomes=["succeeded", "failed"],
    )
    answers = [_outside("-", "--json", text=orjson.dumps(busy), seed=seed) for seed in ("1", "4711")]

    assert [(answer.returncode, answer.stderr) for answer in answers] == [(0, b"")] * 2
    assert answers[0].stdout == answers[1].stdout
    runs = orjson.loads(answers[0].stdout)["runs"]
    assert len(runs) > 20
    assert "manual" in {run["cause"] for run in runs}


def test_the_installation_s_settings_hold(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> None:
    often = timeline("2026-03-01T01:03:00Z", schedule(NOW, cadence=cadence("2026-03-01T01:00", 1, "minute")))
    assert [one["code"] for one in simulate(often).document["refused"]] == ["interval_too_short"]
    monkeypatch.setenv("EVENTJOBS_MIN_PERIOD", "PT1M")

    assert simulate(often).occurrences("outcome") == ["ran"] * 3
    assert {field.name for field in fields(Limits)} - {"min_period_s"} <= set(Settings.model_fields)


def test_how_long_a_run_took_is_told_from_its_start(simulate: Simulate) -> None:
    both = [schedule(NOW, name, cadence=cadence("2026-03-01T01:00", 1, "day")) for name in ("one", "two")]
    told = simulate(timeline("2026-03-01T02:00:00Z", *both, run_seconds=[600, 61]), as_json=False)

    assert [line.split("  ")[-1] for line in told.out.splitlines()[1:3]] == [
        "ran, succeeded after 10 min",
        "ran at 01:10:00 UTC, succeeded after 1 min 1 s",
    ]


def test_a_year_of_a_daily_schedule_takes_seconds(simulate: Simulate) -> None:
    document = timeline(
        "2027-03-01T00:00:00Z", schedule(NOW, cadence=cadence("2026-03-01T02:30", 1, "day", "Europe/Berlin"))
    )
    began = time.process_time()
    told = simulate(document)

    assert time.process_time() - began < 10
    assert told.occurrences("outcome") == ["ran"] * 365


def _outside(*arguments: str, text: bytes = b"", seed: str = "0") -> subprocess.CompletedProcess[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EVENTJOBS_")}
    return subprocess.run(
        [sys.executable, "-m", "eventjobs", "simulate", *arguments],
        input=text,
        env={**clean, "PYTHONHASHSEED": seed},
        capture_output=True,
        timeout=60,
        check=False,
    )
