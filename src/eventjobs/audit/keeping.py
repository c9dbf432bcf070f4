"""A ledger as JSON and back, so that an audit can go on in another process."""

import hashlib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import orjson
from pydantic import TypeAdapter

from eventjobs.audit import (
    acts,
    answers,
    awaited,
    comparing,
    findings,
    following,
    in_order,
    liveness,
    members,
    occurrences,
    owners,
    rule,
    settled,
    slot_rule,
    steps,
    versions,
)
from eventjobs.audit.findings import Finding, Found, Kind, Suspect
from eventjobs.audit.in_order import Standing
from eventjobs.audit.occurrences import Ledger
from eventjobs.audit.owners import Kept
from eventjobs.audit.versions import Versions
from eventjobs.commands.snapshots import code_version
from eventjobs.domain import blackouts, calendar, spread, workspace
from eventjobs.domain.calendar import Calendar
from eventjobs.domain.streams import OWNER_FOLDS
from eventjobs.domain.workspace import Workspace
from eventjobs.domain.zones import zone_data
from eventjobs.events.recorded import StreamId
from eventjobs.events.service import Turn

_SOURCES: Final = (
    acts,
    answers,
    awaited,
    blackouts,
    calendar,
    comparing,
    findings,
    following,
    in_order,
    liveness,
    members,
    occurrences,
    owners,
    rule,
    settled,
    slot_rule,
    spread,
    steps,
    versions,
    workspace,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """
    What a ledger keeps besides its owners.

    `behind_s` is how far a clock that went back has to catch up, `leaps` when it was lately seen to be set forward, and
    by how much; `runs` are the open runs of groups.
    """

    position: int
    workspaces: Mapping[str, Workspace]
    calendars: Mapping[str, dict[str, Calendar]]
    findings: tuple[Finding, ...]
    suspects: tuple[Suspect, ...]
    found: int
    kinds: Mapping[Kind, int]
    outcomes: Mapping[str, int]
    steps: int
    not_checked: Mapping[str, int]
    since: datetime | None
    at: datetime | None
    is_told: bool
    behind_s: float
    leaps: tuple[tuple[datetime, timedelta], ...]
    runs: Mapping[str, Mapping[str, Standing]]
    versions: Versions


_COMMON: Final = TypeAdapter(Common)


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    state: Any = type(OWNER_FOLDS[kind].initial)
    return TypeAdapter(tuple[state, datetime | None, str | None, Turn | None])


@cache
def ledger_version() -> str:
    """A name for the code that audits, and for its zone data: what another one kept is of no use."""
    text = "".join([code_version(), zone_data(), *(inspect.getsource(module) for module in _SOURCES)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def common_of(ledger: Ledger) -> bytes:
    """Write what a ledger keeps besides its owners; between two commands only."""
    lively = ledger.liveness
    common = Common(
        position=ledger.position,
        workspaces=ledger.owners.workspaces,
        calendars=ledger.owners.calendars,
        findings=tuple(ledger.findings),
        suspects=tuple(ledger.suspects),
        found=ledger.found,
        kinds=ledger.kinds,
        outcomes=ledger.outcomes,
        steps=ledger.steps,
        not_checked=ledger.not_checked,
        since=lively.since,
        at=lively.at,
        is_told=lively.is_told,
        behind_s=lively.behind.total_seconds(),
        leaps=lively.leaps,
        runs=ledger.runs.open,
        versions=ledger.versions,
    )
    return orjson.dumps(common, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def owners_of(ledger: Ledger, streams: Iterable[StreamId]) -> Mapping[StreamId, bytes]:
    """Write these owners."""
    known = ledger.owners.known
    return {stream: _written(known[stream]) for stream in streams}


def _written(owner: Kept) -> bytes:
    return orjson.dumps((owner.state, owner.last, owner.group, owner.holder), default=_plain)


def found_by(common: bytes) -> Found:
    """Return what the ledger that was written had found; raises `ValueError` for what it cannot read."""
    kept = _COMMON.validate_json(common)
    return Found(
        position=kept.position,
        at=kept.at,
        found=kept.found,
        kinds=kept.kinds,
        occurrences=kept.outcomes,
        steps=kept.steps,
        findings=kept.findings,
    )


def ledger_from(common: bytes) -> Ledger:
    """
    Make a ledger that goes on where the one that was written stood, once it has its owners (`put_owners`).

    Raises `ValueError` for what it cannot read, and so does `put_owners`.
    """
    kept = _COMMON.validate_json(common)
    ledger = Ledger()
    ledger.position = kept.position
    ledger.owners.workspaces.update(kept.workspaces)
    ledger.owners.calendars.update(kept.calendars)
    ledger.findings.extend(kept.findings)
    ledger.suspects.extend(kept.suspects)
    ledger.found, ledger.steps = kept.found, kept.steps
    ledger.kinds.update(kept.kinds)
    ledger.outcomes.update(kept.outcomes)
    ledger.not_checked.update(kept.not_checked)
    lively = ledger.liveness
    lively.since, lively.at, lively.is_told = kept.since, kept.at, kept.is_told
    lively.behind = timedelta(seconds=kept.behind_s)
    lively.leaps = kept.leaps
    ledger.versions = kept.versions
    ledger.runs.open.update({workspace: dict(runs) for workspace, runs in kept.runs.items()})
    return ledger


def put_owners(ledger: Ledger, written: Iterable[tuple[StreamId, bytes]]) -> None:
    """Give a ledger these owners, as they were written."""
    for stream, text in written:
        owner = ledger.owners.known[stream] = Kept(*_adapter(stream.kind).validate_json(text))
        ledger.awaited.note(stream, owner.awaits)


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, frozenset)):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} is not JSON")
