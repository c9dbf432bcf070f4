"""Which column each field of a source goes to."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from eventjobs.errors import JobFailed
from eventjobs.handlers.csv_config import CsvImportConfig
from eventjobs.postgres.tables import NAME, Target

COLUMNS_MAX: Final = 1_000

_OTHER: Final = re.compile(r"[^a-z0-9]+")


def target_of(config: CsvImportConfig, header: Sequence[str | None] | None) -> Target:
    """
    Return the target for a source with this header (`None`: it has none).

    Raises `JobFailed` (not retryable) for a header that is ambiguous or lacks what the job names.
    """
    columns = list(config.columns or {}) if header is None else _named(config, [name or "" for name in header])
    loaded = {name for name in columns if name is not None}
    if not loaded or len(columns) > COLUMNS_MAX:
        raise JobFailed(f"the source has {len(columns)} columns; 1 to {COLUMNS_MAX} can be loaded", retryable=False)
    for name in (*(config.columns or {}), *config.keys):
        if name not in loaded:
            there = ", ".join(sorted(loaded))
            raise JobFailed(f"the source has no column {name}; it has {there}", retryable=False)
    return Target(
        table=config.table,
        mode=config.mode,
        columns=columns,
        types=dict(config.columns or {}),
        keys=config.keys,
        recipe=config.recipe,
    )


def normalised(header: str) -> str:
    """Return the column for a header: lower case, no accents, `_` for anything but letters and digits."""
    plain = unicodedata.normalize("NFKD", header.casefold()).encode("ascii", "ignore").decode().lower()
    name = _OTHER.sub("_", plain).strip("_")
    return f"_{name}" if name[:1].isdigit() else name


def _named(config: CsvImportConfig, header: Sequence[str]) -> list[str | None]:
    for wanted in config.header:
        if wanted not in header:
            raise JobFailed(
                f"the header map names {wanted!r}, which the source's header does not hold", retryable=False
            )
    columns: list[str | None] = []
    for place, text in enumerate(header, 1):
        name = config.header[text] if text in config.header else normalised(text)
        if name is not None and not NAME.fullmatch(name):
            why = "is empty" if not text.strip() else f"({text[:80]!r}) makes no column name; map it with `header`"
            raise JobFailed(f"the header's field {place} {why}", retryable=False)
        if name is not None and name in columns:
            raise JobFailed(f"two fields of the header ({text[:80]!r}) go to the column {name}", retryable=False)
        columns.append(name)
    return columns
