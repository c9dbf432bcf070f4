"""
Turns in every order: a job never runs twice at once, nobody is forgotten, and every run ends.

Workers are played as the supervisor would have them: one looks at its run when it was opened, taken over, stopped, or
when a fact of somebody else concerns it, and when a moment that it waits for has come. Nothing else wakes it.
"""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from eventjobs.domain.run import Row, State
from eventjobs.events.service import Turn
from tests.support.bodies import advance, ended, row, run_now, schedule, service, workspace
from tests.support.story import Story, command

SERVICES = ("load", "clean")
TABLES = {
    "one": [row("load")],
    "two": [row("load")],
    "three": [row("load")],
    "twice": [row("load", seq=1), row("load", seq=2, skip_wait=True)],
    "both": [row("load", seq=1), row("clean", seq=1), row("load", seq=2)],
    "crossed": [row("clean", seq=1), row("load", seq=1)],
}
BEGINNING = {"run.opened", "run.taken_over"}
WAKING = {"run.stop_requested", "job_run.ended", "job_run.waiting"}


class Turns(RuleBasedStateMachine):
    """Up to six runs of six schedules and two services that compete for two jobs."""

    @initialize()
    def begin(self) -> None:
        self.story = Story().given(workspace())
        for name in SERVICES:
            self.story.given(service(name, attempts=2, wait_timeout="PT5M", backoff={"initial": "PT1M", "jitter": 0.0}))
        for name, table in TABLES.items():
            self.story.given(schedule(name, jobs=table))
        self.opened = 0
        self.woken: set[str] = set()
        self.names: list[str] = []

    def do(self, body: object, speaker: str | None = None, **surroundings: str) -> None:
        outcome = self.story.when(body, **surroundings)  # type: ignore[arg-type]
        for stream, fact in outcome.emitted:
            if fact.TYPE in BEGINNING or (fact.TYPE in WAKING and stream.id != speaker):
                self.woken.add(stream.id)
            elif fact.TYPE == "service.claimed" and fact.turn.run != speaker:
                self.woken.add(fact.turn.run)

    def look(self, name: str, **fields: object) -> None:
        self.woken.discard(name)
        run = self.story.run(name)
        self.do(advance(name, term=run.term, **fields), speaker=name)

    @property
    def open_runs(self) -> list[str]:
        return [name for name in self.names if self.story.run(name).open]

    def rows(self, *states: State) -> list[tuple[str, Row]]:
        return [
            (name, one) for name in self.open_runs for one in self.story.run(name).rows.values() if one.state in states
        ]

    @rule(owner=st.sampled_from([*sorted(TABLES), *SERVICES]))
    def open_run(self, owner: str) -> None:
        kind = "service" if owner in SERVICES else "schedule"
        self.opened += 1
        name = f"r{self.opened}"
        self.do(run_now(owner, kind, id=name))
        if self.story.run(name).open:
            self.names.append(name)

    @precondition(lambda self: self.woken)
    @rule(data=st.data())
    def a_worker_looks(self, data: st.DataObject) -> None:
        self.look(data.draw(st.sampled_from(sorted(self.woken))))

    @precondition(lambda self: self.rows(State.RUNNING))
    @rule(data=st.data(), state=st.sampled_from(["succeeded", "succeeded", "failed", "aborted"]))
    def an_attempt_ends(self, data: st.DataObject, state: str) -> None:
        name, one = data.draw(st.sampled_from(self.rows(State.RUNNING)))
        reason = "error" if state == "failed" else None
        self.look(name, ended=[ended(one.row, state, one.attempt, reason=reason)])

    @precondition(lambda self: self.open_runs)
    @rule(data=st.data(), mode=st.sampled_from(["now", "after_current"]))
    def a_run_is_stopped(self, data: st.DataObject, mode: str) -> None:
        self.do(command("StopRun", run=data.draw(st.sampled_from(self.open_runs)), mode=mode))

    @precondition(lambda self: self.open_runs)
    @rule(data=st.data())
    def an_instance_is_lost(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.open_runs))
        self.do(command("TakeOverRun", run=name, seen_term=self.story.run(name).term, cause="gone"), instance="two")

    @rule(seconds=st.sampled_from([1, 60, 299, 301]))
    def time_passes(self, seconds: int) -> None:
        before, now = self.story.now, self.story.now + timedelta(seconds=seconds)
        self.story.now = now
        for name, one in self.rows(State.QUEUED, State.WAITING):
            moment = one.retry_at or one.deadline
            if moment is not None and before < moment <= now:
                self.woken.add(name)

    @invariant()
    def a_job_never_runs_twice_at_once(self) -> None:
        for job in SERVICES:
            running = [(name, one.row) for name, one in self.rows(State.RUNNING) if one.job.job.id == job]
            holder = self.story.service(job).holder
            assert len(running) <= 1, f"{job} runs for {running}"
            assert not running or holder == Turn(run=running[0][0], row=running[0][1])

    @invariant()
    def who_waits_is_in_the_queue_and_nobody_else_is(self) -> None:
        waiting = {(one.job.job.id, Turn(run=name, row=one.row)) for name, one in self.rows(State.WAITING)}
        queued: set[tuple[str, Turn]] = set()
        for job in SERVICES:
            state = self.story.service(job)
            holder = [] if state.holder is None else [state.holder]
            queue = [*([] if state.waiting is None else [state.waiting]), *state.joined, *state.sharing]
            assert len({turn.run for turn in queue + holder}) == len(queue + holder), "two rows of one run in one queue"
            assert state.waiting is None or state.holder is not None, f"{job} is free and awaited"
            assert not state.joined or state.waiting is not None, "joined with nobody"
            queued |= {(job, turn) for turn in queue}
            queued |= {(job, turn) for turn in holder if self.row_of(turn).state is State.WAITING}
            assert not holder or not self.row_of(holder[0]).ended, f"{job} is held by one that ended"
        assert waiting == queued

    def row_of(self, turn: Turn) -> Row:
        return self.story.run(turn.run).rows[turn.row]

    def teardown(self) -> None:
        if not hasattr(self, "story"):
            return
        for _ in range(200):
            if not self.open_runs:
                break
            self.go_on()
        assert self.open_runs == [], "forgotten"
        for job in SERVICES:
            state = self.story.service(job)
            assert (state.holder, state.waiting, state.joined, state.sharing) == (None, None, (), ())

    def go_on(self) -> None:
        """Let one worker look, else one attempt end, else time pass; only what really would happen by itself."""
        if self.woken:
            self.look(min(self.woken))
        elif running := self.rows(State.RUNNING):
            name, one = running[0]
            self.look(name, ended=[ended(one.row, "succeeded", one.attempt)])
        else:
            self.time_passes(60)
        self.a_job_never_runs_twice_at_once()


TestTurns = Turns.TestCase
TestTurns.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
