"""
The runner's own: an instance is up, with this version of the zone data.

A version that is newer than the log's is the log's from then on. One that is older changes nothing, and the answer's
`zone_data` says which version the instance would need.
"""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.commands.world import World
from eventjobs.domain.streams import LOG_ITSELF
from eventjobs.events.log import InstanceStarted, ZoneDataAdopted


class AnnounceInstance(CommandFields):
    """The version of the zone data that the instance has, such as `2026f`."""

    zone_data: str


def decide(command: AnnounceInstance, world: World, context: Context) -> None:
    """Record the start, once for each instance, and the zone data if it is newer than what all went by."""
    log = world.state(LOG_ITSELF)
    if log.last_started != context.instance:
        world.emit(LOG_ITSELF, InstanceStarted(instance=context.instance, zone_data=command.zone_data))
    if command.zone_data > log.zone_data:
        adopted = ZoneDataAdopted(instance=context.instance, version=command.zone_data, previous=log.zone_data or None)
        world.emit(LOG_ITSELF, adopted)
    world.answer["zone_data"] = max(command.zone_data, log.zone_data)


SPEC: Final = CommandSpec(
    name="AnnounceInstance",
    command=AnnounceInstance,
    streams=lambda _command, _context: [LOG_ITSELF],
    decide=decide,
    internal=True,
    summary="Record that an instance is up",
)
