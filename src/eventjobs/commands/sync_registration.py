"""
Sync a registration: what it manages becomes what the newest version of its definition says (R69, R70).

All of it is one append. Where the workspace cannot take it the failure is recorded, and nothing else changes (R71).
"""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.sync_attempts import sync_if_possible
from eventjobs.commands.target_fields import TargetFields, Targets, named, refuse_targets
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR, INTEGRATION_AUTHOR, OPERATORS
from eventjobs.domain.streams import integration_stream


class SyncRegistration(CommandFields):
    """
    The registration to sync.

    With `targets`, which is for the workspace that publishes the definition: those of other workspaces, or `all`.
    """

    id: Id
    targets: TargetFields | None = None


def targets_of(command: SyncRegistration) -> Targets | None:
    """Return the registrations that it is for, where it is for others than this workspace's."""
    if command.targets is None:
        return None
    each = SyncRegistration(id=command.id)
    return Targets(definition=command.id, workspaces=named(command.targets), each=each)


def decide(command: SyncRegistration, world: World, context: Context) -> None:
    """Sync it; one that is in sync decides nothing."""
    refuse_targets(command.targets)
    if not world.integration(command.id).exists:
        raise no_such("integration", command.id)
    sync_if_possible(world, context, command.id)


SPEC: Final = CommandSpec(
    name="SyncRegistration",
    command=SyncRegistration,
    streams=lambda command, context: [integration_stream(context.workspace, command.id)],
    decide=decide,
    roles=OPERATORS | {FLOW_AUTHOR, INTEGRATION_AUTHOR},
    summary="Bring what an integration manages up to date with its definition",
    example={"id": "contacts"},
)
