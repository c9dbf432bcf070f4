"""Due moments that wait in their owner's queue: answered, without an outcome yet."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from eventjobs.postgres.pool import Reads
from eventjobs.postgres.statements import statement
from eventjobs.projections.documents import Document, delay_document

LIST_WAITING: Final = statement("reads/list_waiting")

WAITING: Final = "waiting"
"""Instead of an outcome, of a moment in its owner's queue."""

_ID: Final = re.compile(r"(schedule|group|job)\.(.+)\.([1-9][0-9]{0,8})\.([0-9]{8}t[0-9]{6})z")


class Named(NamedTuple):
    """What an occurrence's id tells; `kind` is that of its owner's stream."""

    kind: str
    owner: str
    cadence_version: int
    due: datetime


def named(occurrence: str) -> Named | None:
    """Take an occurrence's id apart; `None` for a text that is none."""
    found = _ID.fullmatch(occurrence)
    if found is None:
        return None
    try:
        due = datetime.strptime(found[4], "%Y%m%dt%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return Named(found[1], found[2], int(found[3]), due)


async def list_waiting(
    reads: Reads,
    workspace: str,
    owner: tuple[str, str] | None,
    *,
    position: int,
    after: tuple[datetime, str],
    until: datetime | None,
) -> list[Document]:
    """Return the moments later than `after` (a due instant and an occurrence's id), in order."""
    found: dict[str, Document] = {}
    for row in await reads.fetch(LIST_WAITING, workspace, position, *(owner or (None, None))):
        name = named(row["run"])
        if (
            name is not None
            and (name.kind, name.owner) == (row["owner_kind"], row["owner_id"])  # else it is that of a longer id
            and (name.due, row["run"]) > after
            and (until is None or name.due < until)
        ):
            waits = found.setdefault(row["run"], waiting_document(row["run"], name, row["job_kind"] or name.kind, []))
            waits["delays"].append(delay_document(row))
    return sorted(found.values(), key=lambda item: (item["due"], item["id"]))


def waiting_document(occurrence: str, name: Named, kind: str, delays: Sequence[Document]) -> Document:
    """Return a moment in the queue of an owner of a `kind`: without an outcome; why it waits stands in its delays."""
    return {
        "id": occurrence,
        "owner": {"kind": kind, "id": name.owner},
        "cadence_version": name.cadence_version,
        "due": name.due,
        "outcome": WAITING,
        "delays": list(delays),
    }
