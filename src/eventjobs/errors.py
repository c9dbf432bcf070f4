"""
What can go wrong, as one tree.

    Rejected                   a command was understood and refused; nothing was written
    ├── Invalid                its fields are wrong (422); `errors` says which
    ├── NotFound               no such thing, or another workspace's (404)
    ├── Conflict               the state forbids it (409)
    ├── Forbidden              the actor's roles do not allow it (403)
    └── Stale                  If-Match names an older definition (412)
    LogFault                   the log could not be written or read
    ├── VersionConflict        a stream is not at the expected version; decide again
    ├── Overtaken              the instant has come until which a decision held; decide again
    ├── LogUnavailable         nothing was written (503, outcome none)
    ├── LogFull                nothing was written, the disk is full (507)
    ├── OutcomeUnknown         it may or may not have been written (503, outcome unknown)
    └── ForkedHistory          the log's chain is not the one that was read before
    DatabaseFault              the database cannot be used as it is; the message says what to do
    ├── EmbeddedUnavailable    the private Postgres cannot be run here
    ├── MigrationRefused       the schema is not one that this version may change
    ├── WrongRole              a connection does not have the application's role
    ├── RebuildRefused         a view could not be built again; the old one still answers
    └── UnsafeDatabase         it may lose what it acknowledged, and nobody agreed to that
    SettingsInvalid            settings are missing or wrong; the message names all of them
    JobFailed                  a job's handler did not reach its end; `reason` says why
    ├── FileMissing            a file is not there; it may still come
    └── BadSource              what it was to load is itself at fault
    CliFault                   the command line cannot be carried out
    ├── UsageWrong             it was written wrongly
    ├── ServiceRefused         the service answered no; `problem` is its answer
    ├── ServiceUnreachable     the service did not answer
    └── Interrupted            a signal ended it before it was done
    SimulationStuck            in a simulation nothing is left that could still happen, and somebody waits for it
    AddressRefused, NotPlain   turns inside a handler, which ends them as `JobFailed` or goes another way

`code` is a stable name that clients may rely on. Callers' concerns (HTTP statuses, exit codes) live at the edges.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: `path` as dotted names (`cadence.every`), a stable `code`, and a sentence."""

    path: str
    code: str
    detail: str


class Rejected(Exception):
    """
    A command refused by a rule.

    `code` is stable, `detail` is a sentence for people, `extra` is the way out where there is one (`open_run`,
    `users`, `version`).
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.extra: Mapping[str, Any] = extra or {}


class Invalid(Rejected):
    """Fields are wrong. The top-level code is that of the first field error."""

    @classmethod
    def fields(cls, errors: Sequence[FieldError]) -> "Invalid":
        """Refuse with every wrong field at once."""
        return cls(errors[0].code, errors[0].detail, errors=errors)

    @classmethod
    def at(cls, path: str, code: str, detail: str) -> "Invalid":
        """Refuse one field."""
        return cls.fields([FieldError(path, code, detail)])


class NotFound(Rejected):
    """There is no such thing for this caller."""


class Conflict(Rejected):
    """The state forbids it now."""


class Forbidden(Rejected):
    """The actor's roles do not allow it."""


class Stale(Rejected):
    """The caller decided on an older definition version."""


class LogFault(Exception):
    """The log could not do what was asked."""


class VersionConflict(LogFault):
    """`stream` is at version `actual`, not at `expected`; nothing of the append was written."""

    def __init__(self, stream: object, expected: int, actual: int) -> None:
        super().__init__(f"{stream} is at version {actual}, expected {expected}")
        self.stream = stream
        self.expected = expected
        self.actual = actual


class Overtaken(LogFault):
    """It is `now`, and the decision held only before that instant; nothing of the append was written, decide again."""

    def __init__(self, now: datetime) -> None:
        super().__init__(f"the decision held only until before {now.isoformat()}")
        self.now = now


class LogUnavailable(LogFault):
    """The log cannot be written or read now, and nothing was written."""


class LogFull(LogFault):
    """The log's disk is full; nothing was written."""


class OutcomeUnknown(LogFault):
    """The link was lost around a commit: the append may or may not be in the log."""


class ForkedHistory(LogFault):
    """The chain value at a position differs from the one read before: a history was lost and written again."""


class UnknownEvent(LogFault):
    """An event's type or schema is not known to this version; nobody may skip it."""


class AddressRefused(OSError):
    """An outbound call may not go there; an `OSError`, as which it passes through the HTTP client."""


class NotPlain(Exception):
    """A source holds something that a bulk copy would misread; it has to be taken apart record by record."""


class JobFailed(Exception):
    """
    A job's attempt failed for a reason that its handler knows.

    `reason` is one of the run's reasons (`error`, `stop_step`, `timeout`, `reject_threshold`, `count_mismatch` …),
    `detail` a sentence for people; `counts` and `output` are what was done until then. A failure that another attempt
    cannot change is not `retryable`.
    """

    def __init__(
        self,
        detail: str,
        *,
        reason: str = "error",
        counts: Mapping[str, int] | None = None,
        output: Any = None,
        retryable: bool = True,
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.counts: Mapping[str, int] = counts or {}
        self.output = output
        self.retryable = retryable


class FileMissing(JobFailed):
    """A file is not there. It may still come, so another attempt makes sense."""


class BadSource(JobFailed):
    """
    What a job was to load is itself at fault: empty, unreadable, with too many rejects, or not what its count says.

    Another attempt on it cannot help, and G82 lets an import do away with it.
    """

    def __init__(
        self, detail: str, *, reason: str = "error", counts: Mapping[str, int] | None = None, output: Any = None
    ) -> None:
        super().__init__(detail, reason=reason, counts=counts, output=output, retryable=False)


class DatabaseFault(Exception):
    """The database cannot be used as it is; the message says what to do about it."""


class EmbeddedUnavailable(DatabaseFault):
    """The private Postgres cannot be run on this machine, or not by this account."""


class MigrationRefused(DatabaseFault):
    """The schema is not one that this version may change."""


class WrongRole(DatabaseFault):
    """A connection did not get the role it was meant to have."""


class RebuildRefused(DatabaseFault):
    """A view could not be built again; the message says why, and the old one still answers."""


class CopyRefused(DatabaseFault):
    """A database could not be copied to a file, or a file not into a database; the message says why."""


class UnsafeDatabase(DatabaseFault):
    """The server's settings allow it to lose what it acknowledged."""


class SettingsInvalid(Exception):
    """One or more settings are wrong; the message names all of them."""


class SimulationStuck(Exception):
    """On virtual time everybody waits, and there is no timer left: nothing will ever happen again."""


class CliFault(Exception):
    """The command line cannot be carried out."""


class UsageWrong(CliFault):
    """It was written wrongly; the message says how it is written."""


class ServiceRefused(CliFault):
    """The service answered no; `problem` is its `application/problem+json`."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or "refused"))
        self.problem = problem


class ServiceUnreachable(CliFault):
    """Nobody answered, or not like this service."""


class Interrupted(CliFault):
    """A signal ended it before it was done; what was begun was undone."""
