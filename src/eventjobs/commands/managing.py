"""What a workspace may not do with what an integration manages, and what it is told (R60 to R63, R76, R81)."""

from collections.abc import Iterator
from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.world import World
from eventjobs.domain.integration import Status, foremost
from eventjobs.domain.job import Job
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.streams import integration_stream
from eventjobs.errors import Conflict, Invalid

CUSTOMER: Final = "customer"


def managed_by(what: str, integration: str) -> Conflict:
    """The refusal of what only the definition may change (R76, R87)."""
    detail = f"{what} comes from the integration {integration!r}: change its definition, then sync"
    return Conflict("managed_by_integration", detail, extra={"integration": integration})


def refuse_managed(thing: Schedule | Job, what: str) -> None:
    """Raise `managed_by` for what an integration manages."""
    if thing.origin is not None:
        raise managed_by(what, thing.origin.integration)


def refuse_reserved(thing_id: str, world: World, context: Context) -> None:
    """Raise `Invalid` for an id that begins like those of a registered integration's things."""
    prefixes = list(_prefixes(thing_id))
    world.need(integration_stream(context.workspace, prefix) for prefix in prefixes)
    for prefix in prefixes:
        if world.integration(prefix).exists:
            raise Invalid.at("id", "reserved_id", f"ids that begin with {prefix}. belong to the integration {prefix!r}")


def _prefixes(thing_id: str) -> Iterator[str]:
    parts = thing_id.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length])


def off(integration: str, feature: str, status: str) -> Conflict | None:
    """The refusal of a run where the feature is not used (R52)."""
    if status != Status.OFF:
        return None
    extra = {"integration": integration, "feature": feature}
    return Conflict("feature_off", f"the feature {feature!r} is off", extra=extra)


def not_switched_here(integration: str, feature: str, status: str, *, active: bool) -> Conflict | None:
    """The refusal of a switch by hand where the activity is the feature's (R60), or the integration's (R67)."""
    refusal = off(integration, feature, status)
    if refusal is not None:
        return refusal
    if not active:
        detail = f"the integration {integration!r} is inactive"
        return Conflict("integration_inactive", detail, extra={"integration": integration})
    if status == Status.ACTIVE:
        detail = f"the feature {feature!r} is active, and its schedules with it"
        extra = {"integration": integration, "feature": feature}
        return Conflict("activity_managed_by_feature", detail, extra=extra)
    return None


def refuse_set_by_feature(schedule: Schedule, world: World) -> None:
    """Raise `not_switched_here` where a schedule has no switch of its own."""
    if schedule.origin is not None:
        name, feature = schedule.origin.integration, schedule.origin.feature
        integration = world.integration(name)
        _refuse(not_switched_here(name, feature, integration.status(feature), active=integration.active))


def refuse_off(schedule: Schedule, world: World) -> None:
    """Raise `off` where the feature of a schedule is not used here."""
    if schedule.origin is not None:
        name, feature = schedule.origin.integration, schedule.origin.feature
        _refuse(off(name, feature, world.integration(name).status(feature)))


def refuse_job_off(job: Job, world: World) -> None:
    """Raise `off` where none of the features that a job is of is used here; one of no feature may be run."""
    origin = job.origin
    if origin is None or not origin.features:
        return
    statuses = [world.integration(origin.integration).status(feature) for feature in origin.features]
    _refuse(off(origin.integration, origin.features[0], foremost(statuses) or Status.OFF))


def is_off(schedule: Schedule, world: World) -> bool:
    """Tell whether the feature of a schedule is not used here."""
    origin = schedule.origin
    return origin is not None and world.integration(origin.integration).status(origin.feature) is Status.OFF


def no_jobs(schedule_id: str) -> Conflict:
    """The refusal of a schedule that a sync left without jobs (R80)."""
    return Conflict("no_jobs", f"the schedule {schedule_id!r} has no jobs")


def _refuse(refusal: Conflict | None) -> None:
    if refusal is not None:
        raise refusal


def warn_customer(world: World) -> None:
    """Tell who builds in a customer's workspace that it drifts from what is delivered there (R81)."""
    if world.workspace().kind == CUSTOMER:
        detail = "this is a customer's workspace: what is built or changed here drifts from the definition"
        world.warn("customer_workspace", detail)
