"""Catches what is logged, whatever an earlier test's service has set up."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog
from structlog import testing


@contextmanager
def capture_logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """Yield the list of what is logged inside, of every level; the set-up before is put back."""
    before = structlog.get_config()
    structlog.reset_defaults()
    try:
        with testing.capture_logs() as caught:
            yield caught
    finally:
        structlog.configure(**before)
