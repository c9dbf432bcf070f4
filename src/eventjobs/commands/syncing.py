"""
Bringing what a registration manages up to date with its definition: one append, all of it or nothing (R68 to R80).

What changes goes through the rules that a person's edits go through, so a sync may run schedules (R35), and what the
workspace overrode or deleted stays so (R73, R78).
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from eventjobs.commands.activity import switch_off, switch_on
from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.definition_fields import in_workspace, under
from eventjobs.commands.job_facts import FACTS, TURNS, attach, detach, refuse_taken
from eventjobs.commands.queueing import drop_all
from eventjobs.commands.restore_schedule import bring_back
from eventjobs.commands.schedule_fields import cadence_of, check, check_calendars, policies_of, rows_of, warn
from eventjobs.commands.sync_plan import SyncPlan, WantedSchedule, plan_sync, sorted_refs
from eventjobs.commands.workspace_room import refuse_too_many_schedules
from eventjobs.commands.world import World
from eventjobs.domain.edits import is_read_otherwise, on_cadence_changed
from eventjobs.domain.integration import Status
from eventjobs.domain.job import Job
from eventjobs.domain.overriding import merged, timing_in_force
from eventjobs.domain.owner import schedule_ref
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.streams import integration_stream, job_stream, schedule_stream
from eventjobs.events.cadence import Cadence, TimingState, Unit
from eventjobs.events.flow import FlowAdded
from eventjobs.events.integration import IntegrationSynced
from eventjobs.events.run import Ref
from eventjobs.events.schedule import (
    JobRow,
    ScheduleCreated,
    ScheduleDeleted,
    ScheduleJobsEdited,
    ScheduleOrigin,
    SchedulePolicies,
    ScheduleSynced,
)
from eventjobs.events.service import ServiceAdded


def sync(world: World, context: Context, integration_id: str, *, entered: str | None = None) -> None:
    """
    Bring a registration to the newest version of its definition.

    `entered` is a feature that has just come into another status. Raises `Rejected` where the workspace cannot take
    what the definition says.
    """
    plan = plan_sync(world, context, integration_id)
    _Syncing(world, context, plan, entered).run()


class _Syncing:
    """One sync while it is decided."""

    def __init__(self, world: World, context: Context, plan: SyncPlan, entered: str | None) -> None:
        self._world = world
        self._context = context
        self._plan = plan
        self._entered = entered

    def run(self) -> None:
        plan = self._plan
        gone = sorted_refs(plan.gone)
        for thing in gone:
            if thing.kind == "schedule":
                self._archive_schedule(thing.id)
        self._load_namesakes()
        for job in plan.jobs:
            self._job(job)
        for schedule_id, wanted in plan.schedules.items():
            self._schedule(schedule_id, wanted)
        refuse_too_many_schedules(self._world, self._context)
        jobs = [thing for thing in gone if thing.kind != "schedule"]
        users = (user for job in jobs for user in self._world.job(job).users)
        self._world.need(schedule_stream(self._context.workspace, user) for user in users)
        for job in jobs:
            self._archive_job(job)
        added = plan.wanted - plan.integration.things
        if added or gone or plan.integration.failed is not None or plan.integration.synced != plan.version:
            self._world.emit(
                integration_stream(self._context.workspace, plan.id),
                IntegrationSynced(version=plan.version, added=tuple(sorted_refs(added)), archived=tuple(gone)),
            )

    def _load_namesakes(self) -> None:
        """Load what may have the id of a new job, all at once: each load begins the decision again."""
        new = [job for job in self._plan.jobs if not self._world.job(job).exists]
        namesakes = (Ref(kind=kind, id=job.id) for job in new for kind in TURNS)
        self._world.need({job_stream(self._context.workspace, job) for job in namesakes})

    def _job(self, job: Ref) -> None:
        present, stream = self._world.job(job), job_stream(self._context.workspace, job)
        event = self._plan.job_facts(job, self._context)
        if not present.exists:
            refuse_taken(self._world, job)
            self._world.emit(stream, event)
            return
        if present.deleted and (job not in self._plan.integration.things or self._is_needed(job)):
            self._world.emit(stream, FACTS[job.kind].restored())
        if not _is_as(present, event):
            self._world.emit(stream, FACTS[job.kind].edited(**_fields(event)))

    def _is_needed(self, job: Ref) -> bool:
        """Whether a schedule that was not deleted here has a deleted job in its rows."""
        return any(
            row.job.id == job.id
            for schedule_id, wanted in self._plan.schedules.items()
            if not self._world.schedule(schedule_id).suppressed
            for row in in_workspace(self._plan.id, wanted.defined.jobs)
        )

    def _schedule(self, schedule_id: str, wanted: WantedSchedule) -> None:
        defined = wanted.defined
        with under(wanted.place):
            cadence = cadence_of(defined.cadence)
            policies = policies_of(defined.policies, cadence)
            check(cadence, policies, self._context)
            check_calendars(policies.calendars, self._world, self._context)
            jobs = rows_of(in_workspace(self._plan.id, defined.jobs), self._world, self._context)
        origin = ScheduleOrigin(
            integration=self._plan.id,
            feature=wanted.feature,
            definition_version=self._plan.version,
            cadence=cadence,
            timing=policies.timing.timing,
        )
        before = self._world.schedule(schedule_id).origin
        if not self._world.schedule(schedule_id).exists:
            self._create(schedule_id, defined.description, policies, jobs, origin)
        else:
            self._update(schedule_id, defined.description, policies, jobs, origin)
        if self._world.schedule(schedule_id).alive:
            moved = before is not None and before.feature != wanted.feature
            self._switch(schedule_id, wanted.feature, entered=moved or wanted.feature == self._entered)

    def _create(
        self,
        schedule_id: str,
        description: str,
        policies: SchedulePolicies,
        jobs: tuple[JobRow, ...],
        origin: ScheduleOrigin,
    ) -> None:
        self._world.emit(
            schedule_stream(self._context.workspace, schedule_id),
            ScheduleCreated(
                description=description,
                active=False,
                cadence=origin.cadence,
                policies=policies,
                jobs=jobs,
                cadence_version=1,
                timing=TimingState(),
                origin=origin,
            ),
        )
        self._attach(schedule_id, (), jobs)

    def _update(
        self,
        schedule_id: str,
        description: str,
        policies: SchedulePolicies,
        jobs: tuple[JobRow, ...],
        origin: ScheduleOrigin,
    ) -> None:
        world, stream = self._world, schedule_stream(self._context.workspace, schedule_id)
        present = world.schedule(schedule_id)
        if present.archived and not present.suppressed:
            bring_back(world, self._context, schedule_id)
            self._attach(schedule_id, (), present.jobs)
        cadence = merged(present.cadence, origin.cadence, present.overrides)
        policies = _read_with(policies, cadence, present, origin)
        same = (present.description, present.cadence, present.policies, present.jobs) == (
            description,
            cadence,
            policies,
            jobs,
        )
        if same and not present.archived and _says_the_same(present, origin):
            return
        if cadence.unit is not Unit.CRON and policies.timing.timing is not origin.timing:
            kept = f"{schedule_id!r} has a period of its own that cannot be read as {origin.timing}"
            world.warn("timing_kept", f"{kept}: it stays {policies.timing.timing} until that is cleared")
        settle_due(world, self._context, schedule_ref(schedule_id))
        present = world.schedule(schedule_id)
        world.emit(stream, self._synced(schedule_id, description, cadence, policies, jobs, origin))
        if present.alive:
            self._attach(schedule_id, present.jobs, jobs)
        settle_due(world, self._context, schedule_ref(schedule_id))

    def _synced(
        self,
        schedule_id: str,
        description: str,
        cadence: Cadence,
        policies: SchedulePolicies,
        jobs: tuple[JobRow, ...],
        origin: ScheduleOrigin,
    ) -> ScheduleSynced:
        """Return the one fact of all that changed: several tightenings run at most once (R33)."""
        present = self._world.schedule(schedule_id)
        timing, following, version = present.timing, present.next, present.cadence_version
        if cadence != present.cadence or is_read_otherwise(present.policies.timing, policies.timing):
            decision = on_cadence_changed(
                present.cadence,
                present.policies.timing,
                cadence,
                policies.timing,
                state=timing,
                next_due=following,
                now=self._context.now,
                active=present.active,
            )
            timing, following, version = decision.state, decision.next, version + 1
            warn(decision.notes, self._world)
        return ScheduleSynced(
            origin=origin,
            description=description,
            cadence=cadence,
            policies=policies,
            jobs=jobs,
            cadence_version=version,
            timing=timing,
            next=following,
        )

    def _switch(self, schedule_id: str, feature: str, *, entered: bool) -> None:
        """
        Make the activity follow the feature; a local switch survives a plain sync and no status change (R77).

        `entered` says that the schedule is new in the status: the feature came into it, or the schedule to the feature.
        """
        integration = self._world.integration(self._plan.id)
        if integration.runs_by_itself(feature):
            switch_on(self._world, self._context, schedule_id, cause="feature")
        elif not integration.active:
            switch_off(self._world, self._context, schedule_id, cause="integration")
        elif entered or integration.status(feature) is Status.OFF:
            switch_off(self._world, self._context, schedule_id, cause="feature")

    def _archive_schedule(self, schedule_id: str) -> None:
        world, present = self._world, self._world.schedule(schedule_id)
        settle_due(world, self._context, schedule_ref(schedule_id))
        drop_all(world, self._context, schedule_ref(schedule_id), "inactive")
        world.emit(schedule_stream(self._context.workspace, schedule_id), ScheduleDeleted(cause="archived"))
        if present.alive:
            self._attach(schedule_id, present.jobs, ())

    def _archive_job(self, job: Ref) -> None:
        """Take a job out of the workspace's own schedules, then out of the lists (R80)."""
        world, present = self._world, self._world.job(job)
        for user in sorted(present.users):
            self._drop_rows(user, job)
        if not present.deleted:
            world.emit(job_stream(self._context.workspace, job), FACTS[job.kind].deleted())

    def _drop_rows(self, schedule_id: str, job: Ref) -> None:
        world, stream = self._world, schedule_stream(self._context.workspace, schedule_id)
        settle_due(world, self._context, schedule_ref(schedule_id))
        present = world.schedule(schedule_id)
        left = tuple(row for row in present.jobs if row.job != job)
        world.emit(stream, ScheduleJobsEdited(jobs=left))
        self._attach(schedule_id, present.jobs, left)
        world.warn("job_removed", f"the workspace's schedule {schedule_id!r} loses the job {job.id!r}", "jobs")
        if not left:
            switch_off(world, self._context, schedule_id, cause="no_jobs")

    def _attach(self, schedule_id: str, before: Iterable[JobRow], after: Iterable[JobRow]) -> None:
        old, new = {row.job for row in before}, {row.job for row in after}
        attach(self._world, self._context, schedule_id, new - old)
        detach(self._world, self._context, schedule_id, old - new)


