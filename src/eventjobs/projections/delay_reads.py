"""Reads of why runs waited."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from eventjobs.postgres.pool import Link, TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.documents import Document, Row, delay_document

LIST_DELAYS: Final = statement("reads/list_delays")


async def delays_of(
    link: "Link | TimedPool", workspace: str, runs: Iterable[str], position: int
) -> Mapping[str, Sequence[Document]]:
    """Return the delays of each of these runs, the first first; runs that did not wait have none."""
    found: defaultdict[str, list[Document]] = defaultdict(list)
    wanted = list(runs)
    rows: Sequence[Row] = await link.fetch(LIST_DELAYS, workspace, wanted, position) if wanted else ()
    for row in rows:
        found[row["run"]].append(delay_document(row))
    return found
