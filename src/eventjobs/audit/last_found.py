"""What the audit of occurrences found last, whichever instance makes it."""

from collections.abc import Awaitable, Callable

from eventjobs.audit.findings import Found
from eventjobs.audit.keeping import found_by
from eventjobs.audit.watch import LedgerWatch


class LastFound:
    """
    The word of this instance where it audits, else what the one that does kept a minute ago or less.

    Moments that have passed without an outcome are known to the instance that audits alone.
    """

    def __init__(self, watch: LedgerWatch, find_state: Callable[[], Awaitable[bytes | None]]) -> None:
        self._watch = watch
        self._find_state = find_state

    async def __call__(self) -> Found | None:
        """Return it; nothing before the first audit was kept."""
        own = self._watch.found()
        if own is not None:
            return own
        state = await self._find_state()
        return None if state is None else found_by(state)
