"""
How far running jobs are, from who runs them to who watches.

Progress between two facts is not kept: it is told to those who listen at the moment, in this process, and forgotten.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Listener: TypeAlias = Callable[[str, Mapping[str, Any]], None]
"""Called with the workspace and the frame; it must not wait."""


class Progress:
    """Passes every frame on to all listeners, at once."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def publish(self, workspace: str, progress: Mapping[str, Any]) -> None:
        """Show one frame (`run, row, attempt, fraction, text, counts`) to everyone who listens."""
        for listener in tuple(self._listeners):
            listener(workspace, progress)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; the function that is returned takes it away again."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
