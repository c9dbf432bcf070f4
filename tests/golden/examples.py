"""
Stored examples of every fact, made once and never edited: what was written must be readable for ever.

`python -m tests.golden.examples` writes the files that are missing, one per type and version of its shape, and touches
no other one. A fact whose shape changes gets a higher SCHEMA, a step in `eventjobs.log.upcasts` and a new file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from eventjobs.events import EVENT_TYPES
from eventjobs.log.codec import Codec

FOLDER: Final = Path(__file__).parent / "events"
AT: Final = datetime(2026, 12, 1, 20, 0, 0, 123456, tzinfo=UTC)

_SIMPLE: Final[Mapping[Any, Any]] = {bool: True, int: 3, float: 0.25, datetime: AT, Any: {"any": [1, "é", None]}}


def file_of(cls: type[Any], schema: int) -> Path:
    """Where the example of one version stands."""
    return FOLDER / f"{cls.TYPE}.{schema}.json"


def example(hint: Any, name: str) -> Any:
    """A value of a type, the same at every run; nothing optional is left out."""
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if hint is str:
        return f"{name} é"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        assert isinstance(hint, type)
        return hint(**{field.name: example(hints[field.name], field.name) for field in fields(hint)})
    return _generic(hint, name)


def _generic(hint: Any, name: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        return tuple(example(argument, name) for argument in arguments if argument is not Ellipsis)
    if origin in (list, Sequence):
        return [example(arguments[0], name)]
    if origin in (dict, Mapping):
        return {name: example(arguments[1], name)}
    if NoneType in arguments:
        return example(next(argument for argument in arguments if argument is not NoneType), name)
    raise TypeError(f"no example of {hint} for {name}")


def main() -> None:
    """Write what is missing."""
    codec = Codec(EVENT_TYPES)
    for cls in EVENT_TYPES:
        file = file_of(cls, cls.SCHEMA)
        if not file.exists():
            file.write_bytes(codec.encode(example(cls, cls.TYPE)))


if __name__ == "__main__":
    main()
