"""
What people do with an integration: its definition is published again and again, synced, and each feature switched.

The managed schedules are overridden, deleted, restored and cleared in the workspace, as people do with them.
"""

from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

from tests.simulation.clients import Clients

ID = "product"
FEATURES = ("load", "report")
SCHEDULES = ("a", "b")
STATUSES = ("onboarding", "active", "active", "maintenance", "off")
Drawn = tuple[dict[str, Any], dict[str, Any]]


class Integration:
    """Draws definitions and what is done with their registration; `drawn` gives a cadence with its policies."""

    def __init__(
        self, clients: Clients, random: Random, service: Callable[[], dict[str, Any]], drawn: Callable[[], Drawn]
    ) -> None:
        self._clients = clients
        self._random = random
        self._service = service
        self._drawn = drawn
        self.schedules = [f"{ID}.{feature}-{schedule}" for feature in FEATURES for schedule in SCHEDULES]
        self._acts: Sequence[Callable[[], Awaitable[Any]]] = (
            self._publish,
            self._sync,
            self._sync,
            self._set_status,
            self._set_status,
            self._override,
            self._clear,
            self._delete,
            self._restore,
        )

    async def furnish(self) -> None:
        """Publish it, register it, and make its features active."""
        await self._publish(patient=True, whole=True)
        await self._clients.send("RegisterIntegration", patient=True, definition=ID, features=list(FEATURES))
        await self._clients.send("SyncRegistration", patient=True, id=ID)
        for feature in FEATURES:
            await self._set_status(feature, "active", patient=True)

    async def act(self) -> None:
        """Do one of these things."""
        await self._random.choice(self._acts)()

    async def rest(self) -> None:
        """Turn every feature off, so that none of its schedules is active."""
        for feature in FEATURES:
            await self._set_status(feature, "off", patient=True)

    async def _publish(self, *, patient: bool = False, whole: bool = False) -> None:
        left_out = None if whole or self._random.random() < 0.7 else self._random.choice(self.schedules)
        features = [
            {
                "id": feature,
                "schedules": [
                    self._schedule(feature, schedule)
                    for schedule in SCHEDULES
                    if f"{ID}.{feature}-{schedule}" != left_out
                ],
            }
            for feature in FEATURES
        ]
        services = [{"id": name, **self._service()} for name in ("one", "two")]
        await self._clients.send("PublishDefinition", patient=patient, id=ID, services=services, features=features)

    def _schedule(self, feature: str, schedule: str) -> dict[str, Any]:
        cadence, policies = self._drawn()
        jobs = [{"job": {"kind": "service", "id": self._random.choice(("one", "two"))}, "seq": 1}]
        policies.pop("calendars", None)  # a definition knows no calendar of a workspace
        return {"id": f"{feature}-{schedule}", "cadence": cadence, "policies": policies, "jobs": jobs}

    async def _sync(self) -> None:
        await self._clients.send("SyncRegistration", keyed=self._random.random() < 0.7, id=ID)

    async def _set_status(
        self, feature: str | None = None, status: str | None = None, *, patient: bool = False
    ) -> None:
        await self._clients.send(
            "SetFeatureStatus",
            patient=patient,
            integration=ID,
            feature=feature or self._random.choice(FEATURES),
            status=status or self._random.choice(STATUSES),
            skip_onboarding=self._random.random() < 0.5,
        )

    async def _override(self) -> None:
        cadence, _ = self._drawn()
        await self._clients.send("EditCadence", id=self._random.choice(self.schedules), cadence=cadence)

    async def _clear(self) -> None:
        await self._clients.send("ClearCadenceOverride", id=self._random.choice(self.schedules))

    async def _delete(self) -> None:
        await self._clients.send("DeleteSchedule", id=self._random.choice(self.schedules))

    async def _restore(self) -> None:
        await self._clients.send("RestoreSchedule", id=self._random.choice(self.schedules))
