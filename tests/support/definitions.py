"""The definition that most stories about integrations are about: a service and a schedule in each of two features."""

from typing import Any

from eventjobs.commands.spec import CommandFields
from tests.support.bodies import DAILY, row
from tests.support.story import command

BOOK = "crm"
LOAD = "crm.load"
NIGHTLY = "crm.nightly"
HOURLY = "crm.hourly"


def scheduled(schedule_id: str = "nightly", *rows: Any, cadence: Any = DAILY, **fields: Any) -> dict[str, Any]:
    return {"id": schedule_id, "cadence": cadence, "jobs": list(rows) or [row("load")], **fields}


def feature(feature_id: str = "contacts", *schedules: Any, **fields: Any) -> dict[str, Any]:
    return {"id": feature_id, "schedules": list(schedules) or [scheduled()], **fields}


def services(*names: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": name, "handler": "noop", **fields} for name in names or ("load",)]


def publish(*features: Any, **fields: Any) -> CommandFields:
    """Return a definition: `contacts` is due daily at 20:00 UTC and runs `load`."""
    content = {"id": BOOK, "services": services(), "features": list(features) or [feature()], **fields}
    return command("PublishDefinition", **content)


def register(*features: str, **fields: Any) -> CommandFields:
    return command("RegisterIntegration", definition=BOOK, features=features or ("contacts",), **fields)


def sync() -> CommandFields:
    return command("SyncRegistration", id=BOOK)


def put(status: str, feature_id: str = "contacts", **fields: Any) -> CommandFields:
    return command("SetFeatureStatus", integration=BOOK, feature=feature_id, status=status, **fields)
