"""What an occurrence is called: (owner, cadence version, nominal due instant in UTC, whole seconds)."""

from datetime import UTC, datetime


def occurrence_id(kind: str, owner: str, cadence_version: int, due: datetime) -> str:
    """Return `<kind>.<owner>.<cadence version>.<instant>`, e.g. `schedule.nightly.3.20261201t200000z`."""
    instant = due.astimezone(UTC).strftime("%Y%m%dt%H%M%Sz")
    return f"{kind}.{owner}.{cadence_version}.{instant}"
