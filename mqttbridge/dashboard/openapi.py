"""The OpenAPI document, from the same table of shapes that the tests hold the handlers to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mqttbridge import __version__
from mqttbridge.config.alerts import PageRule
from mqttbridge.config.dashboards import DashboardDocument
from mqttbridge.dashboard import schemas
from mqttbridge.dashboard.access import schemas as access
from mqttbridge.dashboard.access.caller import COOKIE
from mqttbridge.dashboard.alerts import schemas as alerts
from mqttbridge.dashboard.boards import schemas as boards
from mqttbridge.dashboard.bridge import models as bridge
from mqttbridge.dashboard.controls_api import ControlValue

_IN_PATH: Final = {
    "figure": "The figure's name, percent-encoded.",
    "key": "The key's id.",
    "link": "The link's id.",
    "rule": "The rule's id.",
    "silence": "The silence's id.",
    "token": "The token's id.",
}

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
_EDIT: Final = ("accessKeyHeader", "writeKey", "session")
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
    429: "text/plain",
    503: schemas.Error,
}

_TOOLS_ERRORS: Final[Answers] = {**_OUR_ERRORS, 400: schemas.Error, 408: schemas.Error, 413: schemas.Error}
_ALERT_ERRORS: Final[Answers] = {**_TOOLS_ERRORS, 409: schemas.Changed}
_EDIT_ERRORS: Final[Answers] = {**_TOOLS_ERRORS, 409: schemas.Error}
_SIGN_IN_ERRORS: Final[Answers] = {
    400: schemas.Error,
    401: schemas.Error,
    403: schemas.Error,
    408: schemas.Error,
    413: schemas.Error,
    429: "text/plain",
    503: schemas.Error,
}
_EXPLAIN: Final = {"topic": "The message's topic.", "payload": "Its payload, as text."}
_RANGE: Final = {
    "stream": "A stream; may be repeated. Default: all.",
    "after": "Epoch seconds; negative: relative to `before`. Default: the first point.",
    "before": "Epoch seconds; zero or negative: relative to now. Default: all that there is.",
}
_BOARD: Final = "/api/v1/buckets/{bucket}/dashboard"
_BOARD_ERRORS: Final[Answers] = {**_OUR_ERRORS, 500: schemas.Error}
_BOARD_CHANGES: Final[Answers] = {**_BOARD_ERRORS, 400: schemas.Error, 408: schemas.Error, 413: schemas.Error}


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


ACCESS_OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("/api/v1/session", "GET"): Operation("Who the sender of this request is here", {200: access.Session}),
    ("/api/v1/session", "POST"): Operation(
        "Sign in: a cookie for a key", {200: access.Session, **_SIGN_IN_ERRORS}, body=access.SignIn
    ),
    ("/api/v1/session", "DELETE"): Operation("Sign out", {204: None, 403: schemas.Error}),
    ("/api/v1/first-key", "POST"): Operation(
        "Make the first key, with the code that the log gave at the first start",
        {201: access.MadeKey, **_SIGN_IN_ERRORS},
        body=access.FirstKey,
    ),
    ("/api/v1/keys", "GET"): Operation("Every key", {200: access.AccessKeys, **_EDIT_ERRORS}, security=_EDIT),
    ("/api/v1/keys", "POST"): Operation(
        "Make a key", {201: access.MadeKey, **_EDIT_ERRORS}, body=access.NewKey, security=_EDIT
    ),
    ("/api/v1/keys/{key}", "DELETE"): Operation("Revoke a key", {204: None, **_EDIT_ERRORS}, security=_EDIT),
    ("/api/v1/links", "GET"): Operation("Every share link", {200: access.ShareLinks, **_EDIT_ERRORS}, security=_EDIT),
    ("/api/v1/buckets/{bucket}/links", "GET"): Operation(
        "The share links of a bucket", {200: access.ShareLinks, **_EDIT_ERRORS}, security=_EDIT
    ),
    ("/api/v1/buckets/{bucket}/links", "POST"): Operation(
        "Make a share link, which reads this bucket alone",
        {201: access.MadeLink, **_EDIT_ERRORS},
        body=access.NewLink,
        security=_EDIT,
    ),
    ("/api/v1/links/{link}", "DELETE"): Operation("Revoke a share link", {204: None, **_EDIT_ERRORS}, security=_EDIT),
    ("/api/v1/plotly/tokens", "GET"): Operation(
        "Every stream token of Plotly's API", {200: access.StreamTokens, **_EDIT_ERRORS}, security=_EDIT
    ),
    ("/api/v1/plotly/tokens", "POST"): Operation(
        "Make a stream token",
        {201: access.MadeStreamToken, **_EDIT_ERRORS},
        body=access.NewStreamToken,
        security=_EDIT,
    ),
    ("/api/v1/plotly/tokens/{token}", "DELETE"): Operation(
        "Remove a stream token", {204: None, **_EDIT_ERRORS}, security=_EDIT
    ),
}

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("/api/buckets", "GET"): _buckets("GET"),
    ("/api/buckets", "POST"): _buckets("POST"),
    ("/api/events", "GET"): _events("GET"),
    ("/api/events", "POST"): _events("POST"),
    ("/api/versions", "GET"): Operation("Versions of the Events API", {200: "application/json"}),
    ("/data/v1/events/latest", "GET"): Operation(
        "The newest value of each stream of a bucket",
        {200: "application/json", 400: schemas.Error, 429: schemas.Error, **_OUR_ERRORS},
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
            "expression": "Such as `=[kitchen.temperature]*1.8+32`; may be repeated. Alone: no other series.",
            "after": "Epoch seconds; negative: relative to `before`. Default: an hour.",
            "before": "Epoch seconds; zero or negative: relative to now. Default: now, and what lies ahead of it.",
            "points": "How many buckets of time a series is cut into at most, of up to 4 points. Default: 600.",
            "statistics": "`1`: count, least, greatest, sum, first and last of each bucket of time, too.",
        },
        security=_READ,
    ),
    ("/api/v1/buckets/{bucket}", "DELETE"): Operation(
        "Delete a bucket with its streams; what comes later makes it anew",
        {200: schemas.Deleted, **_OUR_ERRORS},
        security=_WRITE,
    ),
    ("/api/v1/buckets/{bucket}/streams", "DELETE"): Operation(
        "Delete streams with their points; what comes later makes them anew",
        {200: schemas.Deleted, 400: schemas.Error, **_OUR_ERRORS},
        {"stream": "A stream; may be repeated."},
        security=_EDIT,
    ),
    ("/api/v1/buckets/{bucket}/events", "GET"): Operation(
        "Points of a bucket as they were stored, in order of time, page by page",
        {200: schemas.StoredRows, 400: schemas.Error, **_OUR_ERRORS},
        _RANGE
        | {
            "order": "`desc`, the newest first (default), or `asc`.",
            "limit": "How many rows at most, up to 5000. Default: 500.",
            "cursor": "`next` of the page before; or `<microseconds since 1970>:<stream>` of any row.",
            "text": "Only rows with this in the stream's name or the value, in whatever case.",
            "least": "Only numbers from this on.",
            "most": "Only numbers up to this.",
        },
        security=_READ,
    ),
    ("/api/v1/buckets/{bucket}/summary", "GET"): Operation(
        "Count, least, mean and greatest of each stream in a range, from every point",
        {200: schemas.Summary, 400: schemas.Error, **_OUR_ERRORS},
        _RANGE,
        security=_READ,
    ),
    ("/api/v1/buckets/{bucket}/export", "GET"): Operation(
        "A range as a file; a connection that ends without the last chunk means that the file is not whole",
        {200: "text/csv", 400: schemas.Error, **_OUR_ERRORS, 501: schemas.Error},
        _RANGE | {"format": "`csv` (default), `jsonl` or `parquet`."},
        security=_READ,
    ),
    ("/api/v1/buckets/{bucket}/live", "GET"): Operation(
        "Server-sent events: `hello`, `points` (see Frame), `alerts`, `board`, `resync`",
        {200: "text/event-stream", **_OUR_ERRORS},
        {"last_event_id": "Where to go on from: `live` of a snapshot. The header Last-Event-ID wins."},
        security=_READ,
    ),
    ("/api/v1/live", "GET"): Operation(
        "Server-sent events: `hello` and `alerts`, which tell the worst alert of each bucket",
        {200: "text/event-stream", **_OUR_ERRORS},
        security=_READ,
    ),
    (_BOARD, "GET"): Operation(
        "What a bucket's page is drawn by",
        {200: boards.BoardAnswer, **_BOARD_ERRORS},
        {"version": "An earlier version, as `versions` lists them. Default: the one of now."},
        security=_READ,
    ),
    (_BOARD, "PUT"): Operation(
        'Save a dashboard. `If-Match: "n"` names the version that it replaces, "0" for none',
        {200: boards.BoardSaved, 409: boards.BoardConflict, 428: schemas.Error, **_BOARD_CHANGES},
        body=DashboardDocument,
        security=_EDIT,
    ),
    (_BOARD, "DELETE"): Operation(
        "Back to the dashboard that the page makes by itself; with `If-Match` only if nobody saved since",
        {200: boards.BoardDeleted, 409: boards.BoardConflict, **_BOARD_CHANGES},
        security=_EDIT,
    ),
    (f"{_BOARD}/versions", "GET"): Operation(
        "The versions that are kept, to go back to", {200: boards.BoardVersions, **_BOARD_ERRORS}, security=_READ
    ),
    (f"{_BOARD}/background", "GET"): Operation(
        "The picture behind the tiles", {200: "image/*", 304: None, **_BOARD_ERRORS}, security=_READ
    ),
    (f"{_BOARD}/background", "PUT"): Operation(
        "Keep the body as the picture behind the tiles: PNG, JPEG, GIF or WebP, 1 MB at most",
        {200: boards.PictureKept, 415: schemas.Error, **_BOARD_CHANGES},
        security=_EDIT,
    ),
    (f"{_BOARD}/background", "DELETE"): Operation(
        "Keep no picture", {200: boards.BoardDeleted, **_BOARD_CHANGES}, security=_EDIT
    ),
    ("/api/v1/buckets/{bucket}/value", "POST"): Operation(
        "What a control on the page says: published if a topic is given, then stored",
        {
            204: None,
            400: schemas.Error,
            403: schemas.Error,
            408: schemas.Error,
            409: schemas.Error,
            413: schemas.Error,
            **_OUR_ERRORS,
        },
        body=ControlValue,
        security=_EDIT,
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
    ("/alerts", "GET"): Operation("The page of alerts", {200: "text/html"}),
    ("/api/v1/alerts", "GET"): Operation(
        "Alerts: rules with their states, actions, silences", {200: alerts.Alerts, **_OUR_ERRORS}, security=_READ
    ),
    ("/api/v1/alerts/history", "GET"): Operation(
        "What fired, the newest first, and who was told",
        {200: alerts.AlertHistory, 400: schemas.Error, **_OUR_ERRORS},
        {"limit": "How many at most. Default: 100.", "rule": "Only of this rule."},
        security=_READ,
    ),
    ("/api/v1/alerts/rules", "POST"): Operation(
        "Make an alert rule", {201: alerts.RuleWritten, **_ALERT_ERRORS}, body=PageRule, security=_EDIT
    ),
    ("/api/v1/alerts/rules/{rule}", "PUT"): Operation(
        "Change a rule of the page; `If-Match` names the version that is changed",
        {200: alerts.RuleWritten, **_ALERT_ERRORS},
        body=PageRule,
        security=_EDIT,
    ),
    ("/api/v1/alerts/rules/{rule}", "DELETE"): Operation(
        "Remove a rule of the page", {204: None, **_ALERT_ERRORS}, security=_EDIT
    ),
    ("/api/v1/alerts/silences", "POST"): Operation(
        "Tell nobody of a rule for a while",
        {201: alerts.AlertSilence, **_TOOLS_ERRORS},
        body=alerts.NewSilence,
        security=_EDIT,
    ),
    ("/api/v1/alerts/silences/{silence}", "DELETE"): Operation(
        "End a silence", {204: None, **_OUR_ERRORS}, security=_EDIT
    ),
    ("/api/v1/alerts/test", "POST"): Operation(
        "Tell a rule's actions that this is a test",
        {200: alerts.Tested, **_TOOLS_ERRORS},
        body=PageRule,
        security=_EDIT,
    ),
    ("/api/v1/alerts/preview", "POST"): Operation(
        "What a rule would have done on the last day",
        {200: alerts.AlertPreview, **_TOOLS_ERRORS},
        body=PageRule,
        security=_EDIT,
    ),
    ("/api/v1/buckets/{bucket}/alerts", "GET"): Operation(
        "How a bucket's streams stand under the alert rules", {200: alerts.BucketAlerts, **_OUR_ERRORS}, security=_READ
    ),
    **ACCESS_OPERATIONS,
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
