"""The operations of the bridge's own page and of its tools, for `/openapi.json`."""

from __future__ import annotations

from typing import Final

from mqttbridge.dashboard.bridge import schemas
from mqttbridge.dashboard.operation import BODY_ERRORS, ERRORS, READ, WRITE, Operation, Operations
from mqttbridge.dashboard.schemas import Error

_EXPLAIN: Final = {"topic": "The message's topic.", "payload": "Its payload, as text."}

OPERATIONS: Final[Operations] = {
    ("/api/v1/explain", "GET"): Operation(
        "What the rules make of a message, and why",
        {200: schemas.Explanation, **BODY_ERRORS},
        _EXPLAIN,
        security=READ,
    ),
    ("/api/v1/explain", "POST"): Operation(
        "The same, with the payload as the body, any bytes",
        {200: schemas.Explanation, **BODY_ERRORS},
        {"topic": _EXPLAIN["topic"]},
        security=READ,
    ),
    ("/api/v1/rejected/replay", "POST"): Operation(
        "Send rejected messages through the rules again",
        {200: schemas.Replayed, **BODY_ERRORS},
        body=schemas.RejectedSelection,
        security=WRITE,
    ),
    ("/api/v1/rejected/purge", "POST"): Operation(
        "Forget rejected messages",
        {200: schemas.Replayed, **BODY_ERRORS},
        body=schemas.RejectedSelection,
        security=WRITE,
    ),
    ("/api/v1/rejected", "GET"): Operation(
        "Rejected messages, the newest first",
        {200: schemas.RejectedRows, **ERRORS, 400: Error},
        {
            "reason": "Only for this reason.",
            "rule": "Only what this rule rejected.",
            "topic": "Only topics that match this filter.",
            "since": "Not before this; epoch seconds.",
            "limit": "How many at most, up to 500. Default: 100.",
        },
        security=READ,
    ),
    ("/api/v1/bridge", "GET"): Operation(
        "What the bridge is doing: the flow, rates, forecasts, rules",
        {200: schemas.BridgeSnapshot, **ERRORS},
        {"charts": "`1` for the last minutes' rates as well."},
        security=READ,
    ),
    ("/api/v1/bridge/unmatched", "GET"): Operation(
        "Topics that no rule takes, with their last payloads", {200: schemas.Strays, **ERRORS}, security=READ
    ),
    ("/api/v1/bridge/propose", "POST"): Operation(
        "A rule for one of them, as YAML",
        {200: schemas.RuleProposed, **BODY_ERRORS},
        body=schemas.ProposeFor,
        security=READ,
    ),
    ("/api/v1/bridge/listen", "POST"): Operation(
        "Listen to all that is published for a while, for topics that no rule takes",
        {200: schemas.Listening, **BODY_ERRORS, 409: Error},
        body=schemas.ListenTo,
        security=WRITE,
    ),
    ("/api/v1/bridge/log", "GET"): Operation(
        "The end of the log",
        {200: schemas.LogLines, **ERRORS, 400: Error},
        {"after": "Only lines after the one of this number.", "level": "From this level up, as in `warning`."},
        security=WRITE,
    ),
}
