"""
The database of a simulation: what Postgres keeps for the service, and the network in front of it.

What was sent is carried out at a time of its own, whatever becomes of the sender, and its answer may be lost. Every
commit is shown to `watch`, which sees the truth and not what an instance knows of it.
"""

import asyncio
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.events.schedule import Alerts
from eventjobs.log.batch import Batch
from eventjobs.log.birth import birth
from eventjobs.log.codec import Codec
from eventjobs.log.port import Head, StoredReceipt
from eventjobs.log.storage import Written
from eventjobs.projections import notifications, timers
from eventjobs.projections.outbox import DueNotification
from eventjobs.projections.temporal import Put
from eventjobs.projections.upcoming import DueTimer, OpenRun
from tests.simulation.figures import Seen
from tests.simulation.machines import NOBODY, Machine

T = TypeVar("T")
NEVER = datetime.max.replace(tzinfo=UTC)
STEPPING_S = 30.0
TIMEOUT_S = 5.0
"""How long a caller waits for an answer that does not come."""


class LinkDown(OSError):
    """The connection was refused, or lost around a statement."""


class ReadOnly(OSError):
    """A standby takes no writes."""


class DiskFull(OSError):
    """There is no room."""


@dataclass(slots=True)
class Links:
    """How bad the network is: chances a call, and seconds."""

    lost_before: float = 0.0
    lost_after: float = 0.0
    late: float = 0.0
    slow: float = 0.0
    slow_s: float = 1.0
    notify_lost: float = 0.0
    view_lag_s: float = 0.0


@dataclass(slots=True)
class Views:
    """What the projector keeps: the due moments and the open runs, up to a position."""

    position: int = 1
    chain: bytes = b""
    timers: dict[tuple[Any, ...], datetime] = field(default_factory=dict)
    first_due: datetime | None = None
    """The earliest of these moments, while it is known: everybody asks for it every second."""
    zone_data: dict[tuple[Any, ...], str] = field(default_factory=dict)
    by_the_wall: dict[StreamId, bool] = field(default_factory=dict)
    runs: dict[tuple[str, str], OpenRun] = field(default_factory=dict)
    outbox: dict[tuple[Any, ...], dict[str, Any]] = field(default_factory=dict)
    watched: set[StreamId] = field(default_factory=set)

    def apply(self, fact: Recorded[Any]) -> None:
        """Move the views by one fact."""
        if fact.type in notifications.PROJECTION.types:
            self._apply_message(fact)
        if fact.type in timers.PROJECTION.types:
            self.first_due = None
            for write in timers.PROJECTION.project(fact):
                if isinstance(write, Put):
                    self.timers[write.key] = write.values["due_at"]
                    self.zone_data[write.key] = write.values["zone_data"]
                else:
                    self.timers.pop(write.key, None)
                    self.zone_data.pop(write.key, None)
        address = (fact.workspace, fact.stream.id)
        match fact.type:
            case "schedule.created" | "schedule.policies_edited" | "schedule.cadence_edited" | "schedule.synced":
                if fact.event.policies is not None:
                    self.by_the_wall[fact.stream] = fact.event.policies.timing.timing == "wall_clock"
            case "run.opened" | "run.taken_over":
                event = fact.event
                self.runs[address] = OpenRun(*address, event.instance, event.term)
            case "run.ended":
                self.runs.pop(address, None)
            case "schedule.alerts_edited":
                change = self.watched.discard if fact.event.alerts == Alerts() else self.watched.add
                change(fact.stream)

    def _apply_message(self, fact: Recorded[Any]) -> None:
        """Keep the messages of which another try is to come; what is over is due to nobody any more."""
        for write in notifications.PROJECTION.project(fact):
            row = self.outbox.setdefault(write.key, {})
            row.update(write.values)
            if row["next_at"] is None:
                del self.outbox[write.key]


