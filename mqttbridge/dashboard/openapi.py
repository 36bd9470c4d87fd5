"""The OpenAPI document, from the same table of shapes that the tests hold the handlers to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mqttbridge import __version__
from mqttbridge.dashboard import schemas
from mqttbridge.dashboard.bridge import models as bridge

_REF: Final = "#/components/schemas/{model}"

# By status: a model, a media type, or None for an empty body.
Answers: TypeAlias = dict[int, type[BaseModel] | str | None]


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method of one path takes and answers.

    Attributes:
        query: names and descriptions of the query's parameters.
        body: the request's model; for several, any of them, or a list of the first.
        answers: what comes back, by status.
        security: which kind of key is needed where keys are set.
    """

    summary: str
    answers: Answers
    query: Mapping[str, str] = field(default_factory=dict)
    body: type[BaseModel] | None = None
    many: bool = False
    security: Sequence[str] = ()


_WRITE: Final = ("accessKeyHeader", "accessKeyQuery")
_READ: Final = ("viewToken",)
_KEYS: Final = {"accessKey": "Access key.", "bucketKey": "The bucket."}
_EVENTS_ERRORS: Final[Answers] = {
    400: schemas.EventsApiError,
    401: "application/json",
    403: "application/json",
    408: schemas.EventsApiError,
    413: schemas.EventsApiError,
    429: schemas.EventsApiError,
    500: schemas.EventsApiError,
    503: schemas.EventsApiError,
}
_OUR_ERRORS: Final[Answers] = {
    401: "text/plain",
    403: "text/plain",
    404: schemas.Error,
    503: schemas.Error,
}

_TOOLS_ERRORS: Final[Answers] = {**_OUR_ERRORS, 400: schemas.Error, 408: schemas.Error, 413: schemas.Error}
_EXPLAIN: Final = {"topic": "The message's topic.", "payload": "Its payload, as text."}


def _events(method: str) -> Operation:
    return Operation(
        f"Push events ({method}): JSON in the body, or every query parameter but the keys is one event",
        {204: None, 402: schemas.QuotaExceeded, **_EVENTS_ERRORS},
        _KEYS,
        schemas.PushedEvent if method == "POST" else None,
        many=True,
        security=_WRITE,
    )


def _buckets(method: str) -> Operation:
    return Operation(
        f"Create a bucket ({method}): JSON in the body, or query parameters",
        {201: schemas.CreatedBucket, 204: None, **_EVENTS_ERRORS},
        _KEYS | {"bucketName": "Shown instead of the key."},
        schemas.NewBucket if method == "POST" else None,
        security=_WRITE,
    )


OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("/api/buckets", "GET"): _buckets("GET"),
    ("/api/buckets", "POST"): _buckets("POST"),
    ("/api/events", "GET"): _events("GET"),
    ("/api/events", "POST"): _events("POST"),
    ("/api/versions", "GET"): Operation("Versions of the Events API", {200: "application/json"}),
    ("/data/v1/events/latest", "GET"): Operation(
        "The newest value of each stream of a bucket",
        {200: "application/json", 400: schemas.Error, **_OUR_ERRORS},
        _KEYS | {"key": "A stream; may be repeated. Default: all."},
        security=(*_READ, *_WRITE),
    ),
    ("/api/v1/buckets", "GET"): Operation(
        "Every bucket",
        {200: schemas.Buckets, 400: schemas.Error, **_OUR_ERRORS},
        {"spark": "With the last hour of each bucket's most telling stream, where made after this time; 0 for all."},
        security=_READ,
    ),
    ("/api/v1/buckets/{bucket}/streams", "GET"): Operation(
        "A bucket's streams with their newest values", {200: schemas.Streams, **_OUR_ERRORS}, security=_READ
    ),
    ("/api/v1/buckets/{bucket}/points", "GET"): Operation(
        "Points of a bucket's streams, downsampled by M4",
        {200: schemas.Points, 400: schemas.Error, **_OUR_ERRORS},
        {
            "stream": "A stream; may be repeated. Default: all.",
            "after": "Epoch seconds; negative: relative to `before`. Default: an hour.",
            "before": "Epoch seconds; zero or negative: relative to now. Default: now, and what lies ahead of it.",
            "points": "How many buckets of time a series is cut into at most, of up to 4 points. Default: 600.",
        },
        security=_READ,
    ),
    ("/api/v1/buckets/{bucket}/live", "GET"): Operation(
        "Server-sent events: `points` (see Frame), `resync`, `hello`",
        {200: "text/event-stream", **_OUR_ERRORS},
        {"last_event_id": "Where to go on from: `live` of a snapshot. The header Last-Event-ID wins."},
        security=_READ,
    ),
    ("/api/v1/buckets/{bucket}/share", "GET"): Operation(
        "A link for others to one bucket's page", {200: schemas.ShareLink, **_OUR_ERRORS}, security=_READ
    ),
    ("/api/v1/status", "GET"): Operation(
        "How the bridge is doing", {200: schemas.Status, **_OUR_ERRORS}, security=_READ
    ),
    ("/api/v1/explain", "GET"): Operation(
        "What the rules make of a message, and why",
        {200: schemas.Explanation, **_TOOLS_ERRORS},
        _EXPLAIN,
        security=_READ,
    ),
    ("/api/v1/explain", "POST"): Operation(
        "The same, with the payload as the body, any bytes",
        {200: schemas.Explanation, **_TOOLS_ERRORS},
        {"topic": _EXPLAIN["topic"]},
        security=_READ,
    ),
    ("/api/v1/rejected/replay", "POST"): Operation(
        "Send rejected messages through the rules again",
        {200: schemas.Replayed, **_TOOLS_ERRORS},
        body=schemas.RejectedSelection,
        security=_WRITE,
    ),
    ("/api/v1/rejected/purge", "POST"): Operation(
        "Forget rejected messages",
        {200: schemas.Replayed, **_TOOLS_ERRORS},
        body=schemas.RejectedSelection,
        security=_WRITE,
    ),
    ("/api/v1/rejected", "GET"): Operation(
        "Rejected messages, the newest first",
        {200: bridge.RejectedRows, **_OUR_ERRORS, 400: schemas.Error},
        {
            "reason": "Only for this reason.",
            "rule": "Only what this rule rejected.",
            "topic": "Only topics that match this filter.",
            "since": "Not before this; epoch seconds.",
            "limit": "How many at most, up to 500. Default: 100.",
        },
        security=_READ,
    ),
    ("/api/v1/bridge", "GET"): Operation(
        "What the bridge is doing: the flow, rates, forecasts, rules",
        {200: bridge.BridgeSnapshot, **_OUR_ERRORS},
        {"charts": "`1` for the last minutes' rates as well."},
        security=_READ,
    ),
    ("/api/v1/bridge/unmatched", "GET"): Operation(
        "Topics that no rule takes, with their last payloads", {200: bridge.Strays, **_OUR_ERRORS}, security=_READ
    ),
    ("/api/v1/bridge/propose", "POST"): Operation(
        "A rule for one of them, as YAML",
        {200: bridge.RuleProposed, **_TOOLS_ERRORS},
        body=bridge.ProposeFor,
        security=_READ,
    ),
    ("/api/v1/bridge/listen", "POST"): Operation(
        "Listen to all that is published for a while, for topics that no rule takes",
        {200: bridge.Listening, **_TOOLS_ERRORS, 409: schemas.Error},
        body=bridge.ListenTo,
        security=_WRITE,
    ),
    ("/api/v1/bridge/log", "GET"): Operation(
        "The end of the log",
        {200: bridge.LogLines, **_OUR_ERRORS, 400: schemas.Error},
        {"after": "Only lines after the one of this number.", "level": "From this level up, as in `warning`."},
        security=_WRITE,
    ),
    ("/metrics", "GET"): Operation("Numbers for Prometheus", {200: "text/plain", 401: "text/plain"}, security=_READ),
    ("/api/v1/figures", "GET"): Operation(
        "Every figure that Plotly streams may draw", {200: schemas.Figures, **_OUR_ERRORS}, security=_READ
    ),
    ("/api/v1/figures/{figure}", "GET"): Operation(
        "A figure with the points on screen", {200: schemas.Figure, **_OUR_ERRORS}, security=_READ
    ),
    ("/api/v1/figures/{figure}/live", "GET"): Operation(
        "Server-sent events: `figure` (the whole, see Figure), then `change` (see FigureChange)",
        {200: "text/event-stream", **_OUR_ERRORS},
        security=_READ,
    ),
    ("/f/{figure}", "GET"): Operation("A figure's page", {200: "text/html"}),
    ("/livez", "GET"): Operation("Whether every thread lives", {200: schemas.Health, 503: schemas.Health}),
    ("/readyz", "GET"): Operation("Whether messages are taken and kept", {200: schemas.Health, 503: schemas.Health}),
    ("/openapi.json", "GET"): Operation("This document", {200: "application/json"}),
}


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    models: set[type[BaseModel]] = {schemas.Frame, schemas.FigureChange, schemas.LatestValue}
    for operation in OPERATIONS.values():
        models |= {one for one in (operation.body, *operation.answers.values()) if isinstance(one, type)}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema([(model, "serialization") for model in ordered], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for (path, method), operation in OPERATIONS.items():
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
    if "{figure}" in path:
        described = "The figure's name, percent-encoded."
        parameters.append(
            {"name": "figure", "in": "path", "required": True, "description": described, "schema": {"type": "string"}}
        )
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
        document["requestBody"] = {"content": {"application/json": {"schema": schema}}}
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
    400: "The request makes no sense; nothing was stored",
    401: "A key is needed",
    402: "The key's events are used up (http.limits.events); nothing was stored",
    403: "The key is not known, or the request came from another site",
    404: "There is no such thing",
    408: "The body did not come in time",
    409: "It cannot be done as things stand",
    413: "The body is larger than 1 MB",
    429: "The key's requests are used up (http.limits.calls): come again after the seconds in Retry-After",
    500: "A fault of the bridge, told in its log",
    503: "Not now: come again after the seconds in Retry-After",
}
