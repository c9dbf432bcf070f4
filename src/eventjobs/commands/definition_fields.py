"""
What a definition says: services, flows, and features with their schedules, by ids that are its own.

In a workspace each of them has the id `<definition>.<its own id>`. The stored content is what was sent, and the same
model reads it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from typing import Annotated, Any, Final, Literal, TypeAlias

import orjson
from pydantic import Field

from eventjobs.commands.context import Context
from eventjobs.commands.fields import ServiceFields, ServiceType, handler_facts
from eventjobs.commands.flow_fields import FlowFields
from eventjobs.commands.schedule_fields import (
    CadenceFields,
    JobFields,
    Jobs,
    PolicyFields,
    cadence_of,
    check,
    numbered,
    policies_of,
)
from eventjobs.commands.spec import CommandFields, Id, Name, Text
from eventjobs.domain.definition import Definition
from eventjobs.domain.flow import Trigger
from eventjobs.errors import Conflict, FieldError, Invalid
from eventjobs.events.run import Ref
from eventjobs.ids import is_id

FEATURES_MAX: Final = 200
JOBS_MAX: Final = 1_000
SCHEDULES_MAX: Final = 1_000


class DefinedSchedule(CommandFields):
    """A schedule of a feature; its jobs are named by their ids in the definition."""

    id: Id
    description: Text = ""
    cadence: CadenceFields
    jobs: Jobs
    policies: Annotated[PolicyFields, Field(default_factory=PolicyFields)]


class DefinedService(ServiceFields):
    """A service; several features may use it (R86)."""

    id: Id
    type: ServiceType | None = None


class DefinedFlow(FlowFields):
    """A flow; several features may use it."""

    id: Id


DefinedJob: TypeAlias = DefinedService | DefinedFlow


class DefinedFeature(CommandFields):
    """
    What a workspace switches on or off as a whole.

    `lifecycle` informs people and changes nothing (R55). The jobs of its schedules are its own without being named.
    """

    id: Id
    name: Name | None = None
    description: Text = ""
    lifecycle: Literal["under_construction", "active", "deprecated", "archived"] = "under_construction"
    services: Annotated[tuple[Id, ...], Field(max_length=JOBS_MAX)] = ()
    flows: Annotated[tuple[Id, ...], Field(max_length=JOBS_MAX)] = ()
    schedules: Annotated[tuple[DefinedSchedule, ...], Field(max_length=SCHEDULES_MAX)] = ()

    @cached_property
    def jobs(self) -> frozenset[str]:
        """The services and flows that it names, and those of its schedules."""
        named = (*self.services, *self.flows)
        return frozenset((*named, *(row.job.id for schedule in self.schedules for row in schedule.jobs)))


class DefinitionFields(CommandFields):
    """A definition, whole."""

    id: Id
    name: Name | None = None
    description: Text = ""
    services: Annotated[tuple[DefinedService, ...], Field(max_length=JOBS_MAX)] = ()
    flows: Annotated[tuple[DefinedFlow, ...], Field(max_length=JOBS_MAX)] = ()
    features: Annotated[tuple[DefinedFeature, ...], Field(min_length=1, max_length=FEATURES_MAX)]

    def feature(self, feature_id: str) -> DefinedFeature | None:
        """The feature of that id."""
        return next((feature for feature in self.features if feature.id == feature_id), None)

    def features_of(self, job_id: str) -> tuple[str, ...]:
        """The features that use a service or a flow."""
        return tuple(feature.id for feature in self.features if job_id in feature.jobs)

    @cached_property
    def jobs(self) -> Mapping[Ref, DefinedJob]:
        """Services and flows by kind and id."""
        flows = {Ref(kind="flow", id=flow.id): flow for flow in self.flows}
        return {**{Ref(kind="service", id=service.id): service for service in self.services}, **flows}

    @cached_property
    def places(self) -> Mapping[Ref, str]:
        """Where each of its jobs stands in the document."""
        services = {Ref(kind="service", id=one.id): f"services.{place}" for place, one in enumerate(self.services)}
        return {**services, **{Ref(kind="flow", id=one.id): f"flows.{place}" for place, one in enumerate(self.flows)}}


def managed_id(definition_id: str, own_id: str) -> str:
    """The id that a thing of a definition has in a workspace."""
    return f"{definition_id}.{own_id}"


def content_of(definition: Definition) -> DefinitionFields:
    """Return what a definition's newest version says."""
    return _read(orjson.dumps(definition.content))


@lru_cache(maxsize=16)
def _read(content: bytes) -> DefinitionFields:
    return DefinitionFields.model_validate_json(content)


