"""
The OpenAPI 3.1 document, made from the routes and the commands; nothing in it is written twice.

`python -m eventjobs.api.openapi` prints it; `docs/openapi.json` is that text, and a test keeps it current.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from importlib.metadata import version as installed_version
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from eventjobs.api.codes import CODES
from eventjobs.api.problems import TITLES
from eventjobs.api.registry import Answer, Route, Scope
from eventjobs.api.routes import ROUTES
from eventjobs.api.schemas import DryRunAnswer, ProblemBody
from eventjobs.api.session_cookie import PLAIN
from eventjobs.commands import PUBLIC
from eventjobs.commands.spec import CommandSpec
from eventjobs.ids import WORKSPACE_ID_PATTERN

REF: Final = "#/components/schemas/{model}"
PROBLEM: Final = "application/problem+json"
JSON: Final = "application/json"
NO_CONTENT: Final = 204

DESCRIPTION: Final = """\
An event-sourced scheduling service. Commands append facts to a log, views are built from it, and every read may be as
of a past position or instant.

Send `Authorization: Bearer <key>`. Errors are `application/problem+json` with a stable `code`. A command with an
`Idempotency-Key` may be repeated: the answer is the first one's."""

_SCOPE_PROBLEMS: Final[Mapping[Scope, Sequence[int]]] = {
    Scope.OPEN: (421, 431),
    Scope.SIGN_IN: (400, 401, 403, 408, 413, 415, 421, 422, 429, 431, 503),
    Scope.KEY: (400, 401, 403, 421, 429, 431),
    Scope.WORKSPACE: (400, 401, 403, 404, 421, 429, 431),
    Scope.SIGNED: (400, 404, 421, 429, 431),
    Scope.LINK: (400, 404, 421, 429, 431),
    Scope.DEPLOYMENT: (400, 401, 403, 421, 429, 431),
}
_KEYLESS: Final = frozenset({Scope.OPEN, Scope.SIGNED, Scope.LINK, Scope.SIGN_IN})
_PATTERNS: Final[Mapping[str, str]] = {"workspace": rf"^\*$|{WORKSPACE_ID_PATTERN}"}
_TAGS: Final = ("commands", "workspaces", "keys", "views", "runs", "history", "operations")


def document(version: str) -> bytes:
    """Return the document as JSON, indented and in a stable order."""
    return orjson.dumps(build(version), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def build(version: str) -> dict[str, Any]:
    """Return the document."""
    refs, schemas = _schemas()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "eventjobs",
            "version": version,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in _TAGS],
        "paths": _paths(refs),
        "components": {
            "schemas": schemas,
            "responses": {str(status): _problem_response(status, title, refs) for status, title in TITLES.items()},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "`ej_<lookup>_<secret>`"},
                "session": {"type": "apiKey", "in": "cookie", "name": PLAIN, "description": "A browser that signed in"},
            },
        },
    }


class _Refs:
    """Where each model's schema stands; bodies are read, answers are written, and that may differ."""

    def __init__(self, found: Mapping[Any, Mapping[str, Any]]) -> None:
        self._found = found

    def read(self, model: type[BaseModel]) -> Mapping[str, Any]:
        return self._found[model, "validation"]

    def written(self, model: type[BaseModel]) -> Mapping[str, Any]:
        return self._found[model, "serialization"]


def _schemas() -> tuple[_Refs, dict[str, Any]]:
    read: set[type[BaseModel]] = {spec.command for spec in PUBLIC}
    read |= {route.body for route in ROUTES if route.body is not None}
    written: set[type[BaseModel]] = {
        answer.model for route in ROUTES for answer in route.answers if answer.model is not None
    }
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    models += [(model, "validation") for model in sorted(read, key=_name)]
    models += [(model, "serialization") for model in sorted(written | {ProblemBody}, key=_name)]
    found, definitions = models_json_schema(models, ref_template=REF)
    return _Refs(found), dict(sorted(definitions["$defs"].items()))


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _paths(refs: _Refs) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for path, method, operation in _operations(refs):
        paths.setdefault(path, {})[method] = operation
    return paths


def _operations(refs: _Refs) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for route in ROUTES:
        if route.is_command:
            for spec in PUBLIC:
                path = route.path.replace("{command}", spec.name)
                yield path, route.method.lower(), _command_operation(route, spec, path, refs)
        else:
            yield route.path, route.method.lower(), _operation(route, refs)


def _command_operation(route: Route, spec: CommandSpec[Any], path: str, refs: _Refs) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": refs.read(spec.command)}
    if spec.example is not None:
        media["example"] = deepcopy(spec.example)  # whoever is given a document may change it
    scope = "everywhere (`*`)" if spec.everywhere else "in the workspace"
    roles = ", ".join(f"`{role}`" for role in sorted(spec.roles))
    return {
        **_operation(route, refs, path),
        "operationId": spec.name,
        "summary": spec.summary or spec.name,
        "description": f"Needs one of the roles {roles} {scope}.",
        "parameters": [*_path_parameters(path), *_query_parameters(route), *_command_headers()],
        "requestBody": {"required": True, "content": {JSON: media}},
    }


