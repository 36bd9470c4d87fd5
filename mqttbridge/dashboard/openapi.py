"""The OpenAPI document: the operations of each part of the dashboard, put together.

The tests hold the routes to the same table, and the handlers to its shapes.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mqttbridge import __version__
from mqttbridge.dashboard import operations as dashboard
from mqttbridge.dashboard.access import operations as access
from mqttbridge.dashboard.access.caller import COOKIE
from mqttbridge.dashboard.alerts import operations as alerts
from mqttbridge.dashboard.boards import operations as boards
from mqttbridge.dashboard.bridge import operations as bridge
from mqttbridge.dashboard.events import operations as events
from mqttbridge.dashboard.operation import Operation, Operations
from mqttbridge.dashboard.plotly import operations as plotly
from mqttbridge.dashboard.raw import operations as raw

OPERATIONS: Final[Operations] = {
    **events.OPERATIONS,
    **dashboard.OPERATIONS,
    **raw.OPERATIONS,
    **boards.OPERATIONS,
    **alerts.OPERATIONS,
    **bridge.OPERATIONS,
    **plotly.OPERATIONS,
    **access.OPERATIONS,
}

_IN_PATH: Final = {
    "figure": "The figure's name, percent-encoded.",
    "key": "The key's id.",
    "link": "The link's id.",
    "rule": "The rule's id.",
    "silence": "The silence's id.",
    "token": "The token's id.",
}

_REF: Final = "#/components/schemas/{model}"


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    models = {
        one
        for operation in OPERATIONS.values()
        for one in (operation.body, *operation.answers.values(), *operation.parts)
        if isinstance(one, type)
    }
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema([(model, "serialization") for model in ordered], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for (path, method), operation in sorted(OPERATIONS.items(), key=itemgetter(0)):
        paths.setdefault(path, {})[method.lower()] = _operation(path, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "mqttbridge", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "accessKeyHeader": {"type": "apiKey", "in": "header", "name": "X-IS-AccessKey"},
                "accessKeyQuery": {"type": "apiKey", "in": "query", "name": "accessKey"},
                "viewToken": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                "writeKey": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(path: str, operation: Operation) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
        for name, text in operation.query.items()
    ]
    if "{bucket}" in path:
        parameters.append(
            {
                "name": "bucket",
                "in": "path",
                "required": True,
                "description": "The bucket's key, percent-encoded: `a/b` is `a%2Fb`. For the keys `.` and `..`, "
                "which browsers cannot send here, the query parameter `bucket` stands in.",
                "schema": {"type": "string"},
            }
        )
    parameters += [
        {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
        for name, text in _IN_PATH.items()
        if f"{{{name}}}" in path
    ]
    document: dict[str, Any] = {
        "summary": operation.summary,
        "responses": {str(status): _answer(status, answer) for status, answer in operation.answers.items()},
        "security": [{scheme: []} for scheme in operation.security],
    }
    if parameters:
        document["parameters"] = parameters
    if operation.body is not None:
        one = {"$ref": _REF.format(model=operation.body.__name__)}
        schema = {"anyOf": [one, {"type": "array", "items": one}]} if operation.many else one
        # The Events API takes all of it from the address as well.
        needed = "accessKey" not in operation.query and any(
            f.is_required() for f in operation.body.model_fields.values()
        )
        document["requestBody"] = {"required": needed, "content": {"application/json": {"schema": schema}}}
    return document


def _answer(status: int, answer: type[BaseModel] | str | None) -> dict[str, Any]:
    described: dict[str, Any] = {"description": _DESCRIPTIONS[status]}
    if isinstance(answer, str):
        described["content"] = {answer: {}}
    elif answer is not None:
        schema = {"$ref": _REF.format(model=answer.__name__)}
        described["content"] = {"application/json": {"schema": schema}}
    return described


_DESCRIPTIONS: Final = {
    200: "Done",
    201: "Created",
    204: "Done: synced to disk, or there already",
    304: "As it was",
    400: "The request makes no sense; nothing was stored",
    401: "A key is needed",
    402: "The key's events are used up (http.limits.events); nothing was stored",
    403: "The key is not known, or the request came from another site",
    404: "There is no such thing",
    408: "The body did not come in time",
    409: "Something stands in the way, such as somebody who was first; the answer says what",
    413: "The body is larger than 1 MB",
    415: "Not of a kind that is taken",
    428: "A header that names the version is missing",
    429: "Too many requests of this key (http.limits.calls), or wrong keys from this address: see Retry-After",
    500: "A fault of the bridge, told in its log",
    501: "An extra that this needs is not installed",
    503: "Not now: come again after the seconds in Retry-After",
}
