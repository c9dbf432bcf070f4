"""
What the log says, read by nobody's code but this: plain SQL, plain JSON.

The reader takes events in order, once, and keeps what the promises need: positions and versions without gaps, each
occurrence answered once, each job after the ones before it, who owns which run, which attempts there were.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

READ: Final = (
    "SELECT position, workspace, stream, version, type, at, actor, data::text AS data FROM events"
    " WHERE position > $1 ORDER BY position LIMIT $2"
)
BATCH: Final = 5_000
OF_ITS_OWNER: Final = frozenset({"attempt.started", "attempt.progressed", "attempt.ended"})
"""What only the instance may write that a run belongs to."""
TIMEOUT_S: Final = 30.0


@dataclass(slots=True)
class Row:
    """One row of a run's snapshot."""

    seq: int
    skip_wait: bool
    job: str
    at_most_once: bool
    ended: bool = False


@dataclass(slots=True)
class Try:
    """One attempt: who may act for it, and how it ended."""

    term: int
    state: str | None = None
    reason: str | None = None


@dataclass(slots=True)
class SeenRun:
    """One run as the log tells it."""

    owner: str
    cause: str
    instance: str
    term: int
    opened_at: datetime
    due: datetime | None
    rows: dict[int, Row]
    tries: dict[tuple[int, int], Try] = field(default_factory=dict)
    state: str | None = None
    first_started: datetime | None = None


