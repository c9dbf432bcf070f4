"""What an occurrence is called: (owner, cadence version, nominal due instant in UTC, whole seconds)."""

from datetime import UTC, datetime
from typing import Final

from eventjobs.domain.streams import stream_kind

OCCURRENCE_PREFIXES: Final = ("schedule.", "group.", "job.")
"""How the ids of occurrences begin, and no other run's."""


def occurrence_id(kind: str, owner: str, cadence_version: int, due: datetime) -> str:
    """Return `<kind>.<owner>.<cadence version>.<instant>`, e.g. `schedule.nightly.3.20261201t200000z`."""
    instant = due.astimezone(UTC).strftime("%Y%m%dt%H%M%Sz")
    return f"{stream_kind(kind)}.{owner}.{cadence_version}.{instant}"


def moment_of(run_id: str) -> tuple[str, str, datetime] | None:
    """Return the owner, by its stream, and the due instant that an occurrence's id names, `None` for another run."""
    if not run_id.startswith(OCCURRENCE_PREFIXES):
        return None
    kind_and_owner, _, instant = run_id.rsplit(".", 2)
    kind, _, owner = kind_and_owner.partition(".")
    return kind, owner, datetime.fromisoformat(instant.upper())
