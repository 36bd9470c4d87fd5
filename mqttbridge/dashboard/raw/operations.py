"""The operations of stored points, for `/openapi.json`."""

from __future__ import annotations

from typing import Final

from mqttbridge.dashboard.operation import ERRORS, READ, Operation, Operations
from mqttbridge.dashboard.raw import schemas
from mqttbridge.dashboard.schemas import Error

_RANGE: Final = {
    "stream": "A stream; may be repeated. Default: all.",
    "after": "Epoch seconds; negative: relative to `before`. Default: the first point.",
    "before": "Epoch seconds; zero or negative: relative to now. Default: all that there is.",
}

OPERATIONS: Final[Operations] = {
    ("/api/v1/buckets/{bucket}/events", "GET"): Operation(
        "Points of a bucket as they were stored, in order of time, page by page",
        {200: schemas.StoredRows, 400: Error, **ERRORS},
        _RANGE
        | {
            "order": "`desc`, the newest first (default), or `asc`.",
            "limit": "How many rows at most, up to 5000. Default: 500.",
            "cursor": "`next` of the page before; or `<microseconds since 1970>:<stream>` of any row.",
            "text": "Only rows with this in the stream's name or the value, in whatever case.",
            "least": "Only numbers from this on.",
            "most": "Only numbers up to this.",
        },
        security=READ,
    ),
    ("/api/v1/buckets/{bucket}/summary", "GET"): Operation(
        "Count, least, mean and greatest of each stream in a range, from every point",
        {200: schemas.Summary, 400: Error, **ERRORS},
        _RANGE,
        security=READ,
    ),
    ("/api/v1/buckets/{bucket}/export", "GET"): Operation(
        "A range as a file; a connection that ends without the last chunk means that the file is not whole",
        {200: "text/csv", 400: Error, **ERRORS, 501: Error},
        _RANGE | {"format": "`csv` (default), `jsonl` or `parquet`."},
        security=READ,
    ),
}
