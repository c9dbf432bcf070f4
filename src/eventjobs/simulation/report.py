"""What a simulation answers, from the facts alone: the same views as the service's, and of storms every moment."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from eventjobs.domain.due import Span
from eventjobs.domain.notification import Channel
from eventjobs.domain.owner import Owner
from eventjobs.domain.preview import occurrences_between
from eventjobs.domain.streams import OWNER_FOLDS, owner_stream
from eventjobs.events.job import JobCreated
from eventjobs.events.notification import NotificationRequested
from eventjobs.events.owner import OwnerScheduled
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.events.run import Ref
from eventjobs.events.schedule import ScheduleCadenceEdited, ScheduleCreated
from eventjobs.projections import job_runs, occurrences, runs, timers
from eventjobs.projections.documents import run_detail, run_fields
from eventjobs.simulation.play import Played
from eventjobs.simulation.views import MemoryViews

Document: TypeAlias = dict[str, Any]
Row: TypeAlias = Mapping[str, Any]

_VIEWS: Final = (occurrences.PROJECTION, runs.PROJECTION, job_runs.PROJECTION, timers.PROJECTION)
_NOT_RUN: Final[Mapping[str, Any]] = {"start": None, "cause": None, "cause_detail": None, "missed_occurrences": 0}


def report(played: Played) -> Document:
    """Return the document, with instants as `datetime`; everything is in the order in which it was due or happened."""
    views = MemoryViews(_VIEWS)
    views.project(played.facts)
    status = {row["id"]: row for row in views.rows(runs.STATUS)}
    opened = {row["id"]: {**row, **status[row["id"]]} for row in views.rows(runs.RUNS)}
    return {
        "occurrences": _occurrences(views.rows(occurrences.OCCURRENCES), opened, played.facts),
        "runs": _runs(opened, views),
        "refused": [{"at": one.at, "command": one.command, "code": one.code} for one in played.refused],
        "mails": [_mail(fact) for fact in played.facts if _is_mail(fact)],
        "next_due": _next_due(views.rows(timers.TIMERS), _kinds(played.facts)),
    }


def _is_mail(fact: Recorded[Any]) -> bool:
    return isinstance(fact.event, NotificationRequested) and fact.event.channel == Channel.EMAIL


def _mail(fact: Recorded[Any]) -> Document:
    wanted: NotificationRequested = fact.event
    return {
        "at": fact.at,
        "kind": wanted.kind,
        "to": wanted.recipient,
        "run": wanted.run,
        "owner": f"{wanted.subject.kind}/{wanted.subject.id}",
        "alert": wanted.about.get("alert"),
    }


def _next_due(rows: Sequence[Row], kinds: Mapping[str, str]) -> Mapping[str, datetime]:
    found = {_owner(row): row["due_at"] for row in rows if row["kind"] == timers.NEXT_DUE}
    return dict(sorted((kinds.get(owner, owner), due) for owner, due in found.items()))


def _kinds(facts: Sequence[Recorded[Any]]) -> Mapping[str, str]:
    """Return how owners are called whose streams do not say of which kind they are: Connect jobs."""
    jobs = (fact for fact in facts if isinstance(fact.event, JobCreated))
    return {f"job/{fact.stream.id}": f"{fact.event.kind}/{fact.stream.id}" for fact in jobs}


def zones_of(facts: Sequence[Recorded[Any]]) -> Mapping[tuple[str, int | None], str]:
    """Return each owner's time zone, under every version of its cadence and, with `None`, as it is at the end."""
    zones: dict[tuple[str, int | None], str] = {}
    kinds = _kinds(facts)
    for fact in facts:
        event = fact.event
        if isinstance(event, ScheduleCreated | ScheduleCadenceEdited | OwnerScheduled):
            stream = f"{fact.stream.kind}/{fact.stream.id}"
            owner = kinds.get(stream, stream)
            zone = event.schedule.time_zone if isinstance(event, OwnerScheduled) else event.cadence.time_zone
            zones[owner, event.cadence_version] = zones[owner, None] = zone
    return zones


def _owner(row: Row) -> str:
    return f"{row['owner_kind']}/{row['owner_id']}"


def _occurrences(
    answered: Sequence[Row], opened: Mapping[str, Row], facts: Sequence[Recorded[Any]]
) -> Sequence[Document]:
    definitions = _definitions(facts, {row["from_position"] for row in answered if row["count"] > 1})
    found = [_occurrence(row, due, opened) for row in answered for due in _moments(row, definitions)]
    return sorted(found, key=lambda one: (one["due"], one["owner"], one["cadence_version"]))


def _moments(row: Row, definitions: Mapping[int, Mapping[StreamId, Owner]]) -> Sequence[datetime]:
    """Return the due moments that an answer stands for, by the cadence in force when it was given."""
    if row["count"] == 1:
        return [row["due"]]
    stream = owner_stream(row["workspace"], Ref(kind=row["owner_kind"], id=row["owner_id"]))
    owner = definitions[row["from_position"]][stream]
    span = Span(count=row["count"], first=row["due"], last=row["last"], anchor_day=row["anchor_day"])
    moments = occurrences_between(owner.cadence, owner.policies.timing, span, row["count"])
    return [moment.due for moment in moments]


def _definitions(facts: Sequence[Recorded[Any]], wanted: set[int]) -> Mapping[int, Mapping[StreamId, Owner]]:
    """Return the owners as they were just before the wanted positions, each with the stream that was written."""
    states: dict[StreamId, Owner] = {}
    found: dict[int, Mapping[StreamId, Owner]] = {}
    for fact in facts if wanted else ():
        fold = OWNER_FOLDS.get(fact.stream.kind)
        if fold is not None:
            before = states.get(fact.stream, fold.initial)
            if fact.position in wanted:
                found[fact.position] = {fact.stream: before}
            states[fact.stream] = fold.evolve(before, fact.event)
    return found


def _occurrence(row: Row, due: datetime, opened: Mapping[str, Row]) -> Document:
    document = {
        "owner": _owner(row),
        "due": due,
        "outcome": row["outcome"],
        "reason": row["reason"],
        **_NOT_RUN,
        "cadence_version": row["cadence_version"],
    }
    run = opened.get(row["run"] or "")
    if run is None:
        return document
    return {
        **document,
        "start": run["started_at"] or run["opened_at"],
        "cause": run["cause"],
        "cause_detail": run["cause_detail"],
        "missed_occurrences": run["missed_occurrences"],
    }


def _runs(opened: Mapping[str, Row], views: MemoryViews) -> Sequence[Document]:
    rows, tries = defaultdict[str, list[Row]](list), defaultdict[str, list[Row]](list)
    suspensions = defaultdict[str, list[Row]](list)
    for row in views.rows(job_runs.JOB_RUNS):
        rows[row["run"]].append(row)
    for row in views.rows(job_runs.ATTEMPTS):
        tries[row["run"]].append(row)
    for row in views.rows(job_runs.SUSPENSIONS):
        suspensions[row["run"]].append(row)
    return [_run(run, rows[name], tries[name], suspensions[name]) for name, run in opened.items()]


def _run(run: Any, rows: Any, tries: Any, suspensions: Any) -> Document:
    unasked: Any = {**run, "present_jobs": None}  # nobody goes on with a simulated run
    detail = run_detail(unasked, (), rows, tries, suspensions)
    return {
        **run_fields(run),
        "owner": _owner(run),
        "cadence_version": run["cadence_version"],
        "job_runs": list(_job_runs(detail)),
    }


def _job_runs(detail: Document) -> Iterator[Document]:
    for stage in detail["stages"]:
        yield from stage["job_runs"]
