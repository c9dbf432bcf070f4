"""The judge of groups' runs: one job after another, up to the first failure of one that the group needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eventjobs.events.recorded import Recorded
from tests.simulation.rules import Address, Rules

_DONE: Final = ("succeeded", "carried")


@dataclass(slots=True)
class Turn:
    """A job of a run, in its place."""

    job: str
    required: bool
    tries: int = 0
    running: bool = False
    ended: tuple[str, str | None] | None = None

    @property
    def stops(self) -> bool:
        """Whether its end keeps those after it from beginning."""
        state = self.ended[0] if self.ended else None
        return state == "aborted" or (state == "failed" and self.required)


@dataclass(slots=True)
class GroupRun:
    """A run of a group, as far as its order is concerned."""

    turns: list[Turn]
    stopped: bool = False

    @property
    def failing(self) -> int | None:
        """The place of the first that keeps the rest from beginning."""
        return next((place for place, turn in enumerate(self.turns) if turn.stops), None)


@dataclass(slots=True)
class GroupRuns:
    """Those that are open; `qualified` are the jobs that are active and run on demand."""

    rules: Rules
    members: dict[Address, list[tuple[str, bool]]] = field(default_factory=dict)
    qualified: set[Address] = field(default_factory=set)
    open: dict[Address, GroupRun] = field(default_factory=dict)

    def take(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        """Take a fact of a run's stream."""
        if fact.type == "run.opened":
            self._opened(fact, address, data)
            return
        run = self.open.get(address)
        if run is None:
            return
        match fact.type:
            case "attempt.started":
                self._started(fact, run, data["row"] - 1)
            case "attempt.ended":
                run.turns[data["row"] - 1].running = False
            case "job_run.ended":
                run.turns[data["row"] - 1].ended = data["state"], data["reason"]
            case "job_run.carried":
                run.turns[data["row"] - 1].ended = "carried", None
            case "run.stop_requested":
                run.stopped = True
                self.rules.seen.note(f"group_stopped_{data['mode']}")
            case "run.ended":
                self._ended(fact, run, data)
                del self.open[address]
            case _:
                pass

    def _opened(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        if data["owner"]["kind"] != "group":
            return
        rows = sorted(data["jobs"], key=lambda row: row["seq"])
        wanted = self.members[fact.workspace, data["owner"]["id"]]
        has = [(row["job"]["id"], row["required"]) for row in rows]
        self.rules.hold(has == wanted, fact, f"not the group's jobs in their order: {wanted}")
        self.rules.hold([row["row"] for row in rows] == [*range(1, len(rows) + 1)], fact, "rows in another order")
        self.open[address] = GroupRun([Turn(job, required) for job, required in has])

    def _started(self, fact: Recorded[Any], run: GroupRun, place: int) -> None:
        turn = run.turns[place]
        self.rules.hold(all(one.ended for one in run.turns[:place]), fact, "before the job before it ended")
        self.rules.hold(not any(one.running for one in run.turns), fact, "a second job of the group at once")
        self.rules.hold(run.failing is None, fact, "after the failure of a job that the group needs")
        self.rules.hold(not run.stopped, fact, "although the group was stopped")
        if not turn.tries:
            is_fit = (fact.workspace, turn.job) in self.qualified
            self.rules.hold(is_fit, fact, f"the job {turn.job} does not qualify any more")
            if any(one.ended and one.ended[0] == "failed" for one in run.turns[:place]):
                self.rules.seen.note("group_went_on_after_a_failure")
        turn.tries += 1
        turn.running = True

    def _ended(self, fact: Recorded[Any], run: GroupRun, data: Mapping[str, Any]) -> None:
        left = [turn for turn in run.turns if turn.ended != ("carried", None)]
        if left and all(not turn.tries and turn.ended == ("skipped", "preflight_failed") for turn in left):
            self.rules.hold(data["reason"] == "not_qualified", fact, "not begun for another reason")
            self.rules.seen.note("group_preflight_failed")
            return
        failing = run.failing
        for place, turn in enumerate(run.turns):
            state, reason = turn.ended or ("", None)
            if failing is not None and place > failing and state not in ("carried", "aborted"):
                said = ("group_stopped",) if run.stopped else ("previous_job_failed",)
                self.rules.hold(not turn.tries and state == "skipped", fact, f"{turn} runs after {run.turns[failing]}")
                self.rules.hold(reason in said, fact, f"{turn} is skipped for another reason")
                self.rules.seen.note(f"member_skipped_{reason}")
        has_done = all(turn.ended and turn.ended[0] in _DONE for turn in run.turns)
        self.rules.hold(has_done == (data["state"] == "succeeded"), fact, f"not as its jobs ended: {run}")
        self.rules.seen.note(f"group_{data['state']}")