def _operation(route: Route, refs: _Refs, path: str | None = None) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "parameters": [*_path_parameters(path or route.path), *_query_parameters(route), *_headers(route)],
        "responses": _responses(route, refs),
        "security": [] if route.scope in _KEYLESS else [{"key": []}, {"session": []}],
    }
    description = _description(route)
    if description:
        operation["description"] = description
    if route.body is not None:
        schema: Mapping[str, Any] = refs.read(route.body)
        shown = {"type": "array", "items": schema, "maxItems": 1000} if route.body_is_list else schema
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": shown}}}
    return operation


def _description(route: Route) -> str:
    if not route.roles:
        return route.description
    roles = ", ".join(f"`{role}`" for role in sorted(route.roles))
    return f"{route.description}\n\nNeeds one of the roles {roles}.".strip()


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", path):
        schema: dict[str, Any] = {"type": "string"}
        if name in _PATTERNS:
            schema["pattern"] = _PATTERNS[name]
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(route: Route) -> Iterator[dict[str, Any]]:
    properties: Mapping[str, Any] = route.query.model_json_schema(ref_template=REF).get("properties", {})
    for name, schema in properties.items():
        shown = _parameter_schema(schema)
        description = shown.pop("description", None)
        parameter = {"name": name, "in": "query", "required": False, "schema": shown}
        yield parameter if description is None else {**parameter, "description": description}


def _parameter_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter that is not given has no value, so `null` is none of its values."""
    shown = {name: value for name, value in schema.items() if name not in ("title", "default", "anyOf")}
    present = [dict(one) for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if present:
        shown = {**present[0], **shown}
    if schema.get("default") is not None:
        shown["default"] = schema["default"]
    return shown


def _headers(route: Route) -> Iterable[dict[str, Any]]:
    if route.body is not None and route.writes and not route.body_is_list and route.scope not in _KEYLESS:
        return _command_headers()
    if route.name == "live":
        return [_header("Last-Event-ID", "Go on after this position", {"type": "integer", "minimum": 0})]
    if "wait_for" in route.query.model_fields:
        return [_header("Eventjobs-Position", "The same as `wait_for`", {"type": "integer", "minimum": 0})]
    return []


def _command_headers() -> Sequence[dict[str, Any]]:
    return (
        _header(
            "Idempotency-Key",
            "Makes a repetition answer with what was; scope: workspace and actor",
            {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        ),
        _header(
            "If-Match",
            "The definition version (an ETag) that was decided on",
            {"type": "string", "pattern": '^"[0-9]+"$'},
        ),
    )


def _header(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _responses(route: Route, refs: _Refs) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for answer in route.answers:
        _add_answer(responses, answer, refs)
    for status in sorted({*_SCOPE_PROBLEMS[route.scope], *route.problems, 500}):
        if str(status) not in responses:
            responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return responses


def _add_answer(responses: dict[str, Any], answer: Answer, refs: _Refs) -> None:
    status = str(answer.status)
    if answer.status == NO_CONTENT:
        responses[status] = {"description": answer.description}
        return
    response = responses.setdefault(status, {"description": answer.description, "content": {}})
    schema: Mapping[str, Any] = {"type": "string"} if answer.model is None else refs.written(answer.model)
    if answer.is_list:
        schema = {"type": "array", "items": schema}
    present = response["content"].get(answer.media)
    if present is not None:
        response["description"] += f"; {answer.description.lower()}"
        schema = {"anyOf": [present["schema"], schema]}
    response["content"][answer.media] = {"schema": schema}
    if answer.has_etag:
        response["headers"] = {"ETag": {"description": "The definition version", "schema": {"type": "string"}}}
    if answer.model is not None and _name(answer.model) in ("CommandAnswer", DryRunAnswer.__name__):
        response["headers"] = {
            "Eventjobs-Position": {"description": "What to wait for in a read", "schema": {"type": "integer"}},
            "Idempotency-Replayed": {"description": "`true` for a repetition", "schema": {"type": "string"}},
        }


def _problem_response(status: int, title: str, refs: _Refs) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": "\n".join([f"{title}.", "", *_codes(status)]),
        "content": {PROBLEM: {"schema": refs.written(ProblemBody)}},
    }
    headers = _PROBLEM_HEADERS.get(status)
    return response if headers is None else {**response, "headers": {headers: {"schema": {"type": "string"}}}}


def _codes(status: int) -> Iterator[str]:
    for code, meaning in CODES.get(status, {}).items():
        yield f"- `{code}`: {meaning}"


_PROBLEM_HEADERS: Final[Mapping[int, str]] = {
    401: "WWW-Authenticate",
    405: "Allow",
    429: "Retry-After",
    503: "Retry-After",
}


if __name__ == "__main__":
    sys.stdout.buffer.write(document(installed_version("eventjobs")))
