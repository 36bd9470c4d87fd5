"""The operations of buckets, streams and points, and of how the bridge is doing, for `/openapi.json`."""

from __future__ import annotations

from typing import Final

from mqttbridge.dashboard import schemas
from mqttbridge.dashboard.controls_api import ControlValue
from mqttbridge.dashboard.operation import CONFLICT_ERRORS, EDIT, ERRORS, READ, WRITE, Operation, Operations
from mqttbridge.dashboard.schemas import Error

OPERATIONS: Final[Operations] = {
    ("/api/v1/buckets", "GET"): Operation(
        "Every bucket",
        {200: schemas.Buckets, 400: Error, **ERRORS},
        {"spark": "With the last hour of each bucket's most telling stream, where made after this time; 0 for all."},
        security=READ,
    ),
    ("/api/v1/buckets/{bucket}/streams", "GET"): Operation(
        "A bucket's streams with their newest values", {200: schemas.Streams, **ERRORS}, security=READ
    ),
    ("/api/v1/buckets/{bucket}/points", "GET"): Operation(
        "Points of a bucket's streams, downsampled by M4",
        {200: schemas.Points, 400: Error, **ERRORS},
        {
            "stream": "A stream; may be repeated. Default: all.",
            "expression": "Such as `=[kitchen.temperature]*1.8+32`; may be repeated. Alone: no other series.",
            "after": "Epoch seconds; negative: relative to `before`. Default: an hour.",
            "before": "Epoch seconds; zero or negative: relative to now. Default: now, and what lies ahead of it.",
            "points": "How many buckets of time a series is cut into at most, of up to 4 points. Default: 600.",
            "statistics": "`1`: count, least, greatest, sum, first and last of each bucket of time, too.",
        },
        security=READ,
    ),
    ("/api/v1/buckets/{bucket}", "DELETE"): Operation(
        "Delete a bucket with its streams; what comes later makes it anew",
        {200: schemas.Deleted, **ERRORS},
        security=WRITE,
    ),
    ("/api/v1/buckets/{bucket}/streams", "DELETE"): Operation(
        "Delete streams with their points; what comes later makes them anew",
        {200: schemas.Deleted, 400: Error, **ERRORS},
        {"stream": "A stream; may be repeated."},
        security=EDIT,
    ),
    ("/api/v1/buckets/{bucket}/live", "GET"): Operation(
        "Server-sent events: `hello`, `points` (see Frame), `alerts`, `board`, `resync`",
        {200: "text/event-stream", **ERRORS},
        {"last_event_id": "Where to go on from: `live` of a snapshot. The header Last-Event-ID wins."},
        security=READ,
        parts=(schemas.Frame,),
    ),
    ("/api/v1/live", "GET"): Operation(
        "Server-sent events: `hello` and `alerts`, which tell the worst alert of each bucket",
        {200: "text/event-stream", **ERRORS},
        security=READ,
    ),
    ("/api/v1/buckets/{bucket}/value", "POST"): Operation(
        "What a control on the page says: published if a topic is given, then stored",
        {204: None, **CONFLICT_ERRORS},
        body=ControlValue,
        security=EDIT,
    ),
    ("/api/v1/status", "GET"): Operation("How the bridge is doing", {200: schemas.Status, **ERRORS}, security=READ),
    ("/metrics", "GET"): Operation("Numbers for Prometheus", {200: "text/plain", 401: "text/plain"}, security=READ),
    ("/livez", "GET"): Operation("Whether every thread lives", {200: schemas.Health, 503: schemas.Health}),
    ("/readyz", "GET"): Operation("Whether messages are taken and kept", {200: schemas.Health, 503: schemas.Health}),
    ("/openapi.json", "GET"): Operation("This document", {200: "application/json"}),
}
