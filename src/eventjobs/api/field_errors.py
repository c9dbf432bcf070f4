"""The models' errors as stable codes with paths."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from eventjobs.errors import FieldError, Invalid

M = TypeVar("M", bound=BaseModel)

ERRORS_MAX: Final = 50

_CODES: Final[Mapping[str, str]] = {
    "extra_forbidden": "unknown_field",
    "missing": "missing",
    "greater_than": "number_out_of_range",
    "greater_than_equal": "number_out_of_range",
    "less_than": "number_out_of_range",
    "less_than_equal": "number_out_of_range",
    "finite_number": "number_out_of_range",
    "int_parsing_size": "number_out_of_range",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "too_long": "too_many",
    "too_short": "too_few",
    "string_pattern_mismatch": "bad_format",
    "literal_error": "unknown_value",
    "enum": "unknown_value",
    "value_error": "invalid_value",
    "time_delta_parsing": "bad_duration",
}


def validated(model: type[M], body: bytes) -> M:
    """Return the fields in `body`; raises `Invalid` with every wrong one."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise invalid(error) from error


def invalid(error: ValidationError) -> Invalid:
    """Return the refusal for a model's errors."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return Invalid.fields([_field_error(one) for one in found[:ERRORS_MAX]])


def _field_error(one: Any) -> FieldError:
    return FieldError(_path(one["loc"]), _code(one["type"]), one["msg"].removeprefix("Value error, "))


def _path(parts: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in parts)


def _code(kind: str) -> str:
    if kind in _CODES:
        return _CODES[kind]
    if kind.startswith(("datetime", "timezone", "date_")):
        return "bad_instant"
    return "wrong_type" if kind.endswith(("_type", "_parsing")) else "invalid_value"
