"""
Keeps the collector of cyclic garbage from walking everything that stays.

A process holds a state for each of very many schedules, and a full collection walks them all: at 100,000 schedules that
stops every run and request for two seconds and a half. What survives one is therefore not walked again. Most memory
needs no collector, and what is in a cycle at that moment and thrown away later is a handful of objects.
"""

import gc
from collections.abc import Mapping
from typing import Any, Final

THRESHOLDS: Final = (100_000, 20, 50)
OLDEST: Final = 2


def keep_collections_short() -> None:
    """Collect now, and from now on walk only what was made since the last full collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    if _freeze_survivors not in gc.callbacks:
        gc.callbacks.append(_freeze_survivors)


def _freeze_survivors(phase: str, info: Mapping[str, Any]) -> None:
    if phase == "stop" and info["generation"] == OLDEST:
        gc.freeze()
