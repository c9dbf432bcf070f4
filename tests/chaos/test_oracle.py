"""The judges of the suites of faults find what they are there to find."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.journal import Journal, Sent
from tests.chaos.oracle import LogReader
from tests.chaos.workload import judge
from tests.support.waiting import eventually

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
RUN = "run:r"
MINUTE = timedelta(minutes=1)


class Log(LogReader):
    """A reader that is told events by hand."""

    def tell(self, stream: str, kind: str, data: Mapping[str, Any], **changed: Any) -> None:
        version = self.versions.get(("acme", stream), 0) + 1
        row = {"position": self.position + 1, "workspace": "acme", "stream": stream, "version": version, "type": kind}
        self.take(row | {"at": NOON, "actor": "instance:a", "data": json.dumps(data)} | changed)

    def opened(self, stream: str = RUN, due: datetime | None = None, delivery: str = "at_least_once") -> None:
        jobs = [
            {
                "row": row,
                "seq": row,
                "skip_wait": False,
                "job": {"id": f"count-{row}"},
                "policy": {"delivery": delivery},
            }
            for row in (1, 2)
        ]
        data = {"owner": {"kind": "schedule", "id": "s"}, "cause": "manual", "instance": "a", "term": 1, "jobs": jobs}
        self.tell(stream, "run.opened", data | {"due": None if due is None else due.isoformat()})

    def started(self, row: int = 1, attempt: int = 1, term: int = 1, **changed: Any) -> None:
        self.tell(RUN, "attempt.started", {"row": row, "attempt": attempt, "term": term}, **changed)

    def ended(self, row: int = 1) -> None:
        self.tell(RUN, "attempt.ended", {"row": row, "attempt": 1, "state": "succeeded"})
        self.tell(RUN, "job_run.ended", {"row": row, "state": "succeeded"})


def call(attempt: int = 1, term: int = 1, run: str = "r", job: str = "service/count-1") -> Mapping[str, Any]:
    headers = {"Eventjobs-Run": run, "Eventjobs-Job": job, "Eventjobs-Attempt": str(attempt)}
    return {"headers": headers | {"Eventjobs-Term": str(term)}}


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_life_in_order_is_clean(log: Log) -> None:
    log.opened()
    log.started()
    log.ended()
    log.started(row=2)
    assert (log.wrong, log.gaps, log.barrier_violations) == ([], 0, 0)
    assert log.effects_wrong([call()]) == []
    assert log.owned_by({"a"})
    assert not log.owned_by({"b"})


def test_a_missing_position_is_a_gap(log: Log) -> None:
    log.opened()
    log.tell(RUN, "run.ended", {"state": "succeeded"}, position=7)
    assert log.gaps == 1
    assert log.wrong == ["position 7 follows 1"]


@pytest.mark.parametrize(
    ("stream", "kind", "data"),
    [
        ("run:never-opened", "attempt.started", {"row": 1, "attempt": 1, "term": 1}),
        ("run:never-opened", "run.ended", {"state": "succeeded"}),
        (RUN, "attempt.ended", {"row": 1, "attempt": 1, "state": "succeeded"}),
        (RUN, "job_run.ended", {"row": 9, "state": "succeeded"}),
        ("schedule:never-active", "schedule.inactivated", {}),
    ],
)
async def test_what_goes_on_with_what_never_began_is_not_taken_for_not_yet(
    log: Log, stream: str, kind: str, data: Mapping[str, Any]
) -> None:
    def taken() -> bool:
        if not log.position:
            log.opened()
            log.tell(stream, kind, data)
        return True

    await eventually(taken)
    assert [text for text in log.wrong if f"position 2: {kind} of {stream} follows nothing" in text] == log.wrong != []


def test_a_schedule_that_is_inactivated_twice_is_seen(log: Log) -> None:
    log.tell("schedule:s", "schedule.created", {"active": True})
    log.tell("schedule:s", "schedule.inactivated", {})
    log.tell("schedule:s", "schedule.inactivated", {})
    assert log.wrong == ["position 3: schedule s was not active"]


def test_a_missing_version_is_seen(log: Log) -> None:
    log.opened()
    log.tell(RUN, "run.ended", {"state": "succeeded"}, version=9)
    assert "version 9" in log.wrong[0]


def test_a_stage_that_begins_before_its_turn_breaks_the_barrier(log: Log) -> None:
    log.opened()
    log.started()
    log.started(row=2)
    assert log.barrier_violations == 1


def test_who_lost_a_run_may_not_write(log: Log) -> None:
    log.opened()
    log.tell(RUN, "run.taken_over", {"instance": "b", "term": 2}, actor="instance:b")
    log.started(term=1)
    assert log.zombies_accepted == 1
    assert any("under term 1, not 2" in text for text in log.wrong)


def test_an_occurrence_with_two_outcomes_is_doubled(log: Log) -> None:
    log.opened("run:schedule.s.1.x", due=NOON)
    log.tell("run:schedule.s.1.x", "run.skipped", {})
    assert len(log.doubled()) == 1


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([call(run="other"), call()], "no attempt in the log explains"),
        ([call(), call()], "had 2 effects"),
        ([call(term=2)], "under term 2, not 1"),
        ([], "succeeded without an effect"),
    ],
)
def test_effects_that_the_log_does_not_explain_are_seen(log: Log, calls: list[Any], said: str) -> None:
    log.opened()
    log.started()
    log.ended()
    assert any(said in text for text in log.effects_wrong(calls))


def test_a_job_that_may_run_once_and_ran_twice_is_seen(log: Log) -> None:
    log.opened(delivery="at_most_once")
    log.started()
    log.started(attempt=2)
    assert any("may run once and had 2 effects" in text for text in log.effects_wrong([call(), call(attempt=2)]))


def test_a_due_minute_has_one_answer(log: Log) -> None:
    log.tell("schedule:s", "schedule.created", {"active": True})
    for minute in (1, 2, 2, 4):
        log.tell("schedule:s", "schedule.run_opened", {"due": (NOON + minute * MINUTE).isoformat()})
    due, wrong = log.occurrences_wrong({"s": MINUTE})
    assert due == 4
    assert [text.rpartition(": ")[2] for text in wrong] == ["2 answers", "0 answers"]


def test_a_schedule_that_nobody_ever_answered_is_walked_to_the_end_of_the_log(log: Log) -> None:
    log.tell("schedule:s", "schedule.created", {"active": True})
    log.tell("service:later", "service.added", {}, at=NOON + 3 * MINUTE)
    due, wrong = log.occurrences_wrong({"s": MINUTE})
    assert (due, len(wrong)) == (3, 3)


def sent(journal: Journal, mark: str, status: int, position: int, at: float = 0.0) -> None:
    journal.commands[mark] = Sent(
        mark, "AddService", mark, at, tries=1, status=status, answered=at + 1, answer={"position": position}
    )


def test_what_was_acknowledged_is_in_the_log_once(log: Log, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        for name, times in (("kept", 1), ("twice", 2), ("refused", 1)):
            for _ in range(times):
                log.tell(f"service:{name}", "service.added", {})
        sent(journal, "stream service:kept", 201, 1)
        sent(journal, "stream service:twice", 201, 2)
        sent(journal, "stream service:gone", 201, 9)
        sent(journal, "stream service:refused", 409, 0)
        verdict = judge(journal, log)
    assert [text.split()[-1] for text in verdict.lost] == ["service:gone"]
    assert len(verdict.duplicated) == 1
    assert any("was refused with 409" in text for text in verdict.wrong)


def test_a_command_sent_after_anothers_answer_stands_after_it(log: Log, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        sent(journal, "stream service:first", 201, 20, at=0.0)
        sent(journal, "stream service:second", 201, 10, at=5.0)
        assert any("was acknowledged before" in text for text in judge(journal, log).wrong)


def test_a_command_that_was_tried_for_minutes_is_without_an_answer(log: Log, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        journal.commands["k"] = Sent("k", "AddService", "stream service:x", 100.0, tries=2, last_known=190.0)
        journal.commands["j"] = Sent("j", "AddService", "stream service:y", 185.0, tries=99, last_known=190.0)
        assert judge(journal, log).wrong == ["k AddService had no answer in 90 s"]


@pytest.mark.parametrize(("may_be_written", "broken"), [(True, 0), (False, 1)])
def test_an_old_answer_after_tries_that_wrote_nothing_is_a_broken_promise(
    may_be_written: bool, broken: int, tmp_path: Path
) -> None:
    with Journal(tmp_path / "journal") as journal:
        journal.replayed(Sent("k", "AddService", "stream service:x", 100.0, tries=3, may_be_written=may_be_written))
        assert len(journal.wrong) == broken
        assert journal.seen["commit hidden by an error"] == 1 - broken


def test_who_came_back_and_who_saw_a_step_is_read_from_the_log(log: Log) -> None:
    log.tell("log:log", "log.instance_resumed", {"instance": "a", "away_s": 12.0})
    log.tell("log:log", "log.clock_step_observed", {"instance": "b", "reading": NOON.isoformat()})
    assert (log.resumed["a"], log.resumed["b"], log.stepped) == (1, 0, {"b": NOON})
    assert log.wrong == []
