"""The service's rules of time beside the minute-by-minute ones, at one change of offset."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from time import thread_time_ns
from typing import Any

from eventjobs.domain.activation import on_activated
from eventjobs.domain.cadence import as_due
from eventjobs.domain.due import Cause, DueAnswer, Span, answer_due
from eventjobs.domain.preview import occurrences_between
from eventjobs.domain.reference import next_after
from eventjobs.domain.timing import start_of as start_of_cadence
from eventjobs.domain.zones import shown_in
from eventjobs.events.cadence import Cadence, Gap, NextDue, Repeat, Timing, TimingPolicies, TimingState, Unit
from tests.sweep.clocks import SECOND, Change, clock
from tests.sweep.minutes import DAY, MINUTES, Moment, Rule, Watch, dues, is_month_of, start_of
from tests.sweep.shapes import BY_NAME, SHAPES, Shape
from tests.sweep.windows import Window

HOUR = timedelta(hours=1)
LATE = timedelta(seconds=60)
SUSPICIOUS_NS = 1_000_000


@dataclass(frozen=True)
class Mismatch:
    """Where the two disagree; `repeat` is the command that shows it alone."""

    zone: str
    change: datetime
    shape: str
    rule: Rule
    what: str
    expected: Any
    found: Any

    @property
    def repeat(self) -> str:
        return f"make sweep ARGS='--zone {self.zone} --at {self.change:%Y-%m-%dT%H:%M:%S} --shape {self.shape}'"

    def __str__(self) -> str:
        return f"{self.zone}: {self.what} of {self.rule}: expected {self.expected}, found {self.found}\n  {self.repeat}"


@dataclass
class Tally:
    """What was compared."""

    comparisons: int = 0
    moments: int = 0
    shifted: int = 0
    second_passes: int = 0
    left_out: int = 0
    longest_ns: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.comparisons += other.comparisons
        self.moments += other.moments
        self.shifted += other.shifted
        self.second_passes += other.second_passes
        self.left_out += other.left_out
        self.longest_ns = max(self.longest_ns, other.longest_ns)
        self.mismatches.extend(other.mismatches)


class Scene:
    """One change of offset in one zone, looked at for some days."""

    def __init__(self, zone: str, change: Change) -> None:
        self.zone = zone
        self.change = change
        self._elsewhere: dict[date, Watch] = {}
        self._elapsed: dict[tuple[datetime, int, str], list[Moment]] = {}

    @cached_property
    def watch(self) -> Watch:
        middle = self.change.at.replace(second=0)
        return Watch(clock(self.zone), middle - 60 * HOUR, middle + 60 * HOUR)

    def start_of(self, label: datetime) -> Moment:
        if abs(label - self.change.old_wall) < 20 * HOUR:
            return start_of(self.watch, label)
        if label.date() not in self._elsewhere:  # no zone is more than 14 hours away, no gap elsewhere is long
            day = datetime.combine(label.date(), time(), UTC)
            self._elsewhere[label.date()] = Watch(clock(self.zone), day - 16 * HOUR, day + 40 * HOUR)
        return start_of(self._elsewhere[label.date()], label)

    def dues(self, rule: Rule, begin: datetime, end: datetime) -> list[Moment]:
        """Return what a rule makes due; where local time means nothing, other policies give the same."""
        start = self.start_of(rule.start)
        if rule.is_local:
            return dues(rule, self.watch, start, begin, end)
        key = rule.start, rule.every, rule.unit
        if key not in self._elapsed:
            self._elapsed[key] = dues(rule, self.watch, start, begin, end)
        return self._elapsed[key]

    def compare(self, shape: Shape) -> Tally:
        tally = Tally()
        for rule in shape.rules(self.change):
            Comparison(self, shape, rule, tally).run()
        return tally


def compared(task: tuple[Window, str | None]) -> Tally:
    """Compare at one change, with one cadence or with all forty."""
    window, shape = task
    scene, tally = Scene(window.zone, window.change), Tally()
    for one in SHAPES if shape is None else (BY_NAME[shape],):
        tally.add(scene.compare(one))
    return tally


@dataclass
class Comparison:
    """One rule at one change."""

    scene: Scene
    shape: Shape
    rule: Rule
    tally: Tally

    @cached_property
    def begin(self) -> datetime:
        return self.scene.change.at.replace(second=0) - self._reach

    @cached_property
    def back_up(self) -> datetime:
        """When an instance starts again that went down at the begin."""
        return self.scene.change.at.replace(second=0) + self._reach / 2

    @cached_property
    def end(self) -> datetime:
        return self.scene.change.at.replace(second=0) + self._reach

    @property
    def _reach(self) -> timedelta:
        is_dense = self.rule.unit in MINUTES and self.rule.every * MINUTES[self.rule.unit] < 120
        return 6 * HOUR if is_dense else 32 * HOUR

    @cached_property
    def cadence(self) -> Cadence:
        return Cadence(
            start_date=self.rule.start.date().isoformat(),
            start_time=f"{self.rule.start:%H:%M}",
            time_zone=self.scene.zone,
            every=self.rule.every,
            unit=Unit(self.rule.unit),
        )

    @cached_property
    def policies(self) -> TimingPolicies:
        return TimingPolicies(timing=Timing(self.rule.timing), gap=Gap(self.rule.gap), repeat=Repeat(self.rule.repeat))

    @cached_property
    def start(self) -> Moment:
        return self.scene.start_of(self.rule.start)

    @cached_property
    def expected(self) -> list[Moment]:
        return self.scene.dues(self.rule, self.begin, self.end)

    @cached_property
    def state(self) -> TimingState:
        """What an `elapsed` schedule remembers at the begin, supposing that its start was answered if it is past."""
        start = self.start.due
        if self.rule.is_local or start > self.begin or self.rule.timing == "grid":
            return TimingState()
        shown = as_due(shown_in(self.scene.zone, start))
        return TimingState(
            reference=start,
            anchor_day=start.day,
            last_answered=start,
            last_local=shown.local,
            last_fold=shown.fold,
            completed=self.rule.unit == "once",
        )

    def run(self) -> None:
        self._count()
        head = self._next(self.begin)
        found = list(self._on_time(head))
        self._same("the moments that run on time", [as_told(due) for due in found], self.expected)
        if self.shape.back == 0 and (self.expected or not self.rule.is_local):
            begun = as_told(start_of_cadence(self.cadence, self.policies))
            self._same("the start", [begun], self.expected[:1] if self.rule.is_local else [self.start])
        if self.rule.timing != "elapsed" or self.start.due > self.begin:
            told = on_activated(self.cadence, self.policies, TimingState(), self.begin)
            self._same("the next moment at an activation", _within(told.next, self.end), self.expected[:1])
        if head is not None and self.expected and self.expected[0].due <= self.back_up:
            self._outage(head)

    def _count(self) -> None:
        self.tally.moments += len(self.expected)
        self.tally.shifted += sum(None not in moment.asked for moment in self.expected)
        self.tally.second_passes += sum(moment.fold for moment in self.expected)
        if self.rule.gap == "skip" and self.rule.is_local and self.scene.change.after > self.scene.change.before:
            shifted = self.scene.dues(replace(self.rule, gap="shift"), self.begin, self.end)
            self.tally.left_out += len(shifted) - len(self.expected)

    def _next(self, at: datetime) -> NextDue | None:
        spent, found = self._timed(at)
        if spent > SUSPICIOUS_NS:  # once more: a collection of garbage is not the rule's time
            spent = min(spent, self._timed(at)[0])
        self.tally.longest_ns = max(self.tally.longest_ns, spent)
        return found

    def _timed(self, at: datetime) -> tuple[int, NextDue | None]:
        begin = thread_time_ns()
        found = next_after(self.cadence, self.policies, self.state, at)
        return thread_time_ns() - begin, found

    def _on_time(self, due: NextDue | None) -> Iterator[NextDue]:
        state = self.state
        while due is not None and due.due <= self.end:
            yield due
            answer = answer_due(self.cadence, self.policies, state, due, due.due + SECOND)
            if (answer.runs, answer.cause, answer.missed, answer.covered) != (due, Cause.SCHEDULED, None, None):
                self._differ("an answer on time", due, answer)
            state, due = answer.if_run.state, answer.if_run.next

    def _outage(self, head: NextDue) -> None:
        """From the begin until `back_up` nothing was up: the first moment runs and covers the others (R30)."""
        answer = answer_due(self.cadence, self.policies, self.state, head, self.back_up)
        passed = [moment for moment in self.expected if moment.due <= self.back_up]
        told = [] if answer.runs is None else [as_told(answer.runs)]
        self._same("what runs after an outage", told, passed[:1])
        self._same("what that run covers", _shape_of(answer.covered), _shape(passed[1:]))
        if answer.covered is not None:
            each = occurrences_between(self.cadence, self.policies, answer.covered, 1000)
            self._same("the moments of a span", [due.due for due in each], [moment.due for moment in passed[1:]])
        coming = self.expected[len(passed) :][:1]
        if self.rule.timing == "elapsed" and self.back_up - head.due > LATE:
            self._reanchored(answer)
        else:
            self._same("what comes after an outage", _within(answer.if_run.next, self.end), coming)
        self._same("what comes after a skip", _within(answer.if_skipped.next, self.end), coming)

    def _reanchored(self, answer: DueAnswer) -> None:
        """A late run of an `elapsed` schedule begins the count anew (R18)."""
        found = None if answer.if_run.next is None else answer.if_run.next.due
        self._same("what comes after a late run", found, self._a_period_later(self.back_up))

    def _a_period_later(self, at: datetime) -> datetime | None:
        if self.rule.unit == "once":
            return None
        if self.rule.unit != "month":
            return at + timedelta(minutes=self.rule.every * MINUTES[self.rule.unit])
        day = at.date() + DAY
        while not is_month_of(self.rule.every, at.date(), at.day, day):
            day += DAY
        return datetime.combine(day, at.time(), UTC)

    def _same(self, what: str, found: Any, expected: Any) -> None:
        self.tally.comparisons += 1
        if not _agree(found, expected):
            self._differ(what, expected, found)

    def _differ(self, what: str, expected: Any, found: Any) -> None:
        scene = self.scene
        self.tally.mismatches.append(
            Mismatch(scene.zone, scene.change.at, self.shape.name, self.rule, what, expected, found)
        )


def as_told(due: NextDue) -> Moment:
    return Moment(due.due, due.local, due.fold, frozenset({due.asked}))


def _within(due: NextDue | None, end: datetime) -> list[Moment]:
    return [] if due is None or due.due > end else [as_told(due)]


def _agree(found: Any, expected: Any) -> bool:
    if found != expected:
        return False
    pairs = zip(found, expected, strict=True) if isinstance(found, list) else ()
    return all(one.asked <= other.asked for one, other in pairs if isinstance(one, Moment))


def _shape(moments: list[Moment]) -> tuple[int, datetime, datetime] | None:
    return (len(moments), moments[0].due, moments[-1].due) if moments else None


def _shape_of(span: Span | None) -> tuple[int, datetime, datetime] | None:
    return None if span is None else (span.count, span.first, span.last)