def _is_as(present: Job, event: ServiceAdded | FlowAdded) -> bool:
    """Tell whether a job is what it should be; a version that changed nothing else of it is worth no fact."""
    wanted = _fields(event)
    features = None if present.origin is None else present.origin.features
    return features == wanted.pop("origin").features and all(getattr(present, one) == wanted[one] for one in wanted)


def _fields(event: ServiceAdded | FlowAdded) -> dict[str, Any]:
    return {field.name: getattr(event, field.name) for field in fields(event)}


def _read_with(
    policies: SchedulePolicies, cadence: Cadence, present: Schedule, origin: ScheduleOrigin
) -> SchedulePolicies:
    """Return a definition's policies with a timing that goes with the cadence, also where that is overridden (R73)."""
    own = present.policies.timing.timing
    timing = timing_in_force(cadence, origin.timing, present.cadence, own)
    return replace(policies, timing=replace(policies.timing, timing=timing))


def _says_the_same(present: Schedule, origin: ScheduleOrigin) -> bool:
    """Tell whether nothing of an origin is worth a fact: a version that changed nothing else of a schedule is not."""
    known = present.origin
    if known is None or (known.feature, known.cadence) != (origin.feature, origin.cadence):
        return False
    return known.timing is origin.timing or (known.timing is None and not present.overrides)
