"""The models' errors as stable codes with paths."""

import re
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from eventjobs.api.codes import code_of_kind
from eventjobs.errors import FieldError, Invalid

M = TypeVar("M", bound=BaseModel)

ERRORS_MAX: Final = 50
_BRANCH: Final = re.compile(r"(literal|tuple)\[.*]$")
"""How a model names the branch of a union that it tried: no part of what was sent."""


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
    return FieldError(_path(one["loc"]), code_of_kind(one["type"]), one["msg"].removeprefix("Value error, "))


def _path(parts: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in parts if not _BRANCH.match(str(part)))
