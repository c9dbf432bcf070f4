"""
Make a workspace: a tenant with its own streams, views, keys and limits.

Only an administrator of the whole deployment may. The same id with the same content decides nothing.
"""

from typing import Final, Literal

from eventjobs.commands.context import Context
from eventjobs.commands.spec import CommandFields, CommandSpec, WorkspaceId
from eventjobs.commands.world import World
from eventjobs.domain.access import ADMINISTRATOR
from eventjobs.domain.streams import workspace_stream
from eventjobs.domain.zones import is_zone
from eventjobs.errors import Conflict, Invalid
from eventjobs.events.workspace import WorkspaceCreated
from eventjobs.ids import RESERVED_WORKSPACES


class CreateWorkspace(CommandFields):
    """A new tenant."""

    id: WorkspaceId
    time_zone: str = "UTC"
    kind: Literal["integration", "automation", "customer", "development"] = "automation"


def decide(command: CreateWorkspace, world: World, _: Context) -> None:
    """Make it, if there is none of that id."""
    if command.id in RESERVED_WORKSPACES:
        raise Invalid.at("id", "reserved_id", f"{command.id!r} is reserved")
    if not is_zone(command.time_zone):
        raise Invalid.at("time_zone", "time_zone_unknown", f"there is no time zone {command.time_zone!r}")
    present = world.workspace(command.id)
    if not present.exists:
        world.emit(workspace_stream(command.id), WorkspaceCreated(time_zone=command.time_zone, kind=command.kind))
    elif (present.time_zone, present.kind) != (command.time_zone, command.kind):
        raise Conflict("id_taken", f"there is another workspace {command.id!r}")


SPEC: Final = CommandSpec(
    name="CreateWorkspace",
    command=CreateWorkspace,
    streams=lambda command, _: [workspace_stream(command.id)],
    decide=decide,
    creates=True,
    roles=frozenset({ADMINISTRATOR}),
    everywhere=True,
    summary="Make a workspace",
    example={"id": "acme", "time_zone": "Europe/Berlin", "kind": "automation"},
)
