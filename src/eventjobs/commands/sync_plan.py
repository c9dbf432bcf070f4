"""
What a definition makes of one workspace: the jobs and schedules that it should have, in the shape of their facts.

Nothing is decided here about time; what cannot be made in this workspace is refused before anything is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from eventjobs.commands.context import Context
from eventjobs.commands.definition_fields import (
    DefinedFeature,
    DefinedJob,
    DefinedSchedule,
    DefinedService,
    DefinitionFields,
    configured,
    content_of,
    managed_id,
    under,
)
from eventjobs.commands.fields import handler_facts
from eventjobs.commands.world import World
from eventjobs.domain.integration import Integration, Status
from eventjobs.domain.streams import owner_stream
from eventjobs.errors import Conflict
from eventjobs.events.flow import FlowAdded
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import Ref
from eventjobs.events.service import JobOrigin, ServiceAdded


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSchedule:
    """A schedule that the workspace should have, the feature that it is of, and where the definition says it."""

    feature: str
    place: str
    defined: DefinedSchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPlan:
    """What a registration should manage by a version of its definition, by the ids in the workspace."""

    id: str
    version: int
    integration: Integration
    jobs: Mapping[Ref, DefinedJob]
    schedules: Mapping[str, WantedSchedule]
    content: DefinitionFields

    @property
    def wanted(self) -> frozenset[Ref]:
        """All that it should manage."""
        return frozenset((*self.jobs, *(Ref(kind="schedule", id=one) for one in self.schedules)))

    @property
    def gone(self) -> frozenset[Ref]:
        """What it manages and the definition has no more."""
        return self.integration.things - self.wanted

    def streams(self, workspace: str) -> list[StreamId]:
        """The streams of all things that the sync may change."""
        return [owner_stream(workspace, thing) for thing in sorted_refs(self.wanted | self.gone)]

    def job_facts(self, job: Ref, context: Context) -> ServiceAdded | FlowAdded:
        """Return a service or flow as it should be here, with what this workspace sets otherwise."""
        defined = self.jobs[job]
        fields = configured(defined, self.integration.configuration.get(defined.id, {}))
        with under(f"definition.{self.content.places[Ref(kind=job.kind, id=defined.id)]}"):
            facts = handler_facts(fields, context)
        origin = JobOrigin(
            integration=self.id, features=self.content.features_of(defined.id), definition_version=self.version
        )
        name, policy = fields.name or defined.id, fields.policy(facts)
        if isinstance(fields, DefinedService):
            return ServiceAdded(
                name=name, handler=fields.handler, config=fields.config, policy=policy, type=fields.type, origin=origin
            )
        return FlowAdded(
            name=name,
            trigger=fields.trigger,
            handler=fields.handler,
            config=fields.config,
            policy=policy,
            exclusive=fields.exclusive,
            active=fields.active,
            origin=origin,
        )


def plan_sync(world: World, context: Context, integration_id: str) -> SyncPlan:
    """
    Return what a registration should manage by the newest version of its definition.

    Of features that are off comes only what was here before. What is refused of it later stands under `definition` in
    the paths of the refusal. Raises `Conflict` `id_taken` where something else has one
    of its ids.
    """
    integration = world.integration(integration_id)
    definition = world.definition(integration.definition_workspace, integration_id)
    content = content_of(definition)
    used = [feature for feature in content.features if _is_used(integration, content, feature)]
    jobs = {
        Ref(kind=job.kind, id=managed_id(integration_id, job.id)): defined
        for job, defined in content.jobs.items()
        if any(job.id in feature.jobs for feature in used) or _is_here(integration, content.id, job.kind, job.id)
    }
    schedules = {
        managed_id(integration_id, schedule.id): WantedSchedule(
            feature=feature.id, place=f"definition.features.{place}.schedules.{number}", defined=schedule
        )
        for place, feature in enumerate(content.features)
        for number, schedule in enumerate(feature.schedules)
        if integration.status(feature.id) is not Status.OFF
        or _is_here(integration, content.id, "schedule", schedule.id)
    }
    plan = SyncPlan(
        id=integration_id,
        version=definition.version,
        integration=integration,
        jobs=jobs,
        schedules=schedules,
        content=content,
    )
    world.need(plan.streams(context.workspace))
    for thing in sorted_refs(plan.wanted - integration.things):
        present = world.state(owner_stream(context.workspace, thing))
        if present.exists and (present.origin is None or present.origin.integration != integration_id):
            raise Conflict(
                "id_taken", f"there is another {thing.kind} {thing.id!r}, which the integration does not manage"
            )
    return plan


def sorted_refs(things: frozenset[Ref]) -> list[Ref]:
    """Return references in a fixed order."""
    return sorted(things, key=lambda thing: (thing.kind, thing.id))


def _is_used(integration: Integration, content: DefinitionFields, feature: DefinedFeature) -> bool:
    """Whether a feature is on, or was: what is left of it goes on with the definition."""
    here = any(_is_here(integration, content.id, "schedule", schedule.id) for schedule in feature.schedules)
    return here or integration.status(feature.id) is not Status.OFF


def _is_here(integration: Integration, definition_id: str, kind: str, own_id: str) -> bool:
    return Ref(kind=kind, id=managed_id(definition_id, own_id)) in integration.things
