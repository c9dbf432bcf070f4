"""Fields that several commands share."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import Field

from eventjobs.commands.context import Context, HandlerFacts
from eventjobs.commands.spec import CommandFields, Id, Name, RunId
from eventjobs.errors import Invalid, NotFound
from eventjobs.events.run import Ref
from eventjobs.events.service import AttemptPolicy, Backoff

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2200
CONFIG_BYTES_MAX: Final = 65_536

Duration = Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=366))]
"""An ISO 8601 duration, e.g. `PT1H`."""
Delivery = Literal["at_least_once", "at_most_once"]
Attempts = Annotated[int, Field(ge=1, le=100)]


class BackoffFields(CommandFields):
    """How the wait between attempts grows; `jitter` is the share of it drawn at random."""

    initial: Duration = timedelta(seconds=10)
    factor: Annotated[float, Field(ge=1, le=100)] = 2.0
    max: Duration = timedelta(minutes=10)
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.5


class ServiceFields(CommandFields):
    """What defines a service."""

    name: Name | None = None
    handler: Annotated[str, Field(min_length=1, max_length=64)]
    config: Mapping[str, Any] = {}
    delivery: Delivery | None = None
    attempts: Attempts = 1
    backoff: BackoffFields = BackoffFields()
    timeout: Duration | None = None
    wait_timeout: Duration = timedelta(hours=1)
    non_retryable: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=20)] = ()

    def policy(self, facts: HandlerFacts) -> AttemptPolicy:
        """The attempt policy, with the handler's own delivery where none is given."""
        return AttemptPolicy(
            delivery=self.delivery or facts.delivery,
            attempts=self.attempts,
            backoff=Backoff(
                initial_s=self.backoff.initial.total_seconds(),
                factor=self.backoff.factor,
                max_s=self.backoff.max.total_seconds(),
                jitter=self.backoff.jitter,
            ),
            timeout_s=None if self.timeout is None else self.timeout.total_seconds(),
            wait_timeout_s=self.wait_timeout.total_seconds(),
            non_retryable=self.non_retryable,
            interruption_counts=facts.interruption_counts,
        )


ServiceType = Annotated[
    str, Field(max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*(/[A-Za-z0-9][A-Za-z0-9 ._-]*){2}$")
]
"""A Connector/Module/Type (R85), e.g. `Vista/Jobs/Cache writer`."""


class JobRef(CommandFields):
    """A job by kind and id."""

    kind: Literal["service", "flow", "import", "export", "partner", "feed"]
    id: Id


class OwnerRef(CommandFields):
    """What a run belongs to: a schedule or a group, or for a single run the job itself."""

    kind: Literal["schedule", "group", "service", "flow", "import", "export", "partner", "feed"]
    id: Id

    def plain(self) -> Ref:
        """The same as facts name it."""
        return Ref(kind=self.kind, id=self.id)


class RunRef(CommandFields):
    """A run by id."""

    run: RunId


def handler_facts(fields: ServiceFields, context: Context) -> HandlerFacts:
    """Return the handler's facts; raises `Invalid` for an unknown handler or a configuration that it refuses."""
    facts = context.catalog.find(fields.handler)
    if facts is None:
        raise unknown_handler(fields.handler, context)
    check_size(fields.config)
    errors = context.catalog.problems(fields.handler, fields.config)
    if errors:
        raise Invalid.fields(errors)
    return facts


def unknown_handler(name: str, context: Context) -> Invalid:
    """The refusal of a handler that this installation does not have."""
    known = ", ".join(context.catalog.names())
    return Invalid.at("handler", "unknown_handler", f"there is no handler {name!r}; there are {known}")


def check_size(config: Mapping[str, Any]) -> None:
    """Raise `Invalid` `too_long` for a configuration that is too much: every run of every owner keeps a copy."""
    if len(orjson.dumps(config)) > CONFIG_BYTES_MAX:
        raise Invalid.at("config", "too_long", f"a configuration has at most {CONFIG_BYTES_MAX} bytes")


def check_instant(path: str, at: datetime) -> None:
    """Raise `Invalid` for an instant without its offset, or one that not every part of the system can hold."""
    if at.tzinfo is None:
        raise Invalid.at(path, "no_offset", "an instant needs its offset, e.g. Z")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise Invalid.at(path, "bad_instant", f"the year is from {FIRST_YEAR} to {LAST_YEAR}")


def no_such(kind: str, thing_id: str) -> NotFound:
    """The refusal for a thing that is not there, not any more, or another workspace's."""
    return NotFound("not_found", f"there is no {kind} {thing_id!r}")