class LogReader:
    """Follows the log from outside and counts what must not be."""

    def __init__(self) -> None:
        self.position = 0
        self.gaps = 0
        self.wrong: list[str] = []
        self.runs: dict[str, SeenRun] = {}
        self.open: set[str] = set()
        self.versions: dict[tuple[str, str], int] = {}
        self.marks: dict[str, list[int]] = defaultdict(list)
        self.answered: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
        self.outcomes: dict[str, list[str]] = defaultdict(list)
        self.active: dict[str, list[tuple[datetime, datetime | None]]] = defaultdict(list)
        self.barrier_violations = 0
        self.zombies_accepted = 0
        self.take_overs = 0
        self.resumed: Counter[str] = Counter()
        self.stepped: dict[str, datetime] = {}
        """By instance the latest reading of the database's clock that was a step."""
        self.types: Counter[str] = Counter()
        self.last_at: datetime | None = None

    async def catch_up(self, url: str) -> None:
        """Read everything that is new."""
        connection = await asyncpg.connect(url, timeout=TIMEOUT_S)
        try:
            while rows := await connection.fetch(READ, self.position, BATCH, timeout=TIMEOUT_S):
                for row in rows:
                    self.take(row)
        finally:
            connection.terminate()

    def take(self, row: Mapping[str, Any]) -> None:
        """Take the next event."""
        if row["position"] != self.position + 1:
            self.gaps += 1
            self.wrong.append(f"position {row['position']} follows {self.position}")
        self.position = row["position"]
        stream = (row["workspace"], row["stream"])
        if row["version"] != self.versions.get(stream, 0) + 1:
            self.wrong.append(f"position {self.position}: {stream} goes on with version {row['version']}")
        self.versions[stream] = row["version"]
        self.types[row["type"]] += 1
        if self.last_at is not None and row["at"] < self.last_at:
            self.wrong.append(f"position {self.position} is earlier than the one before")
        self.last_at = row["at"]
        try:
            self._follow(row)
        except LookupError as error:
            # A LookupError must not leave here: whoever waits would take it for "not yet" and go on after this event.
            self.wrong.append(f"position {self.position}: {row['type']} of {row['stream']} follows nothing: {error!r}")

    def _follow(self, row: Mapping[str, Any]) -> None:
        """Take what the event changes; raises where it goes on with what never began."""
        kind, _, name = row["stream"].partition(":")
        known = getattr(self, "_" + row["type"].replace(".", "_"), None)
        if row["type"] in OF_ITS_OWNER and row["actor"] != f"instance:{self.runs[name].instance}":
            self.zombies_accepted += 1
            self.wrong.append(f"position {self.position}: {row['type']} of {name} by {row['actor']}, not its owner")
        if known is not None and kind in {"run", "schedule", "service", "workspace", "log"}:
            known(name, json.loads(row["data"]), row["at"])

    def owned_by(self, living: Iterable[str]) -> bool:
        """Tell whether every open run is one of these instances'."""
        alive = set(living)
        return all(self.runs[run].instance in alive for run in self.open)

    def occurrences_wrong(self, grid: Mapping[str, timedelta]) -> tuple[int, list[str]]:
        """
        Walk the moments of schedules on a grid of whole minutes, from the log's activations and answers alone.

        Returns how many were due, and each one that has no answer or more than one.
        """
        due, wrong = 0, list[str]()
        for owner, period in grid.items():
            counted: Counter[datetime] = Counter()
            for first, last in self.answered[owner]:
                moment = first
                while moment <= last:
                    counted[moment] += 1
                    moment += period
            ends = [moment for moment in (self.last_at, *counted) if moment is not None]
            for since, until in self.active[owner]:
                moment = _next_on_grid(since, period)
                while moment <= (until or max(ends)):
                    due += 1
                    if counted[moment] != 1:
                        wrong.append(f"{owner} at {moment}: {counted[moment]} answers")
                    moment += period
        return due, wrong

    def doubled(self) -> list[str]:
        """Return occurrences with more than one outcome."""
        return [f"{run}: {found}" for run, found in self.outcomes.items() if len(found) != 1]

    def effects_wrong(self, calls: Sequence[Mapping[str, Any]]) -> list[str]:
        """Compare what the counter saw with the attempts in the log."""
        wrong: list[str] = []
        seen: Counter[tuple[str, str, int]] = Counter()
        per_row: Counter[tuple[str, str]] = Counter()
        for call in calls:
            headers = call["headers"]
            run, job = headers["Eventjobs-Run"], headers["Eventjobs-Job"].partition("/")[2]
            attempt, term = int(headers["Eventjobs-Attempt"]), int(headers["Eventjobs-Term"])
            seen[run, job, attempt] += 1
            per_row[run, job] += 1
            known = self._try_of(run, job, attempt)
            if known is None:
                wrong.append(f"an effect of {run} {job} attempt {attempt} that no attempt in the log explains")
            elif known.term != term:
                wrong.append(f"an effect of {run} {job} attempt {attempt} under term {term}, not {known.term}")
        wrong += [f"{key} had {n} effects" for key, n in seen.items() if n > 1]
        for run, about in self.runs.items():
            for number, row in about.rows.items():
                if row.at_most_once and per_row[run, row.job] > 1:
                    wrong.append(f"{run} {row.job} may run once and had {per_row[run, row.job]} effects")
                for (of, attempt), tried in about.tries.items():
                    counted = of == number and tried.state == "succeeded" and row.job.startswith("count")
                    if counted and not seen[run, row.job, attempt]:
                        wrong.append(f"{run} {row.job} attempt {attempt} succeeded without an effect")
        return wrong

    def _try_of(self, run: str, job: str, attempt: int) -> Try | None:
        about = self.runs.get(run)
        if about is None:
            return None
        found = [about.tries.get((number, attempt)) for number, row in about.rows.items() if row.job == job]
        return next((one for one in found if one is not None), None)

    # What each type of event changes; the name is the type's with an underscore.

    def _run_opened(self, run: str, data: Mapping[str, Any], at: datetime) -> None:
        due = None if data["due"] is None else _instant(data["due"])
        rows = {
            job["row"]: Row(job["seq"], job["skip_wait"], job["job"]["id"], job["policy"]["delivery"] == "at_most_once")
            for job in data["jobs"]
        }
        owner = f"{data['owner']['kind']}:{data['owner']['id']}"
        if run in self.runs:
            self.wrong.append(f"{run} was opened twice")
        self.runs[run] = SeenRun(owner, data["cause"], data["instance"], data["term"], at, due, rows)
        self.open.add(run)
        self.marks[f"opened {owner}"].append(self.position)
        self.marks[f"run {run}"].append(self.position)
        if due is not None:
            self.outcomes[run].append("ran")

    def _run_skipped(self, run: str, _data: Mapping[str, Any], _at: datetime) -> None:
        self.outcomes[run].append("skipped")

    def _run_missed(self, run: str, _data: Mapping[str, Any], _at: datetime) -> None:
        self.outcomes[run].append("missed")

    def _run_taken_over(self, run: str, data: Mapping[str, Any], _at: datetime) -> None:
        about = self.runs[run]
        if data["term"] <= about.term:
            self.wrong.append(f"{run} was taken over from term {about.term} to {data['term']}")
        about.instance, about.term = data["instance"], data["term"]
        self.take_overs += 1

    def _run_ended(self, run: str, data: Mapping[str, Any], _at: datetime) -> None:
        if self.runs[run].state is not None:
            self.wrong.append(f"{run} ended twice")
        self.runs[run].state = data["state"]
        self.open.discard(run)

    def _attempt_started(self, run: str, data: Mapping[str, Any], at: datetime) -> None:
        about = self.runs[run]
        about.first_started = about.first_started or at
        row = about.rows[data["row"]]
        if data["term"] != about.term:
            self.wrong.append(f"{run}: an attempt began under term {data['term']}, not {about.term}")
        before = [one for one in about.rows.values() if one.seq < row.seq and not one.skip_wait]
        if not row.skip_wait and any(not one.ended for one in before):
            self.barrier_violations += 1
            self.wrong.append(f"{run}: row {data['row']} began before stage {row.seq}'s turn")
        if (data["row"], data["attempt"]) in about.tries:
            self.wrong.append(f"{run}: attempt {data['attempt']} of row {data['row']} began twice")
        about.tries[data["row"], data["attempt"]] = Try(data["term"])

    def _attempt_ended(self, run: str, data: Mapping[str, Any], _at: datetime) -> None:
        tried = self.runs[run].tries[data["row"], data["attempt"]]
        if tried.state is not None:
            self.wrong.append(f"{run}: attempt {data['attempt']} of row {data['row']} ended twice")
        tried.state, tried.reason = data["state"], data.get("reason")

    def _job_run_ended(self, run: str, data: Mapping[str, Any], _at: datetime) -> None:
        row = self.runs[run].rows[data["row"]]
        if row.ended:
            self.wrong.append(f"{run}: row {data['row']} ended twice")
        row.ended = True

    def _schedule_created(self, name: str, data: Mapping[str, Any], at: datetime) -> None:
        self.marks[f"stream schedule:{name}"].append(self.position)
        if data.get("active", True):
            self.active[name].append((at, None))

    def _schedule_activated(self, name: str, _data: Mapping[str, Any], at: datetime) -> None:
        self.active[name].append((at, None))

    def _schedule_inactivated(self, name: str, _data: Mapping[str, Any], at: datetime) -> None:
        since, until = self.active[name].pop()
        if until is not None:
            self.wrong.append(f"position {self.position}: schedule {name} was not active")
        self.active[name].append((since, at))

    def _schedule_described(self, _name: str, data: Mapping[str, Any], _at: datetime) -> None:
        self.marks[f"text {data['description']}"].append(self.position)

    def _schedule_run_opened(self, name: str, data: Mapping[str, Any], _at: datetime) -> None:
        if data["due"] is not None:
            self.answered[name].append((_instant(data["due"]), _instant(data["due"])))

    def _schedule_occurrences_skipped(self, name: str, data: Mapping[str, Any], _at: datetime) -> None:
        self.answered[name].append((_instant(data["first"]), _instant(data["last"])))

    _schedule_occurrences_missed = _schedule_occurrences_skipped

    def _service_added(self, name: str, _data: Mapping[str, Any], _at: datetime) -> None:
        self.marks[f"stream service:{name}"].append(self.position)

    def _service_configured(self, _name: str, data: Mapping[str, Any], _at: datetime) -> None:
        self.marks[f"text {data['name']}"].append(self.position)

    def _log_instance_resumed(self, _name: str, data: Mapping[str, Any], _at: datetime) -> None:
        self.resumed[data["instance"]] += 1

    def _log_clock_step_observed(self, _name: str, data: Mapping[str, Any], _at: datetime) -> None:
        self.stepped[data["instance"]] = _instant(data["reading"])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _next_on_grid(after: datetime, period: timedelta) -> datetime:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return begin + period * ((after - begin) // period + 1)
