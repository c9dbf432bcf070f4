"""
What a schedule has by the rule besides its moments.

That is the timing that its cadence is read with, and of a managed one the cadence itself, where the workspace did not
override it (R73 to R75).
"""

from eventjobs.audit.findings import Kind, Mismatch
from eventjobs.audit.steps import Step
from eventjobs.domain.overriding import merged, timing_in_force
from eventjobs.domain.schedule import Schedule
from eventjobs.events.cadence import Cadence, Timing
from eventjobs.events.schedule import ScheduleCadenceEdited, ScheduleOrigin, ScheduleOverrideCleared, ScheduleSynced


def not_followed(owner: Schedule, step: Step) -> Mismatch | None:
    """Return what an edit, a sync or a cleared override does not leave as it should; of other steps nothing."""
    match step:
        case ScheduleCadenceEdited():
            policies = step.policies or owner.policies
            return _read_otherwise(owner, owner.origin, step.cadence, policies.timing.timing)
        case ScheduleSynced():
            another = _another(step.cadence, merged(owner.cadence, step.origin.cadence, owner.overrides))
            return another or _read_otherwise(owner, step.origin, step.cadence, step.policies.timing.timing)
        case ScheduleOverrideCleared():
            return _cleared(owner, step)
        case _:
            return None


def _cleared(owner: Schedule, step: ScheduleOverrideCleared) -> Mismatch | None:
    if owner.origin is None:
        return Mismatch(Kind.NOT_THE_RULE, "it clears an override of a schedule that follows no definition")
    left = tuple(one for one in owner.overrides if one not in step.bundles)
    another = _another(owner.cadence, merged(owner.cadence, owner.origin.cadence, left))
    return another or _read_otherwise(owner, owner.origin, owner.cadence, owner.policies.timing.timing)


def _another(told: Cadence, wanted: Cadence) -> Mismatch | None:
    if told == wanted:
        return None
    return Mismatch(Kind.NOT_THE_RULE, f"by its definition and overrides it has the cadence {wanted}, and not {told}")


def _read_otherwise(owner: Schedule, origin: ScheduleOrigin | None, cadence: Cadence, told: Timing) -> Mismatch | None:
    defined = None if origin is None else origin.timing
    wanted = timing_in_force(cadence, defined, owner.cadence, owner.policies.timing.timing)
    if told is wanted:
        return None
    return Mismatch(Kind.NOT_THE_RULE, f"its cadence is read as {told}, and by the rule as {wanted}")
