"""
One simulation: instances of the service on one database, weather, people, and a judge.

Safety is judged at every commit. When the weather is over, everything must come to its end within fixed times: that is
liveness.
"""

import asyncio
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest
import structlog

from eventjobs.audit.findings import Kind
from eventjobs.audit.occurrences import audit_facts
from eventjobs.channels.message import Message
from eventjobs.commands import states
from eventjobs.events import EVENT_TYPES
from eventjobs.log.codec import Codec
from eventjobs.simulation.ports import SeededIds, VirtualClock
from tests.simulation.clients import WORKSPACE, Clients
from tests.simulation.connect import Connect
from tests.simulation.database import Database
from tests.simulation.figures import Seen
from tests.simulation.floor import Floor
from tests.simulation.judge import Judge
from tests.simulation.machines import NOBODY, MachineLoop
from tests.simulation.member import Member
from tests.simulation.options import Options
from tests.simulation.partners import Partners
from tests.simulation.post import Post
from tests.simulation.rules import Violation
from tests.simulation.run_judge import Run
from tests.simulation.weather import Weather
from tests.simulation.workload import Workload
from tests.simulation.zone_data import by_machine

if TYPE_CHECKING:
    from eventjobs.events.recorded import Recorded
    from eventjobs.handlers.context import HandlerContext

TIMELESS: Final = frozenset({Kind.DOUBLED, Kind.UNCOVERED, Kind.CONTRADICTED, Kind.UNREADABLE})
"""Findings that do not hang on what anybody's clock showed."""
RECOVERY_S: Final = 15.0
"""After the last fault, when every open run must have a live owner."""
ANSWERED_S: Final = 5.0
"""How late a moment may be answered when nothing is wrong."""
ENDED_S: Final = 900.0
"""After the last fault and the last start, when every run must have ended."""
TOLD_S: Final = 30.0
"""How long it may take, when nothing is wrong, until an incident is seen or a message is tried."""
WORK_COMES_S: Final = 60.0
"""How long to wait for a run that the last fault can cut off."""
QUIET_S: Final = 20.0
"""How far away the next due moment must be for time to jump."""
PATIENCE_S: Final = 150.0
"""How long a window is waited for to become quiet before the next one is drawn."""


@dataclass(slots=True)
class Outcome:
    """What became of a simulation."""

    options: Options
    digest: str = ""
    violation: str | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)


