"""The moments of a storm: an answer that stands for several consecutive due moments of one cadence version."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from eventjobs.domain.due import Span
from eventjobs.domain.preview import occurrences_between
from eventjobs.postgres.pool import Reads
from eventjobs.postgres.statements import statement
from eventjobs.projections.documents import Row, policies_of
from eventjobs.projections.slot_rows import rule_of

FIND_DEFINITION: Final = statement("reads/find_definition")


async def moments_of(reads: Reads, workspace: str, row: Row, limit: int, *, after: datetime) -> Sequence[datetime]:
    """Return at most `limit` moments strictly after an instant, by the cadence in force when the answer was written."""
    rule = await reads.fetchrow(FIND_DEFINITION, workspace, row["owner_id"], row["from_position"], row["owner_kind"])
    if rule is None:
        return ()
    span = Span(count=row["count"], first=row["due"], last=row["last"], anchor_day=row["anchor_day"])
    moments = occurrences_between(rule_of(rule), policies_of(rule).timing, span, limit, after=after)
    return [moment.due for moment in moments]
