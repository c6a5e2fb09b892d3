"""Completes the OpenAPI document: examples on every operation, problems as what else may come."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from settle.api.examples import EXAMPLES
from settle.api.problems import MEDIA_TYPE, Problem

_METHODS: Final = ("get", "post")
_OWN_SCHEMAS: Final = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI) -> None:
    """Let the application give the completed document, made once."""
    made: dict[str, Any] = {}

    def document() -> dict[str, Any]:
        if not made:
            made.update(_complete(app))
        return made

    app.openapi = document  # type: ignore[method-assign]  # how FastAPI has it overridden


def _complete(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=(
            "Requests are signed: `settle.signed_request` says how. Every POST takes an "
            "`Idempotency-Key`. Quantities are strings of integers in the asset's smallest unit, "
            "instants unix seconds. What goes wrong is told by RFC 9457 problem documents."
        ),
        routes=app.routes,
    )
    schemas = document["components"]["schemas"]
    for name in _OWN_SCHEMAS:
        schemas.pop(name, None)
    schemas["Problem"] = _with_components(Problem, schemas)
    for path in document["paths"].values():
        for method in _METHODS:
            if method in path:
                _complete_operation(path[method])
    return document


def _with_components(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    return schema


def _complete_operation(operation: dict[str, Any]) -> None:
    example = EXAMPLES[operation["operationId"]]
    responses = operation["responses"]
    responses.pop("422", None)
    if example.request is not None:
        for media in operation["requestBody"]["content"].values():
            media["example"] = example.request
    good = next(response for status, response in responses.items() if status.startswith("2"))
    told = example.response
    for media in good.get("content", {}).values():
        media["example"] = told.model_dump(mode="json") if isinstance(told, BaseModel) else told
    responses["default"] = {
        "description": "A problem document: `code` says which, `retryable` whether to try again.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
