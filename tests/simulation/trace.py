"""Everything that a simulation recorded, as text for people."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.world import World


def write_trace(world: "World", path: str) -> None:
    """Write the log, and what came beside it, line by line."""
    with Path(path).open("w", encoding="utf-8") as file:
        file.writelines(
            f"{fact.position} {fact.at:%m-%d %H:%M:%S.%f} {fact.stream.name}@{fact.stream_version}"
            f" {fact.type} {fact.actor} {fact.data.decode()}\n"
            for fact in world.database.facts
        )
        file.writelines(f"{sent}\n" for sent in world.clients.journal)
