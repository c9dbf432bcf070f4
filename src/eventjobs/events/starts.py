"""
Facts about who has one of a workspace's places for runs at once, and who waits for one.

They are written only where the number of runs at once is limited. These classes are a storage format.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias

from eventjobs.events.run import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class StartsTaken:
    """A run of `owner` has a place."""

    TYPE: ClassVar[str] = "starts.taken"
    SCHEMA: ClassVar[int] = 1

    run: str
    owner: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class StartsFreed:
    """That run is over, and its place is free."""

    TYPE: ClassVar[str] = "starts.freed"
    SCHEMA: ClassVar[int] = 1

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartsDelayed:
    """
    The moment `due` of `owner` would start now, and all `limit` places are taken; said once.

    `occurrence` is that of a moment that had waited for something else until now.
    """

    TYPE: ClassVar[str] = "starts.delayed"
    SCHEMA: ClassVar[int] = 2

    owner: Ref
    due: datetime
    limit: int
    occurrence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartsGivenUp:
    """Its turn came, and `owner` has nothing to start any more."""

    TYPE: ClassVar[str] = "starts.given_up"
    SCHEMA: ClassVar[int] = 1

    owner: Ref


StartsEvent: TypeAlias = StartsTaken | StartsFreed | StartsDelayed | StartsGivenUp