class World:
    """Everything in one simulation."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.loop = MachineLoop(options.seed)
        self.loop.set_exception_handler(self._unhandled)
        self.seen = Seen()
        self.judge = Judge(self.seen, options)
        self.judge.work.on_take_over = self._taken_over
        self.net = self._chance("net")
        self.ids = SeededIds(VirtualClock(options.start), options.seed)
        self.floor = Floor(self)
        self.members: list[Member] = []
        self.numbers = 0
        self.dark_until = 0.0
        self.jumped_s = 0.0
        self.recovery_s = 0.0
        self._outage_over = float("-inf")
        self._restarts: set[asyncio.Task[None]] = set()
        self._people: set[asyncio.Task[None]] = set()
        self._draw = self._chance("director")
        self._broken: asyncio.Future[None] = self.loop.create_future()
        self.database = Database(self.loop, options.start, self.net, Codec(EVENT_TYPES), self._committed, self.seen)
        self.judge.rules.set_back_s = self.database.set_back_s
        self.judge.rules.is_stepping = self.database.is_stepping
        self.judge.rules.shown = self.database.now
        self.weather = Weather(self, self._chance("weather"))
        self.clients = Clients(self, self._chance("clients"))
        self.post = Post(self, self._chance("post"))
        self.judge.messages.post = self.post
        self.partners = Partners(self, self.clients, self._chance("partners"))
        work = Connect if options.groups else Workload
        self.workload = work(self, self.clients, self._chance("workload"))

    def _chance(self, what: str) -> Random:
        return Random(f"{what}/{self.options.seed}")

    @property
    def is_upgraded(self) -> bool:
        """Whether who starts now has the present zone data."""
        return self.options.upgrade_h is None or self.loop.time() >= self.options.upgrade_h * 3600

    def play(self) -> Outcome:
        """Run it from the beginning to the end."""
        with by_machine(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(states, "EVERY", self.options.snapshot_every)
            return self._play()

    def _play(self) -> Outcome:
        outcome = Outcome(self.options)
        self.seen.listen()
        try:
            self.loop.run_until_complete(self._until_broken())
            self._audit()
        except Violation as violation:
            outcome.violation = str(violation)
        finally:
            structlog.reset_defaults()
            self.loop.bury()
            with suppress(RuntimeError):
                self.loop.close()
        outcome.digest = self.judge.digest()
        outcome.seen = dict(sorted(self.seen.counts.items()))
        outcome.figures = {
            "hours": round(self.loop.time() / 3600, 2),
            "jumped_hours": round(self.jumped_s / 3600, 2),
            "positions": self.judge.position,
            "occurrences": self.judge.outcomes,
            "runs": len(self.judge.work.runs),
            "calls": self.judge.work.calls,
            "commands": len(self.clients.journal),
            "instances": self.numbers,
            "recovery_s": round(self.recovery_s, 2),
            "turns": self.loop.turns,
        }
        return outcome

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception):
            self.fail(f"{context.get('message')}: {''.join(traceback.format_exception(error))}")

    def _audit(self) -> None:
        """The service's own proof must find nothing either, and count the same moments."""
        report = audit_facts(self.database.facts)
        # Decisions go by the last reading of the clock; around a step, and while the log's time stands still after
        # one, that is not the fact's time, and no fact tells it. What no clock can explain stands.
        findings = [
            finding
            for finding in report.findings
            if finding.kind in TIMELESS or finding.position not in self.database.standing
        ]
        self.seen.note("audit_findings_around_a_step", report.found - len(findings))
        if findings:
            found = "\n".join(str(finding) for finding in findings[:5])
            raise Violation(f"the audit of occurrences found {len(findings)}:\n{found}")
        counted = sum(report.occurrences.values())
        if counted != self.judge.outcomes:
            raise Violation(f"the audit counts {counted} moments, the judge {self.judge.outcomes}")

    # -- what others tell the world ------------------------------------------------------------------------------------

    def fail(self, what: str) -> None:
        """End the simulation: something is not as it must be."""
        if not self._broken.done():
            self._broken.set_exception(Violation(f"{self.database.now():%Y-%m-%d %H:%M:%S.%f} {what}"))

    def _committed(self, facts: "Sequence[Recorded[Any]]") -> None:
        try:
            self.judge.commit(facts)
        except Violation as violation:
            self.fail(str(violation))

    def called(self, member: Member, context: "HandlerContext") -> None:
        """A handler was called."""
        address = (context.workspace, context.run)
        trusted = member.lease.trusted()
        try:
            self.judge.work.called(
                member.name, address, context.row, context.attempt, context.term, due=context.due, trusted=trusted
            )
        except Violation as violation:
            self.fail(str(violation))

    def sending(self, member: Member, message: Message) -> None:
        """A channel is asked to send a message."""
        try:
            self.judge.messages.sending(member.name, (WORKSPACE, message.id), message.about)
        except Violation as violation:
            self.fail(str(violation))

    def arrived(self, message: str) -> None:
        """A copy of a message arrived."""
        try:
            self.judge.messages.arrived((WORKSPACE, message))
        except Violation as violation:
            self.fail(str(violation))

    def _taken_over(self, fact: "Recorded[Any]", run: Run, data: Any) -> None:
        """Nobody whose beats were only hindered by the database may lose a run."""
        before = next((member for member in self.members if member.name == run.instance), None)
        if before is None or not before.is_alive or before.is_leaving:
            return
        self.seen.note("taken_over_from_the_living")
        now = self.loop.time()
        ill = before.machine.held or before.machine in self.database.cut or before.thread in self.database.cut
        if not ill and now - before.troubled_at > RECOVERY_S:
            self.fail(f"taken over from {run.instance}, which only suffered from the database: {fact!r} {data}")

    def outage_over(self) -> None:
        """The database is there again."""
        self._outage_over = self.loop.time()

    def open_runs(self) -> Sequence[Run]:
        """The open runs."""
        return [self.judge.work.runs[address] for address in self.judge.work.open]

    # -- instances -----------------------------------------------------------------------------------------------------

    def kill(self, member: Member) -> None:
        """SIGKILL; it is started again as somebody else."""
        if not member.is_alive:
            return
        if any(run.instance == member.name for run in self.open_runs()):
            self.seen.note("killed_while_running")
        member.kill()
        self._replace(member)

    def buried(self, member: Member) -> None:
        """It left in order."""
        self.seen.note("left_in_order")
        member.kill()
        self._replace(member)

    def _replace(self, member: Member) -> None:
        self.members.remove(member)
        after_s = 0.2 + 15.0 * self._draw.random() ** 2
        self._keep(self._restarts, self._begin(after_s))

    async def _begin(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        while (dark_s := self.dark_until - self.loop.time()) > 0:
            await asyncio.sleep(dark_s)
        self._member()

    def _member(self) -> None:
        self.numbers += 1
        self.members.append(Member(self, self.numbers, self._chance(f"member {self.numbers}")).begin())

    def _keep(self, where: set[asyncio.Task[None]], coro: Any) -> None:
        task = self.loop.create_task(coro, context=NOBODY.copy())
        where.add(task)
        task.add_done_callback(where.discard)

    # -- the course of things ------------------------------------------------------------------------------------------

    async def _until_broken(self) -> None:
        course = self.loop.create_task(self._course())
        await asyncio.wait([course, self._broken], return_when=asyncio.FIRST_COMPLETED)
        if self._broken.done():
            course.cancel()
            self._broken.result()
        course.result()

    async def _course(self) -> None:
        for _ in range(self.options.members):
            self._member()
        await self.workload.furnish()
        end_s = self.options.hours * 3600
        while self.loop.time() < end_s or self._has_too_few(2 * end_s):
            await self._window()
        await self._last_blow()
        await self.weather.calm()
        self.post.is_calm = True
        await self._come_to_rest()

    async def _window(self) -> None:
        """Jump to where something happens, let things happen, and wait until it is quiet, or for a while at most."""
        window_s = 5.0 + 12.0 * self._draw.random()
        at_least_s = 1.0
        if not self.members and self.dark_until > self.loop.time() + QUIET_S:
            self._pass(self.dark_until - self.loop.time() - QUIET_S / 2)
        elif self._is_quiet():
            if self._draw.random() >= self.options.dense:
                self._jump()
            else:
                at_least_s = window_s
        self._upgrade()
        self.weather.draw(window_s)
        while self._draw.random() < self.options.commands / (1 + self.options.commands):
            self._keep(self._people, self._person(window_s * self._draw.random()))
        until = self.loop.time() + window_s + PATIENCE_S * self._draw.random()
        await asyncio.sleep(at_least_s)
        while not self._is_quiet() and self.loop.time() < until:
            await asyncio.sleep(1.0)
            if self.seen.defects:
                self.fail(self.seen.defects[0])

    def _upgrade(self) -> None:
        """Let one instance leave that has the older zone data although there is a newer one."""
        for member in self.members:
            if self.is_upgraded and member.machine.has_old_zone_data and member.is_up and not member.is_leaving:
                self.seen.note("left_for_new_zone_data")
                member.run(member.leave(), "leave")
                return

    async def _person(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await self.workload.act()

    def _is_quiet(self) -> bool:
        """Whether nobody has anything to do."""
        return (
            not self.judge.work.open
            and self.weather.is_quiet
            and not self._people
            and not self.judge.waiting()
            and not self.judge.backfills.left
            and not self.judge.messages.under_way()
            and not self.clients.under_way
            and not self.partners.under_way
            and self.database.views.position == self.judge.position
            and len(self.members) == self.options.members
            and all(member.is_up and not member.is_leaving and member.lease.trusted() for member in self.members)
            and all(member.log.known_head.position == self.judge.position for member in self.members)
            and not self.judge.unanswered(self.database.now() + timedelta(seconds=QUIET_S))
        )

    def _jump(self) -> None:
        """Let the time pass in which nobody would do anything but look."""
        due = self.judge.next_due()
        end_s = max(0.0, self.options.hours * 3600 - self.loop.time())
        ahead_s = end_s if due is None else self.database.seconds_until(due)
        if 0.0 < end_s < ahead_s:
            ahead_s = end_s
        self._pass(ahead_s - 1.0 - 4.0 * self._draw.random())

    def _pass(self, seconds: float) -> None:
        if seconds > 0:
            self.loop.block(seconds)
            self.jumped_s += seconds

    def _has_too_few(self, until_s: float) -> bool:
        return self.judge.outcomes < self.options.occurrences_min and self.loop.time() < until_s

    async def _last_blow(self) -> None:
        """Kill whoever works on a run, so that somebody has to take it over when all is calm."""
        due = self.judge.next_due()
        if due is not None and self._is_quiet():
            self._pass(self.database.seconds_until(due) - 1.0)
        until = self.loop.time() + WORK_COMES_S
        while not self.judge.work.open and self.loop.time() < until:
            await asyncio.sleep(0.1)
        working = {run.instance for run in self.open_runs()}
        for member in [member for member in self.members if member.name in working]:
            self.kill(member)

    async def _come_to_rest(self) -> None:
        if not self.members:
            self._pass(self.dark_until - self.loop.time())
        began = self.loop.time()
        await self._wait(lambda: any(member.is_up for member in self.members), 60.0, "no instance came up")
        from_s = self.loop.time()
        await self._wait(self._all_owned, RECOVERY_S, "an open run has no living owner")
        self.recovery_s = self.loop.time() - from_s
        await self._wait(lambda: len(self.members) == self.options.members, 60.0, "not all instances came back")
        lately = timedelta(seconds=ANSWERED_S)
        await self._wait(
            lambda: not self.judge.unanswered(self.database.now() - lately), RECOVERY_S, "a due moment has no outcome"
        )
        await self._wait(lambda: not self.judge.messages.unraised(), TOLD_S, "nobody was told what failed")
        await self.workload.rest()
        # What waits for an instant, as a retry does, waits longer where the clock showed a later time before.
        done = lambda: not self.judge.work.open and not self.judge.backfills.left  # noqa: E731
        await self._wait(done, ENDED_S + self._behind_s(), "a run or a backfill does not end")
        await self._wait(lambda: not self.judge.waiting(), 5.0, f"something waits for ever: {self.judge.waiting()}")
        await self._wait(lambda: not self.judge.reports.untold(), TOLD_S, "nobody was told how a run went")
        await self._wait(lambda: not self.judge.messages.left_open(), TOLD_S, "an incident is left open")
        await self._wait(
            lambda: not self.judge.messages.untried(self.database.now()), TOLD_S, "a message is left alone"
        )
        await self._wait(self._caught_up, 10.0, "a view is behind")
        self.seen.note("calm_s", int(self.loop.time() - began))
        self.clients.check()
        self.partners.check()
        if self.seen.defects:
            self.fail(self.seen.defects[0])

    def _behind_s(self) -> float:
        """Return by how much the log's time is ahead of the clock since it was set back."""
        at = self.judge.at
        return 0.0 if at is None else max(0.0, self.database.seconds_until(at))

    def _all_owned(self) -> bool:
        living = {member.name for member in self.members if member.is_up}
        return all(run.instance in living for run in self.open_runs())

    def _caught_up(self) -> bool:
        position = self.judge.position
        return self.database.views.position == position and all(
            member.log.known_head.position == position for member in self.members if member.is_up
        )

    async def _wait(self, holds: Callable[[], bool], within_s: float, otherwise: str) -> None:
        until = self.loop.time() + within_s
        while not holds():
            if self.loop.time() > until:
                left = [f"{address}: {self.judge.work.runs[address]}" for address in sorted(self.judge.work.open)]
                due = self.judge.unanswered(self.database.now())
                self.fail(f"{otherwise} after {within_s} s; due: {due}; open: {left}")
            await asyncio.sleep(0.25)
