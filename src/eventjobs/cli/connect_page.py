"""The tabs of the Manage Connect page as text for people, and what they are filtered by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final, Literal

from cyclopts import Parameter

from eventjobs.audit.sentences.words import many
from eventjobs.cli.output import say, table, text_of
from eventjobs.cli.pages import tell_as_of, tell_more

Document = Mapping[str, Any]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which rows of a tab; each tab takes its own of these, and refuses the others."""

    q: Annotated[str | None, Parameter(help="only what has this text in its id, name or description")] = None
    state: Annotated[str | None, Parameter(help="only what is in this state")] = None
    kind: Annotated[str | None, Parameter(help="only jobs of this kind, e.g. import")] = None
    schedule_type: Annotated[str | None, Parameter(help="only with such a schedule, e.g. daily")] = None
    running: Annotated[bool | None, Parameter(help="only what runs, or does not")] = None
    expiring: Annotated[bool | None, Parameter(help="only what has seven days left at most, or more")] = None
    invalid: Annotated[bool | None, Parameter(help="only active groups that would not be activated as they are")] = None
    grouped: Annotated[bool | None, Parameter(help="only jobs that are in a group, or in none")] = None
    qualified: Annotated[bool | None, Parameter(help="only candidates that may be in a group, or may not")] = None
    group: Annotated[str | None, Parameter(help="only of this group, or candidates for it")] = None
    job: Annotated[str | None, Parameter(help="only runs of this job")] = None
    trigger: Annotated[str | None, Parameter(help="only runs that began so: scheduled, catch_up or manual")] = None
    since: Annotated[str | None, Parameter(help="only what ended at this instant or later")] = None
    until: Annotated[str | None, Parameter(help="only what ended before this instant")] = None
    order: Annotated[Literal["name", "next_run"] | None, Parameter(help="by what they stand")] = None

    def asked(self) -> Mapping[str, str | None]:
        """Return them as the service is asked."""
        return {name: str(value).lower() if isinstance(value, bool) else value for name, value in asdict(self).items()}


TABS: Final[Mapping[str, tuple[Sequence[str], Callable[[Document], Sequence[object]]]]] = {
    "group-jobs": (
        ("group", "status", "runs", "jobs", "next run", "last run", "expires on", "left", "told", "marks", "name"),
        lambda group: (
            group["id"],
            _status(group),
            group["schedule"]["describe"],
            len(group["jobs"]),
            _next(group),
            _ended(group["last_run"]),
            group["expires_on"] or "never",
            _left(group),
            group["notification"]["mode"],
            [mark["code"] for mark in (*group["invalid"], *group["warnings"])],
            group["name"],
        ),
    ),
    "all-jobs": (
        ("job", "kind", "state", "running", "runs", "next run", "last result", "group", "expires on", "marks", "name"),
        lambda job: (
            job["id"],
            job["kind"],
            job["state"],
            job["running"],
            job["schedule"]["describe"],
            _next(job),
            _ended(job["last_result"]),
            None if job["group"] is None else job["group"]["id"],
            job["expires_on"] or "never",
            [mark["code"] for mark in (*job["errors"], *job["warnings"])],
            job["name"],
        ),
    ),
    "completed-jobs": (
        ("run", "job", "state", "started", "took", "counts", "error", "group", "place", "trigger"),
        lambda done: (
            done["run"],
            f"{done['job']['kind']}/{done['job']['id']}",
            f"{done['state']} ({done['reason']})" if done["reason"] else done["state"],
            done["started_at"],
            None if done["duration_s"] is None else f"{done['duration_s']:.0f} s",
            done["counts"],
            done["error"],
            None if done["group"] is None else done["group"]["id"],
            done["position"],
            done["trigger"],
        ),
    ),
    "group-candidates": (
        ("job", "kind", "state", "qualified", "reasons", "group", "name"),
        lambda job: (
            job["id"],
            job["kind"],
            job["state"],
            job["qualified"],
            job["reasons"],
            job["group"],
            job["name"],
        ),
    ),
}
"""What is shown of each tab, and the row of an item."""


def tell_tab(tab: str, document: Document) -> None:
    """Print a tab, one item a line."""
    tell_as_of(document)
    columns, row = TABS[tab]
    if not document["items"]:
        say("None.")
        return
    table(columns, map(row, document["items"]))
    tell_more(document)


def _status(group: Document) -> str:
    at = group["current_job"]
    return f"{group['status']}, job {at['place']} of {at['of']}" if at else str(group["status"])


def _next(owner: Document) -> str | None:
    coming = owner["next_run"]
    return None if coming is None else f"{text_of(coming['due'])} ({coming['window']} {coming['zone']})"


def _ended(last: Document | None) -> str | None:
    return None if last is None else f"{last['state']}, {text_of(last['ended_at'])}"


def _left(group: Document) -> str | None:
    if group["days_left"] is None:
        return None
    runs = "" if group["runs_left"] is None else f", {many(group['runs_left'], 'run')}"
    return f"{many(group['days_left'], 'day')}{runs}"