def configured(defined: DefinedJob, own: Mapping[str, Any]) -> DefinedJob:
    """Return a service or flow with what a workspace sets otherwise in its configuration."""
    return defined.model_copy(update={"config": {**defined.config, **own}})


def refuse_archived(feature: DefinedFeature | None) -> None:
    """Raise `Conflict` `feature_archived` for one that no workspace puts into use any more (R66)."""
    if feature is not None and feature.lifecycle == "archived":
        raise Conflict("feature_archived", f"the feature {feature.id!r} is archived in the definition")


def stored(fields: DefinitionFields) -> Mapping[str, Any]:
    """Return the content as the log keeps it: what was sent, without what was left out."""
    return fields.model_dump(mode="json", exclude_unset=True, include=set(DefinitionFields.model_fields))


def check_definition(fields: DefinitionFields, context: Context) -> None:
    """Raise `Invalid` for the first part of a definition that no workspace could take."""
    number = sum(len(feature.schedules) for feature in fields.features)
    if number > SCHEDULES_MAX:
        detail = f"a definition has at most {SCHEDULES_MAX:,} schedules, and these are {number:,}"
        raise Invalid.at("features", "too_many", detail)
    _check_ids(fields)
    for path, jobs in (("services", fields.services), ("flows", fields.flows)):
        for place, job in enumerate(jobs):
            with under(f"{path}.{place}"):
                handler_facts(job, context)
    for place, feature in enumerate(fields.features):
        for number, schedule in enumerate(feature.schedules):
            with under(f"features.{place}.schedules.{number}"):
                cadence = cadence_of(schedule.cadence)
                check(cadence, policies_of(schedule.policies, cadence), context)
                numbered(schedule.jobs, context, partial(_problems, fields))


def _problems(fields: DefinitionFields, path: str, job: Ref) -> Sequence[FieldError]:
    defined = fields.jobs.get(job)
    if defined is None:
        return [FieldError(path, "unknown_job", f"the definition has no {job.kind} {job.id!r}")]
    if isinstance(defined, DefinedFlow) and Trigger(defined.trigger) is not Trigger.ON_DEMAND:
        return [FieldError(path, "flow_not_on_demand", f"{job.id!r} is started by {defined.trigger}, not on demand")]
    return ()


def _check_ids(fields: DefinitionFields) -> None:
    services, flows = [service.id for service in fields.services], [flow.id for flow in fields.flows]
    errors = [
        *_wrong_ids(fields.id, "services", services),
        *_wrong_ids(fields.id, "flows", flows, services),
        *_doubles("features", [feature.id for feature in fields.features]),
    ]
    known_services, known_flows = frozenset(services), frozenset(flows)
    seen: set[str] = set()
    for place, feature in enumerate(fields.features):
        path = f"features.{place}"
        ids = [schedule.id for schedule in feature.schedules]
        errors += _wrong_ids(fields.id, f"{path}.schedules", ids, seen)
        seen.update(ids)
        errors += _unknown(f"{path}.services", feature.services, known_services)
        errors += _unknown(f"{path}.flows", feature.flows, known_flows)
    if errors:
        raise Invalid.fields(errors)


def _unknown(path: str, named: Sequence[str], known: frozenset[str]) -> Iterator[FieldError]:
    for place, one in enumerate(named):
        if one not in known:
            yield FieldError(f"{path}.{place}", "unknown_job", f"the definition has no {one!r} of this kind")


def _wrong_ids(definition_id: str, path: str, ids: Sequence[str], seen: Iterable[str] = ()) -> Iterator[FieldError]:
    yield from _doubles(path, ids, seen)
    for place, one in enumerate(ids):
        if not is_id(managed_id(definition_id, one)):
            what = f"{managed_id(definition_id, one)!r}, its id in a workspace, has more than 64 characters"
            yield FieldError(f"{path}.{place}.id", "too_long", what)


def _doubles(path: str, ids: Sequence[str], seen: Iterable[str] = ()) -> Iterator[FieldError]:
    known = set(seen)
    for place, one in enumerate(ids):
        if one in known:
            yield FieldError(f"{path}.{place}.id", "duplicate_id", f"{one!r} is there already")
        known.add(one)


@contextmanager
def under(path: str) -> Iterator[None]:
    """Say of what is wrong inside where it stands."""
    try:
        yield
    except Invalid as invalid:
        raise Invalid.fields([replace(one, path=f"{path}.{one.path}") for one in invalid.errors]) from None


def in_workspace(definition_id: str, jobs: Sequence[JobFields]) -> tuple[JobFields, ...]:
    """Return rows with the ids that their jobs have in a workspace."""
    return tuple(
        row.model_copy(update={"job": row.job.model_copy(update={"id": managed_id(definition_id, row.job.id)})})
        for row in jobs
    )
