"""
Who is told of what: the matrix of modes and events (G64 to G70).

A run of a group is one event at its end, and those of its members inside it are none, unless the group wants them told
of as well (G65, G66). One that succeeded may be several at once: with rejected records, and after a failure; who wants
to know of any of them is told.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from eventjobs.domain.recipient import distinct
from eventjobs.domain.run import Row, Run, State
from eventjobs.events.connect import Notification
from eventjobs.events.schedule import AlertWebhook

PREFLIGHT: Final = "preflight_failed"


class Happened(StrEnum):
    """What somebody may want to know."""

    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    RECOVERED = "recovered"
    FAILED = "failed"
    NOT_STARTED = "not_started"
    STOPPED = "stopped"
    ABORTED = "aborted"
    NOT_RUN = "not_run"
    HOOK_FAILED = "hook_failed"
    EXPIRES = "expires"
    EXPIRED = "expired"


FAILURES: Final = frozenset(
    {Happened.FAILED, Happened.NOT_STARTED, Happened.ABORTED, Happened.NOT_RUN, Happened.HOOK_FAILED}
)
"""What counts as a failure: not what a person stopped (G69)."""
EXPIRY: Final = frozenset({Happened.EXPIRES, Happened.EXPIRED})
"""What is told in every mode (G61)."""
UNTOLD: Final = frozenset({"paused", "held"})
"""Why a moment did not run that a person wanted so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """Addresses, and where to post."""

    email: tuple[str, ...] = ()
    webhook: tuple[AlertWebhook, ...] = ()


NOBODY: Final = Recipients()


def recipients(notification: Notification, happened: Collection[Happened], owner: str | None = None) -> Recipients:
    """
    Return who is told that this happened.

    `failure_recipients` are told of failures besides. Of an expiry everybody is told who is listed, whatever the mode;
    with the mode `none` also `owner`, the address of who made it, where one is known.
    """
    if not any(_is_wanted(notification, one) for one in happened):
        return NOBODY
    listed = notification.recipients
    if not (FAILURES | EXPIRY).isdisjoint(happened):
        listed += notification.failure_recipients
    if notification.mode == "none" and owner is not None:
        listed += (owner,)
    return Recipients(email=distinct(listed), webhook=notification.webhooks)


def _is_wanted(notification: Notification, one: Happened) -> bool:
    if one in EXPIRY or notification.mode == "always":
        return True
    if notification.mode == "none":
        return False
    return (
        one in FAILURES
        or (one is Happened.REJECTED and notification.on_rejects)
        or (one is Happened.RECOVERED and notification.on_recovery)
    )


def how_it_ended(run: Run, *, recovered: bool) -> Collection[Happened]:
    """Return what the end of a run is; `recovered`: the one before it failed."""
    match run.state:
        case State.SUCCEEDED:
            rejected = any(row.counts.get("rejected") for row in run.rows.values())
            also = {Happened.REJECTED: rejected, Happened.RECOVERED: recovered}
            return {Happened.SUCCEEDED, *(one for one, is_so in also.items() if is_so)}
        case State.ABORTED:
            return {_stopped(run)}
        case _:
            started = all(row.reason != PREFLIGHT for row in run.rows.values())
            return {Happened.FAILED if started else Happened.NOT_STARTED}


def how_a_job_ended(run: Run, row: Row) -> Collection[Happened]:
    """Return what the end of one job of a group's run is, empty for one that did not run (G66)."""
    match row.state:
        case State.SUCCEEDED:
            return {Happened.SUCCEEDED, *([Happened.REJECTED] if row.counts.get("rejected") else [])}
        case State.FAILED:
            return {Happened.FAILED}
        case State.ABORTED:
            return {_stopped(run)}
        case _:
            return set()


def _stopped(run: Run) -> Happened:
    return Happened.ABORTED if run.displaced else Happened.STOPPED
