"""The operations of the Events API and the Read API, for `/openapi.json`."""

from __future__ import annotations

from typing import Final

from mqttbridge.dashboard.events import schemas
from mqttbridge.dashboard.operation import ERRORS, READ, WRITE, Answers, Operation, Operations
from mqttbridge.dashboard.schemas import Error

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


def _buckets(method: str) -> Operation:
    return Operation(
        f"Create a bucket ({method}): JSON in the body, or query parameters",
        {201: schemas.CreatedBucket, 204: None, **_EVENTS_ERRORS},
        _KEYS | {"bucketName": "Shown instead of the key."},
        schemas.NewBucket if method == "POST" else None,
        security=WRITE,
    )


def _events(method: str) -> Operation:
    return Operation(
        f"Push events ({method}): JSON in the body, or every query parameter but the keys is one event",
        {204: None, 402: schemas.QuotaExceeded, **_EVENTS_ERRORS},
        _KEYS,
        schemas.PushedEvent if method == "POST" else None,
        many=True,
        security=WRITE,
    )


OPERATIONS: Final[Operations] = {
    ("/api/buckets", "GET"): _buckets("GET"),
    ("/api/buckets", "POST"): _buckets("POST"),
    ("/api/events", "GET"): _events("GET"),
    ("/api/events", "POST"): _events("POST"),
    ("/api/versions", "GET"): Operation("Versions of the Events API", {200: "application/json"}),
    ("/data/v1/events/latest", "GET"): Operation(
        "The newest value of each stream of a bucket",
        {200: "application/json", 400: Error, 429: Error, **ERRORS},
        _KEYS | {"key": "A stream; may be repeated. Default: all."},
        security=(*READ, *WRITE),
        parts=(schemas.LatestValue,),
    ),
}
