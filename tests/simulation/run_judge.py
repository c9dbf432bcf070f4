"""The judge of runs: what their streams may say next, and which calls of a handler they allow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from eventjobs.events.recorded import Recorded
from tests.simulation.rules import Address, Rules, Violation, instant

_AFTERWARDS = frozenset({"job_run.answered", "run.resumed"})
"""What may be recorded of a run that is over."""


@dataclass(slots=True)
class Row:
    """One job of a run."""

    seq: int
    skip_wait: bool
    job: tuple[str, str, str]
    once: bool
    attempt: int = 0
    running: bool = False
    suspended: bool = False
    released: bool = False
    carried: bool = False
    joined: str | None = None
    deadline: str | None = None
    ended: bool = False
    state: str | None = None
    reason: str | None = None
    retry_at: str | None = None
    began: dict[int, int] = field(default_factory=dict)
    ends: dict[int, str | None] = field(default_factory=dict)
    called: dict[int, str] = field(default_factory=dict)
    answers: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Run:
    """A run as its stream tells it."""

    owner: Address
    opened_at: datetime
    due: str | None
    term: int
    instance: str
    rows: dict[int, Row]
    moment: str | None = None
    opened_by: str = ""
    ended: bool = False
    state: str | None = None
    stop: str | None = None
    resumes: str | None = None
    resumed_by: str | None = None


class RunJudge:
    """Takes the facts of runs, in order, and every call of a handler."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.runs: dict[Address, Run] = {}
        self.answers: dict[Address, str] = {}
        self.open: set[Address] = set()
        self.busy: dict[tuple[str, str, str], tuple[Address, int]] = {}
        self.resuming: dict[Address, str] = {}
        self.exclusive: set[tuple[str, str, str]] = set()
        self.calls = 0
        self.journal = sha256()
        self.on_take_over: Any = None

    def take(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        """Take a fact of a run's stream; raises `Violation`."""
        if fact.type in ("run.skipped", "run.missed"):
            self.rules.hold(fact.stream_version == 1, fact, "an outcome on top of another one")
            self.answers[address] = fact.type
            return
        if fact.type == "run.opened":
            self._opened(fact, address, data)
            return
        run = self.runs.get(address)
        if run is None:
            self.rules.hold(fact.type == "run.queued" or address in self.answers, fact, "before the run was opened")
            self.rules.hold(address not in self.answers, fact, "after it was said that it does not run")
            return
        self.rules.hold(not run.ended or fact.type in _AFTERWARDS, fact, "after the run ended")
        if (number := data.get("row")) is not None:
            self._row(fact, address, run, run.rows[number], data)
            return
        match fact.type:
            case "run.stop_requested":
                run.stop = "now" if run.stop == "now" else data["mode"]
            case "run.taken_over":
                self._taken_over(fact, run, data)
            case "run.resumed":
                self._resumed(fact, address, run, data)
            case "run.ended":
                self._run_ended(fact, address, run, data)
            case _:
                self.rules.seen.note(fact.type)

    def _row(self, fact: Recorded[Any], address: Address, run: Run, row: Row, data: Mapping[str, Any]) -> None:
        match fact.type:
            case "attempt.started":
                self._started(fact, address, run, row, data)
            case "attempt.ended":
                self._attempt_ended(fact, address, run, row, data)
            case "attempt.progressed":
                self.rules.hold(row.running and row.attempt == data["attempt"], fact, "progress of what does not run")
                self._authority(fact, run)
            case "job_run.suspended" | "job_run.released" | "job_run.answered":
                self._elsewhere(fact, run, row, data)
            case "job_run.carried":
                self._carried(fact, run, row, data)
            case "job_run.ended":
                self._job_ended(fact, row, data)
            case _:
                self.rules.seen.note(fact.type)

    def _run_ended(self, fact: Recorded[Any], address: Address, run: Run, data: Mapping[str, Any]) -> None:
        self.rules.hold(all(row.ended for row in run.rows.values()), fact, "over before its jobs are")
        has_succeeded = all(row.state == "succeeded" for row in run.rows.values())
        self.rules.hold(has_succeeded == (data["state"] == "succeeded"), fact, "not as its jobs ended")
        if fact.command_id != run.opened_by:  # who opens a group's run ends it where its jobs are not fit for it
            self._authority(fact, run)
        run.ended, run.state = True, data["state"]
        self.open.discard(address)

    def _job_ended(self, fact: Recorded[Any], row: Row, data: Mapping[str, Any]) -> None:
        self.rules.hold(not row.ended and not row.running, fact, "a job ended twice, or while it runs")
        self.rules.hold(not row.suspended, fact, "a job ended whose try goes on elsewhere")
        row.ended, row.state, row.reason = True, data["state"], data["reason"]
        row.joined = data["joined"]
        self.rules.seen.note(f"job_{data['state']}")
        if data["joined"]:
            self.rules.seen.note("result_shared")

    def _taken_over(self, fact: Recorded[Any], run: Run, data: Mapping[str, Any]) -> None:
        self.rules.hold(data["term"] == run.term + 1, fact, "not the next term")
        if self.on_take_over is not None:
            self.on_take_over(fact, run, data)
        run.term, run.instance = data["term"], data["instance"]
        self.rules.seen.note("taken_over")

    def _opened(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        self.rules.hold(address not in self.runs and address not in self.answers, fact, "a second outcome")
        if data["due"] is not None:
            self.rules.in_time(fact, instant(data["due"]), "started early")
        rows = {
            row["row"]: Row(
                seq=row["seq"],
                skip_wait=row["skip_wait"],
                job=(fact.workspace, row["job"]["kind"], row["job"]["id"]),
                once=row["policy"]["delivery"] == "at_most_once",
                retry_at=data["not_before"],
            )
            for row in data["jobs"]
        }
        owner = (data["owner"]["kind"], data["owner"]["id"])
        moment = data["due"] or data.get("stands_for")
        run = Run(
            owner,
            fact.at,
            data["due"],
            data["term"],
            data["instance"],
            rows,
            moment,
            opened_by=fact.command_id,
            resumes=data.get("resumes"),
        )
        self.runs[address] = run
        self.open.add(address)
        if run.resumes is not None:
            self._resumes(fact, address, run, (fact.workspace, run.resumes))
        self.rules.within(self.rules.options.runs_at_once, len(self.open), fact)

    def _started(self, fact: Recorded[Any], address: Address, run: Run, row: Row, data: Mapping[str, Any]) -> None:
        self.rules.hold(data["term"] == run.term, fact, f"in a term that is not the run's, {run.term}")
        self._authority(fact, run)
        self.rules.hold(
            not row.ended and not row.running and data["attempt"] == row.attempt + 1, fact, "not the next try"
        )
        self.rules.hold(not (row.once and row.reason == "interrupted"), fact, "again, what may be once only")
        if row.retry_at is not None:
            self.rules.in_time(fact, instant(row.retry_at), "tried again too early")
        if not row.skip_wait:
            before = [other for other in run.rows.values() if other.seq < row.seq and not other.skip_wait]
            self.rules.hold(
                all(other.ended or other.released for other in before), fact, "before the stage below it ended"
            )
        if row.job[1] != "flow" or row.job in self.exclusive:
            self.rules.hold(row.job not in self.busy, fact, f"while the job runs in {self.busy.get(row.job)}")
            self.busy[row.job] = (address, data["row"])
        row.running, row.attempt = True, data["attempt"]
        at_work = [self.runs[one] for one in self.open if self.runs[one].instance == run.instance]
        working = sum(any(one.running for one in other.rows.values()) for other in at_work)
        self.rules.within(self.rules.options.runs_per_instance, working, fact)
        row.began[row.attempt] = data["term"]
        if row.attempt > 1:
            self.rules.seen.note("tried_again")

    def _attempt_ended(
        self, fact: Recorded[Any], address: Address, run: Run, row: Row, data: Mapping[str, Any]
    ) -> None:
        is_open = row.running or row.suspended
        self.rules.hold(is_open and data["attempt"] == row.attempt, fact, "the end of what does not run")
        self.rules.hold(data["term"] == row.began[row.attempt], fact, "the end of another term's try")
        self._authority(fact, run)
        self._ended_elsewhere(fact, run, row, data)
        if self.busy.get(row.job) == (address, data["row"]):
            del self.busy[row.job]
        row.running, row.suspended, row.reason, row.retry_at = False, False, data["reason"], data["retry_at"]
        row.ends[row.attempt] = data["reason"]
        self.rules.seen.note(f"attempt_{data['reason'] or data['state']}")

    # -- runs that go on with others -----------------------------------------------------------------------------------

    def _resumes(self, fact: Recorded[Any], address: Address, run: Run, before: Address) -> None:
        """A run by hand goes on with one that is over and did not succeed; that one's own outcome stays."""
        old = self.runs.get(before)
        self.rules.hold(
            old is not None and old.ended and old.state != "succeeded", fact, "goes on with what it may not"
        )
        self.rules.hold(run.due is None, fact, "a due moment's run goes on with another one")
        self.rules.hold(old is not None and old.resumed_by is None, fact, "a second run that goes on with it")
        self.resuming[before] = address[1]

    def _resumed(self, fact: Recorded[Any], address: Address, run: Run, data: Mapping[str, Any]) -> None:
        self.rules.hold(self.resuming.pop(address, None) == data["by"], fact, "no run goes on with it")
        run.resumed_by = data["by"]
        new = self.runs[fact.workspace, data["by"]]
        carried = {number for number, row in new.rows.items() if row.carried}
        self.rules.hold(carried == _done(run), fact, f"{carried} are carried, and {_done(run)} are done")
        self.rules.hold(new.moment == run.moment and new.owner == run.owner, fact, "it stands for something else")
        self.rules.seen.note("resumed")

    def _carried(self, fact: Recorded[Any], run: Run, row: Row, data: Mapping[str, Any]) -> None:
        self.rules.hold(run.resumes is not None and row.attempt == 0 and not row.ended, fact, "although it runs here")
        did = self.runs[fact.workspace, str(run.resumes)].rows[data["row"]]
        self.rules.hold(did.state == "succeeded", fact, "carried although it did not succeed there")
        self.rules.hold(data["run"] == (did.joined or run.resumes), fact, f"another run did the work: {did.joined}")
        row.joined = data["run"]
        row.carried, row.ended, row.state = True, True, "succeeded"
        self.rules.seen.note("carried")

    def complete(self, fact: Recorded[Any]) -> None:
        """After a commit: what one run says of another one, that one says as well."""
        self.rules.hold(not self.resuming, fact, f"it goes on, and nothing says so: {self.resuming}")

    # -- flows that suspend --------------------------------------------------------------------------------------------

    def flow(self, fact: Recorded[Any], flow: str, data: Mapping[str, Any]) -> None:
        """Take a fact of a flow's stream: whether it is run one at a time."""
        if "exclusive" in data:
            change = self.exclusive.add if data["exclusive"] else self.exclusive.discard
            change((fact.workspace, "flow", flow))

    def _elsewhere(self, fact: Recorded[Any], run: Run, row: Row, data: Mapping[str, Any]) -> None:
        self.rules.hold(row.job[1] == "flow", fact, "what only a flow does")
        self.rules.hold(data["attempt"] == row.attempt, fact, "not the newest try")
        match fact.type:
            case "job_run.suspended":
                self.rules.hold(row.running, fact, "suspended without running")
                self._authority(fact, run)
                row.running, row.suspended, row.deadline = False, True, data["deadline"]
                self.rules.seen.note("suspended")
            case "job_run.released":
                is_awaited = row.suspended and not row.released and row.attempt not in row.answers
                self.rules.hold(is_awaited and row.deadline is not None, fact, "released although nobody waited")
                self.rules.in_time(fact, instant(str(row.deadline)), "released too early")
                row.released = True
                self.rules.seen.note("released")
            case _:
                self._answered(fact, row, data)

    def _answered(self, fact: Recorded[Any], row: Row, data: Mapping[str, Any]) -> None:
        """A callback says how one try ended: once, and only of a try whose end is not known."""
        self.rules.hold(row.attempt not in row.answers, fact, f"another answer than {row.answers.get(row.attempt)}")
        self.rules.hold(fact.actor.startswith("client:"), fact, "an answer that nobody gave")
        is_unknown = row.ended and row.reason in ("wait_timeout", "unknown_end")
        self.rules.hold(row.running or row.suspended or is_unknown, fact, "an answer for what is over")
        said = {"stop_step": "failed", "error": "errored", None: "succeeded"}[data["reason"]]
        row.answers[row.attempt] = said
        when = "while_it_ran" if row.running else "too_late" if row.ended else "late" if row.released else "in_time"
        self.rules.seen.note(f"answered_{when}")

    def _ended_elsewhere(self, fact: Recorded[Any], run: Run, row: Row, data: Mapping[str, Any]) -> None:
        """A try ends as its callback said; a suspended one without a word, only by a stop or when it was released."""
        said = row.answers.get(row.attempt)
        if said is not None:
            as_said = {
                "succeeded": ("succeeded", None),
                "failed": ("failed", "stop_step"),
                "errored": ("failed", "error"),
            }
            self.rules.hold((data["state"], data["reason"]) == as_said[said], fact, f"not as was said: {said}")
        elif row.suspended:
            is_stopped = run.stop == "now" and data["state"] == "aborted"
            is_released = row.released and data["reason"] == "wait_timeout"
            self.rules.hold(is_stopped or is_released, fact, "the end of a try that goes on elsewhere")
        self.rules.hold(not (row.released and data["retry_at"]), fact, "again, what was released")

    def _authority(self, fact: Recorded[Any], run: Run) -> None:
        self.rules.hold(
            fact.actor == f"instance:{run.instance}", fact, f"by another than {run.instance}, whose run it is"
        )

    def called(
        self,
        instance: str,
        address: Address,
        number: int,
        attempt: int,
        term: int,
        *,
        due: datetime | None,
        trusted: bool,
    ) -> None:
        """A handler is called: once for each try, and never without its recorded beginning."""
        what = f"{address} row {number} attempt {attempt} of term {term} on {instance}"
        run = self.runs.get(address)
        row = None if run is None else run.rows.get(number)
        if run is None or row is None or row.began.get(attempt) != term:
            raise Violation(f"called without a recorded beginning: {what}")
        if attempt in row.called:
            raise Violation(f"called twice: {what}")
        if row.once and any(row.ends.get(before) == "interrupted" for before in row.called):
            raise Violation(f"called again, after nobody knows how it ended: {what}")
        if due != (None if run.moment is None else instant(run.moment)):
            raise Violation(f"called for the moment {due} and not for {run.moment}: {what}")
        row.called[attempt] = instance
        self.calls += 1
        self.journal.update(what.encode())
        if term != run.term or not row.running:
            self.rules.seen.note("zombie_called_a_handler")
        if not trusted:
            self.rules.seen.note("handler_called_without_trust")


def _done(run: Run) -> set[int]:
    """Return the rows that succeeded up to the first stage that did not, and those that are of no stage."""
    rest = [row.seq for row in run.rows.values() if row.state != "succeeded" and not row.skip_wait]
    first = min(rest, default=0)
    return {
        number
        for number, row in run.rows.items()
        if row.state == "succeeded" and (row.skip_wait or not rest or row.seq <= first)
    }
