"""
Every code that a problem or one of its field errors may have, by status, with what it means.

Clients rely on them: a code may join, none is renamed. A test finds every code that the source raises in here.
"""

from collections.abc import Mapping
from typing import Final, get_args

from pydantic_core.core_schema import ErrorType

CODES: Final[Mapping[int, Mapping[str, str]]] = {
    400: {
        "bad_cursor": "not a cursor that was given out here",
        "bad_idempotency_key": "the Idempotency-Key is not 1 to 255 visible ASCII characters",
        "bad_if_match": "If-Match is not a version in quotes",
        "bad_last_event_id": "Last-Event-ID is not a position of the log",
        "bad_position": "Eventjobs-Position is not a position",
        "bad_request": "the request is malformed or broke off",
        "bad_text": "not UTF-8, a byte order mark, U+0000, a control character or half a surrogate pair",
        "credential_in_url": "a key in the address; revoke it and send it as a header",
        "duplicate_key": "an object has a name twice",
        "not_json": "the body is not JSON",
        "too_deep": "nested more than 32 deep",
    },
    401: {"unauthorized": "no valid key"},
    403: {"forbidden": "none of the roles in `needed`; the attempt was recorded"},
    404: {
        "no_such_path": "there is no such path",
        "not_found": "there is no such thing in this workspace",
        "position_unknown": "the log has no such position",
        "unknown_command": "there is no such command",
        "unknown_workspace": "there is no such workspace, or the key does not cover it",
    },
    405: {"method_not_allowed": "see Allow"},
    408: {"body_too_slow": "the body did not arrive within 10 s"},
    409: {
        "already_running": "`open_run` is open",
        "held": "`by` holds all starts since `since`, until `until`, for what `note` says",
        "id_taken": "the id is that of another thing, or of a deleted one",
        "in_use": "`users` use it",
        "no_room": "`limit` runs are open, of the `workspace` or the `schedule` that `of` names",
        "run_ended": "the run is over",
        "superseded": "another instance runs it in a higher term",
    },
    412: {"stale": "the definition is at `version`, not at that of If-Match"},
    413: {"body_too_large": "more than 1 MiB"},
    415: {
        "encoded_body": "the body has a Content-Encoding",
        "not_json_type": "the Content-Type is not application/json",
    },
    421: {"unknown_host": "the Host is none of this service's"},
    422: {
        "as_of_in_future": "the position or instant has not come",
        "at_in_future": "the instant has not come",
        "bad_duration": "not an ISO 8601 duration",
        "bad_format": "the text does not match its pattern",
        "bad_idempotency_key": "an entry's key is not visible ASCII",
        "bad_instant": "not an RFC 3339 instant with its offset in the years 1970 to 2200",
        "bad_owner": "not of the form kind/id",
        "catch_up_window_invalid": "the window is not possible",
        "date_invalid": "there is no such date",
        "date_out_of_range": "the date is out of range",
        "duplicate_job": "a job is twice in one stage",
        "duplicate_parameter": "a parameter is given twice",
        "header_on_batch": "a header of single commands",
        "idempotency_key_reused": "the key was used for another command or body",
        "in_the_past": "the instant has passed",
        "interval_out_of_range": "the number of units is out of range",
        "interval_too_short": "the period is shorter than the shortest one",
        "invalid_value": "the value is not allowed",
        "missing": "a field is missing",
        "no_offset": "an instant without its offset",
        "not_a_number": "a number that JSON does not have",
        "not_json": "a value that JSON cannot carry",
        "not_run": "another command of the atomic batch was refused",
        "not_supported": "understood, but not built yet",
        "nul_character": "a text holds U+0000",
        "number_out_of_range": "a number is out of range or has too many digits",
        "odd_character": "a text holds a character that cannot be stored",
        "reserved_id": "the id is reserved",
        "time_invalid": "not of the form HH:MM",
        "time_zone_unknown": "there is no such time zone",
        "timing_not_possible": "the timing does not go with the unit",
        "too_few": "too few items",
        "too_long": "the text is too long",
        "too_many": "too many items",
        "too_many_jobs": "more rows than a schedule may have",
        "too_many_values": "more than 100,000 values in one body",
        "too_short": "the text is too short",
        "unknown_field": "there is no such field or parameter",
        "unknown_handler": "there is no such handler",
        "unknown_job": "there is no such job",
        "unknown_value": "none of the values that are known",
        "wrong_type": "a value of another type; nothing is converted",
    },
    417: {"expectation_failed": "an Expect header other than 100-continue"},
    429: {
        "too_many_requests": "the key asks faster than it may; see Retry-After",
        "too_many_streams": "the key has as many live streams as it may",
    },
    431: {"head_too_large": "the address or a header is longer than 8,190 bytes"},
    500: {"unforeseen": "a defect, logged under `request_id`"},
    503: {
        "busy": "others were first or it took too long; nothing was written",
        "draining": "this instance is stopping; nothing was written",
        "history_forked": "the log is not the one that was read before; an operator must look",
        "outcome_unknown": "nobody can say whether it was written; repeat it with its key",
        "unavailable": "the database is away; nothing was written",
        "view_behind": "the views are not at the position yet",
    },
    507: {"log_full": "the disk is full; nothing was written"},
}

_OF_MODELS: Final[Mapping[str, str]] = {
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
    "time_delta_parsing": "bad_duration",
}
_MODELS_KINDS: Final = frozenset(get_args(ErrorType))


def code_of_kind(kind: str) -> str:
    """Return the stable code for a model's kind of error."""
    if kind in _OF_MODELS:
        return _OF_MODELS[kind]
    if kind.startswith(("datetime", "timezone", "date_")):
        return "bad_instant"
    return "wrong_type" if kind.endswith(("_type", "_parsing")) else "invalid_value"


def stable(code: str) -> str:
    """Return a code as clients know it, also where a handler's configuration was refused by a model's own kind."""
    return code_of_kind(code) if code in _MODELS_KINDS and code not in CODES[422] else code
