"""Catches what is logged, and keeps what a test sets up for logging within that test."""

import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog
from structlog import testing

_LEVELLED = ("aiohttp.access", "asyncio")


@contextmanager
def capture_logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """Yield the list of what is logged inside, of every level, with its context; the set-up before is put back."""
    before = structlog.get_config()
    structlog.reset_defaults()
    try:
        with testing.capture_logs([structlog.contextvars.merge_contextvars]) as caught:
            yield caught
    finally:
        structlog.configure(**before)


@contextmanager
def logging_put_back() -> Iterator[None]:
    """Put the process's logging back to what it was before: a service that starts inside sets up its own."""
    configured, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    levels = {name: logging.getLogger(name).level for name in _LEVELLED}
    try:
        yield
    finally:
        structlog.configure(**configured)
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
        for name, before in levels.items():
            logging.getLogger(name).setLevel(before)
