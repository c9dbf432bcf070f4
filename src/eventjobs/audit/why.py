"""
Why an owner did or did not run at an instant: the chain of facts, by the rules that were in force then.

All of it is read from the log, and nothing is kept besides: the facts known at the instant say what was in force, those
after it how the moment was answered. The same question about the same past has the same answer for ever.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from eventjobs.audit.asked_types import MEMBER, Types, types_of
from eventjobs.audit.blacked_out import blacked_out
from eventjobs.audit.sentences import Narrator
from eventjobs.audit.verdicts import (
    AT_THE_MOMENT,
    LATE,
    Link,
    Moments,
    blackout,
    instant,
    nothing_due,
    told,
)
from eventjobs.domain.blackouts import BLACKOUT
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.streams import (
    LOG_ITSELF,
    connect_stream,
    integration_stream,
    owner_stream,
    run_stream,
    workspace_stream,
)
from eventjobs.errors import NotFound
from eventjobs.events.owner import OccurrenceQueued, OwnerExpirationSet, OwnerPaused, OwnerRunOpened
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.events.run import JobRunEnded, Ref, RunOpened
from eventjobs.ids import EVERYWHERE
from eventjobs.log.port import EventLog, Filter

DEFINED: Final = ("schedule.created", "schedule.synced")
"""What says which feature a managed schedule is of."""
STATUS: Final = ("integration.registered", "integration.feature_status_set")
GATE: Final = ("integration.activated", "integration.inactivated")
HOLDS: Final = ("workspace.starts_held", "workspace.starts_released")
OF_A_RUN: Final = (
    "run.opened",
    "run.skipped",
    "run.missed",
    "run.delayed",
    "run.taken_over",
    "run.stop_requested",
    "run.ended",
)
OFF: Final = ("schedule.inactivated", "schedule.deleted", "group.deleted", "job.deleted")
"""After these nothing is due."""
OF_A_MEMBER: Final = ("job_run.ended",)
"""What a run of a group tells besides: how each of its jobs ended."""
ABSENCES: Final = ("log.instance_started", "log.instance_resumed", "log.clock_step_observed")

BACK: Final = 50
FORWARD: Final = 200
SHOWN: Final = 10
"""How many facts of one kind are told."""
MEMBERS_SHOWN: Final = 60
"""The same of a run of a group, with its jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """
    The answer.

    `verdict`: `ran`, `running`, `waiting`, `skipped`, `missed`, `unanswered`, `not_due`, `inactive`, `expired` or
    `deleted`.
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
        sentences = {link.fact.position: _sentence(narrator, link.fact) for link in _in_order(self.links)}
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "due": None if self.moments is None else self.moments.first,
            "due_last": None if self.moments is None else self.moments.last,
            "moments": 0 if self.moments is None else self.moments.count,
            "occurrence": self.occurrence,
            "run": self.run,
            "next_due": self.next_due,
            "cadence_version": next(
                (link.fact.event.cadence_version for link in self.links if link.about == "rule"), None
            ),
            "facts": [_document(link, sentences[link.fact.position]) for link in self.links],
        }


async def why_owner(log: EventLog, workspace: str, owner: Ref, at: datetime, *, before: int) -> Why:
    """
    Say why an owner did or did not run at an instant, as facts below the position `before` tell it.

    Raises `NotFound` where there was no such owner then.
    """
    then = min(await log.position_at(at) + 1, before)
    asked = _Asked(log, owner, owner_stream(workspace, owner), at, then, before)
    first = await log.read(0, 1, before=then, matching=asked.own())
    if not first or getattr(first[0].event, "kind", owner.kind) != owner.kind:
        raise NotFound("not_found", f"there was no {owner.kind} {owner.id!r} at {instant(at)}")
    answer = await asked.answer()
    return await (asked.not_answered() if answer is None else asked.answered(answer))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked: facts below `then` were known at the instant, those below `before` are known now."""

    log: EventLog
    owner: Ref
    stream: StreamId
    at: datetime
    then: int
    before: int

    @property
    def types(self) -> Types:
        """Return which of its facts say what."""
        return types_of(self.stream.kind)

    @property
    def name(self) -> str:
        """Return how sentences call it."""
        return f"{self.owner.kind} {self.owner.id}"

    def own(self, types: Sequence[str] | None = None) -> Filter:
        """Return what finds the owner's facts, of some types or all."""
        return Filter(workspace=self.stream.workspace, stream=self.stream.name, types=types)

    async def last(self, types: Sequence[str], before: int) -> Recorded[Any] | None:
        """Return the owner's last fact of these types below a position."""
        found = await self.log.read_back(before, 1, stream=self.stream, types=types)
        return found[0] if found else None

    async def answer(self) -> Recorded[Any] | None:
        """Return the fact that answers the moment at the instant, recorded before it or after."""
        earlier = await self.log.read_back(self.then, BACK, stream=self.stream, types=self.types.answers)
        later = await self.log.read(self.then - 1, FORWARD, before=self.before, matching=self.own(self.types.answers))
        found: tuple[Moments, Recorded[Any]] | None = None
        for fact in (*later, *earlier):
            moments = None if _is_resolution(fact.event) else _moments(fact.event)
            if moments is not None and moments.holds(self.at) and (found is None or moments.first > found[0].first):
                found = moments, fact
        return next((fact for fact in earlier if self._is_manual(fact)), None) if found is None else found[1]

    def _is_manual(self, fact: Recorded[Any]) -> bool:
        """Tell whether somebody started a run by hand at the instant."""
        by_hand = isinstance(fact.event, OwnerRunOpened) and fact.event.due is None
        return by_hand and fact.at <= self.at < fact.at + AT_THE_MOMENT

    async def stands(self, before: int) -> Recorded[Any] | None:
        """Return the owner's last fact below a position that says where its cadence stands."""
        while found := await self.log.read_back(before, BACK, stream=self.stream, types=self.types.moves):
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
        last = await self.log.read_back(self.then, 1, stream=self.stream, types=self.types.answers)
        links = [*links, *(Link(about="before", fact=fact) for fact in last), *_linked("due", stands)]
        verdict, sentence = nothing_due(self.name, links, due, self.at)
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
            sentence=f"The occurrence of {self.name} due {instant(due)} has no answer yet.",
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
        if isinstance(event, OccurrenceQueued):
            links += await self.of_run("waited_for", event.open_run)
            found = await self._resolved(event.due, answer.position)
            resolved = found[0] if found else None
            links += [Link(about="answer", fact=fact) for fact in found[:1]]
        if resolved is not None and getattr(resolved.event, "reason", None) == BLACKOUT and not blackout(links):
            links += await self.blackouts(resolved.position, resolved.at)  # it began after the moment, before the start
        run = _run_of(resolved)
        occurrence = None if moments is None else await self._occurrence(moments.first, answer.position + 1)
        links += await self.of_run("run", run or (occurrence if moments and moments.count == 1 else None))
        if resolved is not None and run is None:
            links += await self.of_run("overlapped", getattr(resolved.event, "open_run", None))
            run = getattr(resolved.event, "covered_by", None)
            links += await self.of_run("covered_by", run)
        verdict, sentence = told(self.name, answer, resolved, moments, links)
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
        """Return what said how and whether it runs, what halted it then, and the zone data it went by."""
        # One look back: what people set is rare among the answers of years.
        told_for = self.types.in_force
        wanted = tuple({one for types in told_for.values() for one in types})
        set_by = await self.log.read_back(before, BACK, stream=self.stream, types=wanted)
        found = {about: _first(set_by, types) for about, types in told_for.items()}
        if len(set_by) == BACK:
            found = {about: fact or await self.last(told_for[about], before) for about, fact in found.items()}
        paused = found.pop("pause")
        links = [Link(about=about, fact=fact) for about, fact in found.items() if fact is not None]
        links += await self.feature(before)
        if paused is not None and isinstance(paused.event, OwnerPaused) and _covers(paused.event, moment):
            links.append(Link(about="pause", fact=paused))
        for workspace in (EVERYWHERE, self.stream.workspace):
            holds = await self.log.read_back(before, SHOWN, stream=workspace_stream(workspace), types=HOLDS)
            last = next((fact for fact in holds if fact.event.since <= moment), None)
            if last is not None and last.type == "workspace.starts_held" and _covers(last.event, moment):
                links.append(Link(about="hold", fact=last))
        links += await self.blackouts(before, moment)
        adopted = await self.log.read_back(before, 1, stream=LOG_ITSELF, types=("log.zone_data_adopted",))
        return [*links, *(Link(about="zone_data", fact=fact) for fact in adopted)]

    async def blackouts(self, before: int, moment: datetime) -> list[Link]:
        """Return what the schedule's calendars said of an instant, where they blacked it out."""
        found = await blacked_out(self.log, self.stream, before, moment)
        return [Link(about="blackout", fact=one.fact, note=one.note) for one in found]

    async def feature(self, before: int) -> list[Link]:
        """Return what said which status a managed schedule's feature had, and whether its integration was active."""
        defined = await self.last(DEFINED, before)
        origin = None if defined is None else defined.event.origin
        if origin is None:
            return []
        stream = integration_stream(self.stream.workspace, origin.integration)
        facts = await self.log.read_back(before, BACK, stream=stream, types=(*STATUS, *GATE))
        status = next((fact for fact in facts if _sets(fact, origin.feature)), None)
        return _linked("feature", status) + _linked("integration", _first(facts, GATE))

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
        is_group = self.owner.kind == "group"
        types, shown = (OF_A_RUN + OF_A_MEMBER, MEMBERS_SHOWN) if is_group else (OF_A_RUN, SHOWN)
        matching = Filter(workspace=stream.workspace, stream=stream.name, types=types)
        first = await self.log.read(0, 1, before=self.before, matching=matching)
        last = await self.log.read_back(self.before, shown, stream=stream, types=types)
        met = await self.unqualified([*first, *last]) if about == "run" else []
        return [*met, *(Link(about=about, fact=fact) for fact in (*first, *reversed(last)))]

    async def unqualified(self, facts: Sequence[Recorded[Any]]) -> list[Link]:
        """Return, of a run whose preflight failed, what last changed each job that did not qualify (G23)."""
        opened = next((fact for fact in facts if isinstance(fact.event, RunOpened)), None)
        if opened is None:
            return []
        rows = {job.row: job.job for job in opened.event.jobs}
        ends = [fact.event for fact in facts if isinstance(fact.event, JobRunEnded)]
        lost = [
            rows[end.row]
            for end in reversed(ends)
            if end.detail and end.reason in ("preflight_failed", "not_qualified")
        ]
        found: list[Link] = []
        for job in lost:
            stream = connect_stream(self.stream.workspace, job.id)
            last = await self.log.read_back(facts[1].position, 1, stream=stream, types=MEMBER)
            found += (Link(about="member", fact=fact) for fact in last)
        return found

    async def _resolved(self, due: datetime, after: int) -> Sequence[Recorded[Any]]:
        """Return what became of a moment after a position: its run, or its outcome without one."""
        async for fact in self._answers_after(after):
            if _answers(fact.event, due):
                return [fact]
        return []

    async def _answers_after(self, after: int) -> AsyncIterator[Recorded[Any]]:
        while facts := await self.log.read(after, FORWARD, before=self.before, matching=self.own(self.types.answers)):
            for fact in facts:
                yield fact
            after = facts[-1].position

    async def _occurrence(self, due: datetime, before: int) -> str:
        rule = await self.last(self.types.rule, before)
        version = 1 if rule is None else rule.event.cadence_version
        return occurrence_id(self.stream.kind, self.stream.id, version, due)


def _sets(fact: Recorded[Any], feature: str) -> bool:
    return fact.type in STATUS and getattr(fact.event, "feature", feature) == feature


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
    if fact.type in OFF or isinstance(fact.event, OwnerExpirationSet):
        return True
    return getattr(fact.event, "timing", None) is not None


def _covers(halt: Any, moment: datetime) -> bool:
    return bool(halt.since <= moment and (halt.until is None or moment < halt.until))


def _run_of(answer: Recorded[Any] | None) -> str | None:
    return answer.event.run if answer is not None and isinstance(answer.event, OwnerRunOpened) else None


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