class Database:
    """One server, shared by all machines."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        start: datetime,
        random: Random,
        codec: Codec,
        watch: Callable[[Sequence[Recorded[Any]]], None],
        seen: Seen,
    ) -> None:
        self.loop = loop
        self.codec = codec
        self.random = random
        self.seen = seen
        self.links = Links()
        self.calm = Links()
        self.is_down = False
        self.is_read_only = False
        self.is_full = False
        self.cut: set[Machine] = set()
        self._start = start
        self._step = timedelta()
        self._stepped_at = float("-inf")
        self._set_back: deque[tuple[float, float]] = deque()
        self.standing: set[int] = set()
        """Positions whose time may be another than that of their decision: not all went by the same clock."""
        self._watch = watch
        first = birth("00000000-0000-4000-8000-000000000000", "00000000-0000-7000-8000-000000000000", start)
        self.facts: list[Recorded[Any]] = [first]
        self.streams: dict[StreamId, list[Recorded[Any]]] = {first.stream: [first]}
        self.receipts: dict[str, StoredReceipt] = {}
        self.beats: dict[str, int] = {}
        self.withdrawn: set[str] = set()
        self.snapshots: dict[StreamId, tuple[int, bytes]] = {}
        self.lines: dict[tuple[Any, ...], int] = {}
        self.marks: dict[str, int] = {}
        self.views = Views(chain=first.chain)
        self.listeners: dict[Machine, Callable[[str], None]] = {}
        watch([first])

    # -- its clock --------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """What its clock shows."""
        return self._start + self._step + timedelta(seconds=self.loop.time())

    def seconds_until(self, instant: datetime) -> float:
        """How long until its clock shows this."""
        return (instant - self.now()).total_seconds()

    def step(self, seconds: float) -> None:
        """Set its clock forward, or back."""
        self._step += timedelta(seconds=seconds)
        self.step_seen(seconds)

    def step_seen(self, seconds: float) -> None:
        """Hear that it was set, or that somebody who could not read it for long finds that it was."""
        self._stepped_at = self.loop.time()
        if seconds < 0:
            self._set_back.append((self._stepped_at, -seconds))

    def is_stepping(self) -> bool:
        """Tell whether it was set, or seen to be, so lately that some may still go by what it showed before."""
        return self.loop.time() - self._stepped_at < STEPPING_S

    def set_back_s(self) -> float:
        """Return by how much it was set back, or seen to be, lately; 0 where it was not."""
        while self._set_back and self.loop.time() - self._set_back[0][0] >= STEPPING_S:
            self._set_back.popleft()
        return max((seconds for _, seconds in self._set_back), default=0.0)

    # -- the network ------------------------------------------------------------------------------------------------

    async def call(
        self, machine: Machine, work: Callable[[], T], *, writes: bool = False, timeout_s: float = TIMEOUT_S
    ) -> T:
        """Have `work` done here and return what it returns; raises `LinkDown`, `ReadOnly`, `DiskFull`."""
        draw, links = self.random.random, self.links
        if not writes and links is self.calm and not self.is_down and machine not in self.cut and draw() < 0.9:
            return work()  # a quick answer, as most are while nothing is wrong
        answer: asyncio.Future[T] = self.loop.create_future()
        there_s, back_s, loses = 0.0002 + 0.002 * draw(), 0.0, False
        if draw() < links.slow:
            there_s += links.slow_s * draw()
        if self.is_down or machine in self.cut:
            if draw() < 0.5:  # packets vanish; else the connection is refused
                there_s = timeout_s
            self.loop.call_later(there_s, _fail, answer, LinkDown("down"), context=NOBODY)
            return await answer
        chance = draw()
        if chance < links.lost_before:
            self.loop.call_later(there_s, _fail, answer, LinkDown("lost on the way there"), context=NOBODY)
            return await answer
        if chance < links.lost_before + links.lost_after:
            loses = True
        elif writes and chance < links.lost_before + links.lost_after + links.late:
            self.seen.note("commit_later_than_the_timeout")
            self.loop.call_later(timeout_s, _fail, answer, LinkDown("no answer"), context=NOBODY)
            late_s = timeout_s + 3.0 * draw()
            self.loop.call_later(late_s, self._do, machine, work, writes, answer, True, 0.0, context=NOBODY)
            return await answer
        if links.lost_after:
            back_s = 0.001 * draw()
        if there_s > timeout_s:
            self.loop.call_later(timeout_s, _fail, answer, LinkDown("no answer"), context=NOBODY)
        self.loop.call_later(there_s, self._do, machine, work, writes, answer, loses, back_s, context=NOBODY)
        return await answer

    def _do(
        self,
        machine: Machine,
        work: Callable[[], T],
        writes: bool,
        answer: "asyncio.Future[T]",
        loses: bool,
        back_s: float,
    ) -> None:
        try:
            if self.is_down:
                raise LinkDown("it went down")
            if writes and self.is_read_only:
                raise ReadOnly("it takes no writes")
            if writes and self.is_full:
                raise DiskFull("there is no room")
            result = work()
        except OSError as fault:
            _fail(answer, fault)
            return
        if loses:
            if writes:
                self.seen.note("commit_hidden_by_an_error")
            self.loop.call_later(back_s, _fail, answer, LinkDown("lost on the way back"), context=NOBODY)
        elif machine in self.cut:
            self.loop.call_later(TIMEOUT_S, _fail, answer, LinkDown("no answer"), context=NOBODY)
        elif back_s:
            self.loop.call_later(back_s, _answer, answer, result, context=NOBODY)
        else:
            _answer(answer, result)

    # -- the log ----------------------------------------------------------------------------------------------------

    @property
    def head(self) -> Head:
        """The newest position."""
        last = self.facts[-1]
        return Head(last.position, last.chain, last.at)

    def commit(self, batch: Batch) -> Written:
        """What the one statement does: all or nothing, on the batch's base."""
        if any(receipt.key in self.receipts for receipt in batch.stored()):
            return Written.RECEIPT_TAKEN
        last = self.facts[-1]
        if (batch.base.position, batch.base.chain) != (last.position, last.chain):
            self.seen.note("lost_race")
            return Written.BEHIND
        facts = [self._fact(batch.at, row) for row in batch.rows()]
        for fact in facts:
            stream = self.streams.setdefault(fact.stream, [])
            assert fact.stream_version == len(stream) + 1, f"{fact} is not the next of its stream"
            stream.append(fact)
        self.facts.extend(facts)
        stood_still = bool(facts) and facts[0].at > self.now() + timedelta(seconds=2.0)
        if stood_still or self.set_back_s():
            self.standing.update(fact.position for fact in facts)
        for receipt in batch.stored():
            self.receipts[receipt.key] = receipt
        if facts:
            self._watch(facts)
        return Written.COMMITTED

    def _fact(self, at: datetime, row: Sequence[Any]) -> Recorded[Any]:
        position, workspace, stream, version, kind, schema, actor, command, causation, *rest = row
        correlation, data, leaf, chain = rest
        return Recorded(
            position=position,
            stream=StreamId(workspace, stream),
            stream_version=version,
            type=kind,
            schema=schema,
            at=at,
            actor=actor,
            command_id=command,
            causation=causation,
            correlation=correlation,
            data=data.encode(),
            leaf=leaf,
            chain=chain,
            decode=self.codec.decode,
        )

    def holds(self, head: Head) -> bool:
        """Whether this position has this chain value."""
        return head.position <= len(self.facts) and self.facts[head.position - 1].chain == head.chain

    def position_at(self, instant: datetime) -> int:
        """The last position at or before an instant."""
        return bisect_right(self.facts, instant, key=lambda fact: fact.at)

    def notify(self, payload: str) -> None:
        """Tell who listens, if nothing gets lost."""
        for machine, hear in list(self.listeners.items()):
            if not machine.alive:
                del self.listeners[machine]
            elif self.random.random() < self.links.notify_lost:
                self.seen.note("notify_lost")
            else:
                delay_s = 0.001 + 0.003 * self.random.random()
                self.loop.call_later(delay_s, hear, payload, context=machine.context.copy())

    # -- what instances read and write beside it ----------------------------------------------------------------------

    def beat(self, instance: str) -> int | None:
        """Raise a beat; `None`: the row is gone."""
        if instance not in self.beats:
            return None
        self.beats[instance] += 1
        return self.beats[instance]

    def leave(self, instance: str) -> None:
        """Remove an instance's row."""
        self.beats.pop(instance, None)
        self.withdrawn.discard(instance)

    def project(self, after: int, until: int) -> int:
        """Move the views on, in one transaction with their position, unless another instance did."""
        if self.views.position == after:
            for fact in self.facts[after:until]:
                self.views.apply(fact)
            self.views.position = max(after, until)
            self.views.chain = self.facts[self.views.position - 1].chain
        return self.views.position

    def rebuild(self, from_position: int) -> None:
        """Have the views as they were at a position; the projectors fill them again from there."""
        views = Views()
        for fact in self.facts[1:from_position]:
            views.apply(fact)
        views.position = max(1, min(from_position, len(self.facts)))
        views.chain = self.facts[views.position - 1].chain
        self.views = views

    def due_messages(self, until: datetime, each: int, limit: int) -> Sequence[DueNotification]:
        """The messages whose next try may begin: at most `each` of a recipient."""
        due = [
            DueNotification(*key, row["channel"], row["recipient"], row["next_at"])
            for key, row in self.views.outbox.items()
            if row["next_at"] <= until
        ]
        due.sort(key=lambda one: (one.next_at, one.id))
        places: Counter[tuple[str, str, str]] = Counter()
        found = []
        for one in due:
            places[one.receiver] += 1
            if places[one.receiver] <= each:
                found.append((places[one.receiver], one))
        return [one for _, one in sorted(found, key=lambda placed: placed[0])][:limit]

    def due(self, until: datetime, limit: int) -> Sequence[DueTimer]:
        """The due moments of the view."""
        timers = self.views.timers
        if self.views.first_due is None:
            self.views.first_due = min(timers.values(), default=NEVER)
        if until < self.views.first_due:
            return []
        found = [DueTimer(due, key[0], key[1], key[2]) for key, due in timers.items() if due <= until]
        return sorted(found, key=lambda timer: timer.due_at)[:limit]

    def outdated(self, zone_data: str, limit: int) -> Sequence[StreamId]:
        """The owners by the wall clock, as groups and jobs are, whose next moment was found with older zone data."""
        older = [
            StreamId(key[0], f"{key[1]}:{key[2]}")
            for key, used in self.views.zone_data.items()
            if key[3] == timers.NEXT_DUE and used < zone_data
        ]
        return [one for one in older if self.views.by_the_wall.get(one, one.kind != "schedule")][:limit]


def _fail(answer: "asyncio.Future[Any]", fault: OSError) -> None:
    if not answer.done():
        answer.set_exception(fault)
        answer.exception()  # who asked may be gone


def _answer(answer: "asyncio.Future[Any]", result: Any) -> None:
    if not answer.done():
        answer.set_result(result)
