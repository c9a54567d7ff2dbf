"""The OpenAPI 3.1 document, made from the table of calls and their models."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from log_aggregator.http.api_docs import models
from log_aggregator.http.api_docs.routes import ALWAYS, CALLS, Call
from log_aggregator.http.ingest import IDEMPOTENCY_KEY, MAX_KEY_LENGTH
from log_aggregator.http.problem import CONTENT_TYPE

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})

_REF = "#/components/schemas/{model}"

_DESCRIPTION = """Send logs, read patterns.

Times in answers are ISO 8601 in UTC. Times in queries may be ISO 8601, epoch numbers, relative (`now`, `-15m`, `-1h`,
`-7d`), the last `14:00` (UTC), or a mark such as `mark:deploy-1.4`.

Errors are `application/problem+json` (RFC 9457); their `detail` says what was expected."""

_KEY_HEADER = {
    "name": IDEMPOTENCY_KEY,
    "in": "header",
    "required": False,
    "description": "makes a retry of the same body count once, over a restart too",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": "^[ -~]+$"},
}


def openapi(version: str, routes: Iterable[tuple[str, str, Any]] = ()) -> dict[str, Any]:
    """The document for this version of the service. `routes` are those of the plugins: method, path, handler."""
    schemas, components = _schemas()
    paths: dict[str, Any] = {}
    for call in CALLS:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, schemas)
    for method, path, handler in routes:
        if method.lower() in _METHODS:
            paths.setdefault(_plain(path), {})[method.lower()] = _plugin_operation(method, path, handler)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Log aggregator", "version": version, "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "only where API keys are switched on"}
            },
        },
        "security": [{}, {"key": []}],
    }


def _plugin_operation(method: str, path: str, handler: Any) -> dict[str, Any]:
    """What is known of a plugin's route: its place, and the docstring of its handler."""
    handler = getattr(handler, "__wrapped__", handler)
    text = (getattr(handler, "__doc__", None) or "").strip()
    package = str(getattr(handler, "__module__", "") or "").partition(".")[0]
    words = re.sub(r"[^a-z0-9]+", "_", path.lower()).strip("_")
    return {
        "operationId": f"plugin_{method.lower()}_{words}",
        "summary": text.split("\n")[0] or f"{method} {path}",
        "description": text or f"A route of {package or 'a plugin'}.",
        "tags": ["Plugins"],
        "parameters": [
            {
                "name": name,
                "in": "path",
                "description": "a part of the path",
                "required": True,
                "schema": {"type": "string"},
            }
            for name in re.findall(r"{(\w+)", path)
        ],
        "responses": {"default": {"description": "as the plugin says"}},
    }


def _plain(path: str) -> str:
    """A path of aiohttp without the expressions of its variables: `/x/{name:.*}` → `/x/{name}`."""
    return re.sub(r"{(\w+):[^{}]*(?:{[^{}]*}[^{}]*)*}", r"{\1}", path)


def _schemas() -> tuple[dict[type[BaseModel], Any], dict[str, Any]]:
    used: dict[type[BaseModel], JsonSchemaMode] = {models.Problem: "serialization"}
    for call in CALLS:
        used |= dict.fromkeys(call.answers.values(), "serialization")
        if call.body:
            used[call.body] = "validation"
    mapping, document = models_json_schema(list(used.items()), ref_template=_REF)
    return {model: mapping[model, mode] for model, mode in used.items()}, document.get("$defs", {})


def _operation(call: Call, schemas: dict[type[BaseModel], Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {
        str(status): {
            "description": (model.__doc__ or "").strip(),
            "content": {"application/json": {"schema": schemas[model]}},
        }
        for status, model in call.answers.items()
    }
    problem = {CONTENT_TYPE: {"schema": schemas[models.Problem]}}
    for status, why in sorted((call.problems | ALWAYS).items()):
        if str(status) not in answers:
            answers[str(status)] = {"description": why, "content": problem}
    operation: dict[str, Any] = {
        "operationId": call.title.lower().replace(" ", "_").replace("'", ""),
        "summary": call.title,
        "description": call.text,
        "tags": [call.group],
        "parameters": _parameters(call),
        "responses": answers,
    }
    if call.body:
        operation["requestBody"] = {"required": True, "content": _contents(call, schemas)}
    return operation


def _contents(call: Call, schemas: dict[type[BaseModel], Any]) -> dict[str, Any]:
    assert call.body is not None
    contents: dict[str, Any] = {"application/json": {"schema": schemas[call.body]}}
    if call.body is models.BatchBody:
        lines = {
            "type": "string",
            "description": "one log a line",
            "examples": ['{"message": "a"}\n{"message": "b"}\n'],
        }
        contents["application/x-ndjson"] = {"schema": lines}
    return contents


def _parameters(call: Call) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if "{id}" in call.path:
        schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
        whose = "a mark's id" if call.path.startswith("/marks") else "a pattern's id"
        found.append({"name": "id", "in": "path", "required": True, "description": whose, "schema": schema})
    if call.body and call.group == "Send":
        found.append(_KEY_HEADER)
    if call.query:
        for name, schema in call.query.model_json_schema().get("properties", {}).items():
            found.append(_query_parameter(name, dict(schema)))
    return found


def _query_parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    description = schema.pop("description", "")
    schema.pop("title", None)
    if schema.get("default", 0) is None:
        del schema["default"]
    options = [option for option in schema.pop("anyOf", []) if option != {"type": "null"}]
    if options:
        schema |= options[0]
    if name in ("since", "until", "before_since", "before_until"):
        schema = {"type": "string", "examples": ["-1h", "2026-11-23T20:00:00Z"]}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
