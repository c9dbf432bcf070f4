"""
Run a schedule, or a single service, by hand.

A manual run happens outside the cadence: it never moves or consumes it (R19, R51), and it works while the schedule is
inactive (R52) or paused. With an open run it is refused (R54), unless the owner's runs may overlap, and then if as many
are open as may be; during a hold of all starts it is refused with who holds, why and until when.
"""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import OwnerRef, no_such
from eventjobs.commands.halting import refuse_while_held
from eventjobs.commands.opening import MANUAL, open_schedule_run, open_service_run
from eventjobs.commands.room import already_running, refuse_beside, refuse_without_room
from eventjobs.commands.spec import CommandFields, CommandSpec, RunId
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR, INTEGRATION_AUTHOR, OPERATORS
from eventjobs.domain.occurrence import OCCURRENCE_PREFIXES
from eventjobs.domain.overlap import Overlap
from eventjobs.domain.run import State
from eventjobs.domain.streams import owner_stream, run_stream, service_stream
from eventjobs.errors import Conflict, Invalid
from eventjobs.events.service import ServiceRunOpened

SUPPORTED: Final = ("schedule", "service")


class RunNow(CommandFields):
    """What to run; `id` is the new run's."""

    owner: OwnerRef
    id: RunId | None = None


def decide(command: RunNow, world: World, context: Context) -> None:
    """Open the run, or refuse with the one that is open."""
    owner = command.owner
    if owner.kind not in SUPPORTED:
        raise Invalid.at("owner.kind", "not_supported", f"owners of kind {owner.kind!r} are not supported yet")
    if command.id is not None and command.id.startswith(OCCURRENCE_PREFIXES):
        raise Invalid.at("id", "reserved_id", "ids of this form belong to occurrences")
    run_id = command.id or context.command_id
    if (command.id is not None or _may_overlap(owner, world)) and _ran_before(owner, run_id, world):
        world.answer["run"] = run_id
        return
    if owner.kind == "schedule":
        _schedule(owner.id, run_id, world, context)
    else:
        _service(owner.id, run_id, world, context)
    world.answer["run"] = run_id


def _may_overlap(owner: OwnerRef, world: World) -> bool:
    """Whether an open run would not tell that this very command was decided before."""
    return owner.kind == "schedule" and world.schedule(owner.id).policies.overlap == Overlap.ALLOW


def _ran_before(owner: OwnerRef, run_id: str, world: World) -> bool:
    present = world.run(run_id)
    if present.state is State.ABSENT:
        return False
    if (present.owner.kind, present.owner.id) != (owner.kind, owner.id):
        raise Conflict("id_taken", f"the id {run_id!r} is taken")
    return True


def _schedule(schedule_id: str, run_id: str, world: World, context: Context) -> None:
    if not world.schedule(schedule_id).alive:
        raise no_such("schedule", schedule_id)
    # What is due comes first, as the ticker would answer it, or the manual run would take the occurrence's place. One
    # that is refused for it names the occurrence's run, which the ticker is about to open.
    settle_due(world, context, schedule_id)
    refuse_while_held(world, context)
    refuse_beside(world.schedule(schedule_id), context)
    refuse_without_room(world, context)
    open_schedule_run(world, context, schedule_id, run_id, MANUAL)


def _service(service_id: str, run_id: str, world: World, context: Context) -> None:
    service = world.service(service_id)
    if not service.alive:
        raise no_such("service", service_id)
    refuse_while_held(world, context)
    busy = service.open_run or (None if service.holder is None else service.holder.run)
    if busy is not None:
        raise already_running(busy)
    refuse_without_room(world, context)
    open_service_run(world, context, service_id, run_id)
    world.emit(service_stream(context.workspace, service_id), ServiceRunOpened(run=run_id, cause="manual"))


SPEC: Final = CommandSpec(
    name="RunNow",
    command=RunNow,
    streams=lambda command, context: [
        owner_stream(context.workspace, _known(command.owner.kind), command.owner.id),
        *([run_stream(context.workspace, command.id)] if command.id else []),
    ],
    decide=decide,
    roles=OPERATORS | {FLOW_AUTHOR, INTEGRATION_AUTHOR},
    summary="Run a schedule or a service by hand",
    example={"owner": {"kind": "schedule", "id": "nightly"}},
)


def _known(kind: str) -> str:
    return kind if kind in SUPPORTED else "schedule"
