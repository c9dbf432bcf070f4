"""
Why a schedule did or did not run at an instant: the chain of facts, by the rules that were in force then.

All of it is read from the log, and nothing is kept besides: the facts known at the instant say what was in force, those
after it how the moment was answered. The same question about the same past has the same answer for ever.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from eventjobs.audit.sentences import Narrator
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.streams import LOG_ITSELF, run_stream, schedule_stream, workspace_stream
from eventjobs.errors import NotFound
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.ids import EVERYWHERE
from eventjobs.log.port import EventLog, Filter

RULE: Final = ("schedule.created", "schedule.cadence_edited", "schedule.policies_edited")
ACTIVITY: Final = ("schedule.created", "schedule.activated", "schedule.inactivated", "schedule.deleted")
PAUSES: Final = ("schedule.paused", "schedule.unpaused")
HOLDS: Final = ("workspace.starts_held", "workspace.starts_released")
ANSWERS: Final = (
    "schedule.run_opened",
    "schedule.occurrence_queued",
    "schedule.occurrence_dropped",
    "schedule.occurrences_skipped",
    "schedule.occurrences_missed",
)
MOVES: Final = (*RULE, *ACTIVITY, "schedule.zone_data_adopted", *ANSWERS)
"""What says where the cadence stands afterwards; a manual run moves nothing, and says nothing of it."""
OF_A_RUN: Final = (
    "run.opened",
    "run.skipped",
    "run.missed",
    "run.delayed",
    "run.taken_over",
    "run.stop_requested",
    "run.ended",
)
ABSENCES: Final = ("log.instance_started", "log.instance_resumed", "log.clock_step_observed")

AT_THE_MOMENT: Final = timedelta(minutes=1)
"""An instant less than this after a moment is asked about that moment."""
LATE: Final = timedelta(minutes=1)
"""From then on an answer is late, and who came up only then is part of the reason."""
BACK: Final = 50
FORWARD: Final = 200
SHOWN: Final = 10
"""How many facts of one kind are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One fact of the chain: what it is told for (`rule`, `activity`, `pause`, `hold`, `due`, `absence`, …)."""

    about: str
    fact: Recorded[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The due moments that one fact answers: `first` to `last`, `count` of them."""

    first: datetime
    last: datetime
    count: int = 1

    def holds(self, at: datetime) -> bool:
        """Tell whether an instant is one of them, or in the span of several."""
        return self.first <= at < self.last + AT_THE_MOMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """
    The answer.

    `verdict`: `ran`, `running`, `waiting`, `skipped`, `missed`, `unanswered`, `not_due`, `inactive` or `deleted`.
    `moments` is what the instant fell into, `run` the run that answers or covers it.
    """

    verdict: str
    sentence: str
    moments: Moments | None
    occurrence: str | None
    run: str | None
    next_due: datetime | None
    links: tuple[Link, ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON shows it, each fact with its sentence."""
        narrator = Narrator()
        told = {link.fact.position: _sentence(narrator, link.fact) for link in _in_order(self.links)}
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "due": None if self.moments is None else self.moments.first,
            "due_last": None if self.moments is None else self.moments.last,
            "moments": 0 if self.moments is None else self.moments.count,
            "occurrence": self.occurrence,
            "run": self.run,
            "next_due": self.next_due,
            "facts": [_document(link, told[link.fact.position]) for link in self.links],
        }


async def why_schedule(log: EventLog, workspace: str, schedule_id: str, at: datetime, *, before: int) -> Why:
    """
    Say why a schedule did or did not run at an instant, as facts below the position `before` tell it.

    Raises `NotFound` where there was no such schedule then.
    """
    then = min(await log.position_at(at) + 1, before)
    asked = _Asked(log, schedule_stream(workspace, schedule_id), at, then, before)
    if not await log.read(0, 1, before=then, matching=asked.own()):
        raise NotFound("not_found", f"there was no schedule {schedule_id!r} at {_text(at)}")
    answer = await asked.answer()
    return await (asked.not_answered() if answer is None else asked.answered(answer))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked: facts below `then` were known at the instant, those below `before` are known now."""

    log: EventLog
    stream: StreamId
    at: datetime
    then: int
    before: int

    def own(self, types: Sequence[str] | None = None) -> Filter:
        """Return what finds the owner's facts, of some types or all."""
        return Filter(workspace=self.stream.workspace, stream=self.stream.name, types=types)

    async def last(self, types: Sequence[str], before: int) -> Recorded[Any] | None:
        """Return the owner's last fact of these types below a position."""
        found = await self.log.read_back(before, 1, stream=self.stream, types=types)
        return found[0] if found else None

    async def answer(self) -> Recorded[Any] | None:
        """Return the fact that answers the moment at the instant, recorded before it or after."""
        earlier = await self.log.read_back(self.then, BACK, stream=self.stream, types=ANSWERS)
        later = await self.log.read(self.then - 1, FORWARD, before=self.before, matching=self.own(ANSWERS))
        found: tuple[Moments, Recorded[Any]] | None = None
        for fact in (*later, *earlier):
            moments = None if _is_resolution(fact.event) else _moments(fact.event)
            if moments is not None and moments.holds(self.at) and (found is None or moments.first > found[0].first):
                found = moments, fact
        return next((fact for fact in earlier if self._is_manual(fact)), None) if found is None else found[1]

    def _is_manual(self, fact: Recorded[Any]) -> bool:
        """Tell whether somebody started a run by hand at the instant."""
        by_hand = fact.type == "schedule.run_opened" and fact.event.due is None
        return by_hand and fact.at <= self.at < fact.at + AT_THE_MOMENT

    async def stands(self, before: int) -> Recorded[Any] | None:
        """Return the owner's last fact below a position that says where its cadence stands."""
        while found := await self.log.read_back(before, BACK, stream=self.stream, types=MOVES):
            for fact in found:
                if _says_where(fact):
                    return fact
            before = found[-1].position
        return None

    async def not_answered(self) -> Why:
        """Say why there is no outcome: nothing was due, or what is due has no answer yet."""
        stands = await self.stands(self.then)
        due = None if stands is None else getattr(stands.event, "next", None)
        links = await self.in_force(self.then, self.at)
        if due is not None and due.due <= self.at:
            return await self._unanswered(due.due, [*links, *_linked("due", stands)])
        last = await self.log.read_back(self.then, 1, stream=self.stream, types=ANSWERS)
        links = [*links, *(Link(about="before", fact=fact) for fact in last), *_linked("due", stands)]
        verdict, sentence = _nothing_due(self.stream.id, links, due, self.at)
        return Why(
            verdict=verdict,
            sentence=sentence,
            moments=None,
            occurrence=None,
            run=None,
            next_due=None if due is None else due.due,
            links=_once(links),
        )

    async def _unanswered(self, due: datetime, links: list[Link]) -> Why:
        answers = await self._resolved(due, self.then - 1)
        if answers:  # it was answered since, with one that stands for later moments
            return await self.answered(answers[0])
        return Why(
            verdict="unanswered",
            sentence=f"The occurrence of schedule {self.stream.id} due {_text(due)} has no answer yet.",
            moments=Moments(first=due, last=due),
            occurrence=await self._occurrence(due, self.then),
            run=None,
            next_due=due,
            links=_once([*links, *await self.absences(due, None)]),
        )

    async def answered(self, answer: Recorded[Any]) -> Why:
        """Tell how the moment was answered, by what was in force at its instant."""
        event, moments = answer.event, _moments(answer.event)
        due = answer.at if moments is None else moments.first
        links = await self.in_force(answer.position, due)
        if moments is not None:
            links += _linked("due", await self.stands(answer.position))
            links += await self.absences(due, answer.at)
        links.append(Link(about="answer", fact=answer))
        resolved: Recorded[Any] | None = answer
        if answer.type == "schedule.occurrence_queued":
            links += await self.of_run("waited_for", event.open_run)
            found = await self._resolved(event.due, answer.position)
            resolved = found[0] if found else None
            links += [Link(about="answer", fact=fact) for fact in found[:1]]
        run = _run_of(resolved)
        occurrence = None if moments is None else await self._occurrence(moments.first, answer.position + 1)
        links += await self.of_run("run", run or (occurrence if moments and moments.count == 1 else None))
        if resolved is not None and run is None:
            links += await self.of_run("overlapped", getattr(resolved.event, "open_run", None))
            run = getattr(resolved.event, "covered_by", None)
            links += await self.of_run("covered_by", run)
        verdict, sentence = _told(self.stream.id, answer, resolved, moments, links)
        stands = await self.stands(answer.position + 1)
        following = None if stands is None else getattr(stands.event, "next", None)
        return Why(
            verdict=verdict,
            sentence=sentence,
            moments=moments,
            occurrence=occurrence if moments is not None and moments.count == 1 else None,
            run=run,
            next_due=None if following is None else following.due,
            links=_once(links),
        )

    async def in_force(self, before: int, moment: datetime) -> list[Link]:
        """Return what said how and whether the schedule runs, what halted it then, and the zone data it went by."""
        # One look back: what people set is rare among the answers of years.
        set_by = await self.log.read_back(before, BACK, stream=self.stream, types=(*RULE, *ACTIVITY, *PAUSES))
        rule, activity, paused = [_first(set_by, types) for types in (RULE, ACTIVITY, PAUSES)]
        if len(set_by) == BACK:
            rule, activity = rule or await self.last(RULE, before), activity or await self.last(ACTIVITY, before)
            paused = paused or await self.last(PAUSES, before)
        links = _linked("rule", rule) + _linked("activity", activity)
        if paused is not None and paused.type == "schedule.paused" and _covers(paused.event, moment):
            links.append(Link(about="pause", fact=paused))
        for workspace in (EVERYWHERE, self.stream.workspace):
            holds = await self.log.read_back(before, SHOWN, stream=workspace_stream(workspace), types=HOLDS)
            last = next((fact for fact in holds if fact.event.since <= moment), None)
            if last is not None and last.type == "workspace.starts_held" and _covers(last.event, moment):
                links.append(Link(about="hold", fact=last))
        adopted = await self.log.read_back(before, 1, stream=LOG_ITSELF, types=("log.zone_data_adopted",))
        return [*links, *(Link(about="zone_data", fact=fact) for fact in adopted)]

    async def absences(self, due: datetime, answered: datetime | None) -> list[Link]:
        """Return who came up, came back or changed the clock between a moment and its late answer."""
        if answered is not None and answered - due <= LATE:
            return []
        after = await self.log.position_at(due)
        matching = Filter(workspace=LOG_ITSELF.workspace, stream=LOG_ITSELF.name, types=ABSENCES)
        facts = await self.log.read(after, SHOWN, before=self.before, matching=matching)
        return [Link(about="absence", fact=fact) for fact in facts if answered is None or fact.at <= answered]

    async def of_run(self, about: str, run: str | None) -> list[Link]:
        """Return what a run's own stream tells of it."""
        if run is None:
            return []
        stream = run_stream(self.stream.workspace, run)
        matching = Filter(workspace=stream.workspace, stream=stream.name, types=OF_A_RUN)
        first = await self.log.read(0, 1, before=self.before, matching=matching)
        last = await self.log.read_back(self.before, SHOWN, stream=stream, types=OF_A_RUN)
        return [Link(about=about, fact=fact) for fact in (*first, *reversed(last))]

    async def _resolved(self, due: datetime, after: int) -> Sequence[Recorded[Any]]:
        """Return what became of a moment after a position: its run, or its outcome without one."""
        async for fact in self._answers_after(after):
            if _answers(fact.event, due):
                return [fact]
        return []

    async def _answers_after(self, after: int) -> AsyncIterator[Recorded[Any]]:
        while facts := await self.log.read(after, FORWARD, before=self.before, matching=self.own(ANSWERS)):
            for fact in facts:
                yield fact
            after = facts[-1].position

    async def _occurrence(self, due: datetime, before: int) -> str:
        rule = await self.last(RULE, before)
        version = 1 if rule is None else rule.event.cadence_version
        return occurrence_id("schedule", self.stream.id, version, due)


def _moments(event: Any) -> Moments | None:
    """Return the moments that a fact answers, nothing for a manual run."""
    if hasattr(event, "first"):
        return Moments(first=event.first, last=event.last, count=event.count)
    return None if event.due is None else Moments(first=event.due, last=event.due)


def _is_resolution(event: Any) -> bool:
    """Tell whether a fact tells what became of a moment that waited, so that it was answered before."""
    return not hasattr(event, "timing") or (hasattr(event, "run") and event.timing is None)


def _answers(event: Any, due: datetime) -> bool:
    moments = _moments(event)
    return moments is not None and moments.first <= due <= moments.last


def _says_where(fact: Recorded[Any]) -> bool:
    if fact.type in ("schedule.inactivated", "schedule.deleted"):
        return True
    return getattr(fact.event, "timing", None) is not None


def _covers(halt: Any, moment: datetime) -> bool:
    return bool(halt.since <= moment and (halt.until is None or moment < halt.until))


def _run_of(answer: Recorded[Any] | None) -> str | None:
    return answer.event.run if answer is not None and answer.type == "schedule.run_opened" else None


def _nothing_due(schedule: str, links: Iterable[Link], due: Any, at: datetime) -> tuple[str, str]:
    activity = next(link.fact for link in links if link.about == "activity")
    if activity.type == "schedule.deleted":
        return "deleted", f"Schedule {schedule} was deleted at {_text(activity.at)}: nothing falls due any more."
    if activity.type == "schedule.inactivated" or not getattr(activity.event, "active", True):
        return "inactive", f"Schedule {schedule} was inactive at {_text(at)}, since {_text(activity.at)}."
    if due is None:
        return "not_due", f"Nothing was due at {_text(at)}, and nothing comes: the cadence of {schedule} is at its end."
    return "not_due", f"Nothing was due at {_text(at)}: the next moment of schedule {schedule} was {_text(due.due)}."


def _told(
    schedule: str,
    answer: Recorded[Any],
    resolved: Recorded[Any] | None,
    moments: Moments | None,
    links: Iterable[Link],
) -> tuple[str, str]:
    """Return the verdict and the sentence for a moment that was answered."""
    if moments is None:
        verdict, how = _of_the_run(links)
        return verdict, f"Schedule {schedule} was started by hand at {_text(answer.at)}, by {answer.actor}; {how}."
    what = f"The occurrence of schedule {schedule} due {_text(moments.first)}"
    if moments.count > 1:
        what = (
            f"{moments.count} occurrences of schedule {schedule}, due {_text(moments.first)} to {_text(moments.last)},"
        )
    if resolved is None:
        return "waiting", f"{what} was answered at {_text(answer.at)} and waits ({answer.event.reason})."
    if resolved.type == "schedule.run_opened":
        verdict, how = _of_the_run(links)
        late = resolved.at - moments.first
        when = f"at {_text(resolved.at)}" + (f", {late.total_seconds():,.0f} s late" if late > LATE else "")
        return verdict, f"{what} ran {when} ({str(answer.event.cause).replace('_', ' ')}); {how}."
    event = resolved.event
    if resolved.type == "schedule.occurrence_dropped":
        return event.outcome, f"{what} waited and was then {event.outcome} ({event.reason})."
    verdict = "missed" if resolved.type == "schedule.occurrences_missed" else "skipped"
    covered = getattr(event, "covered_by", None)
    instead = f"; run {covered} stands for it" if covered else ""
    beside = f"; run {event.open_run} was open" if getattr(event, "open_run", None) else ""
    return verdict, f"{what} {'was' if moments.count == 1 else 'were'} {verdict} ({event.reason}){instead}{beside}."


def _of_the_run(links: Iterable[Link]) -> tuple[str, str]:
    ended = next((link.fact for link in links if link.about == "run" and link.fact.type == "run.ended"), None)
    if ended is None:
        return "running", "the run is open"
    reason = f" ({ended.event.reason})" if ended.event.reason else ""
    return "ran", f"the run ended {ended.event.state}{reason}"


def _first(facts: Iterable[Recorded[Any]], types: Sequence[str]) -> Recorded[Any] | None:
    return next((fact for fact in facts if fact.type in types), None)


def _linked(about: str, fact: Recorded[Any] | None) -> list[Link]:
    return [] if fact is None else [Link(about=about, fact=fact)]


def _once(links: Iterable[Link]) -> tuple[Link, ...]:
    """Return each fact once, at its first place: what set the rule often set the activity as well."""
    seen: dict[int, Link] = {}
    for link in links:
        seen.setdefault(link.fact.position, link)
    return tuple(seen.values())


def _in_order(links: Iterable[Link]) -> Sequence[Link]:
    return sorted(links, key=lambda link: link.fact.position)


def _sentence(narrator: Narrator, fact: Recorded[Any]) -> str:
    return narrator.tell({"stream": fact.stream.name, "type": fact.type, "data": orjson.loads(fact.data)})


def _document(link: Link, sentence: str) -> dict[str, Any]:
    fact = link.fact
    return {
        "about": link.about,
        "sentence": sentence,
        "position": fact.position,
        "at": fact.at,
        "workspace": fact.workspace,
        "stream": fact.stream.name,
        "type": fact.type,
        "actor": fact.actor,
    }


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
