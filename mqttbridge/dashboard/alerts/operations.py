"""The operations of alerts, for `/openapi.json`."""

from __future__ import annotations

from typing import Final

from mqttbridge.config.alerts import PageRule
from mqttbridge.dashboard.alerts import schemas
from mqttbridge.dashboard.operation import BODY_ERRORS, EDIT, ERRORS, READ, Answers, Operation, Operations
from mqttbridge.dashboard.schemas import Changed, Error

_ALERT_ERRORS: Final[Answers] = {**BODY_ERRORS, 409: Changed}

OPERATIONS: Final[Operations] = {
    ("/alerts", "GET"): Operation("The page of alerts", {200: "text/html"}),
    ("/api/v1/alerts", "GET"): Operation(
        "Alerts: rules with their states, actions, silences", {200: schemas.Alerts, **ERRORS}, security=READ
    ),
    ("/api/v1/alerts/history", "GET"): Operation(
        "What fired, the newest first, and who was told",
        {200: schemas.AlertHistory, 400: Error, **ERRORS},
        {"limit": "How many at most. Default: 100.", "rule": "Only of this rule."},
        security=READ,
    ),
    ("/api/v1/alerts/rules", "POST"): Operation(
        "Make an alert rule", {201: schemas.RuleWritten, **_ALERT_ERRORS}, body=PageRule, security=EDIT
    ),
    ("/api/v1/alerts/rules/{rule}", "PUT"): Operation(
        "Change a rule of the page; `If-Match` names the version that is changed",
        {200: schemas.RuleWritten, **_ALERT_ERRORS},
        body=PageRule,
        security=EDIT,
    ),
    ("/api/v1/alerts/rules/{rule}", "DELETE"): Operation(
        "Remove a rule of the page", {204: None, **_ALERT_ERRORS}, security=EDIT
    ),
    ("/api/v1/alerts/silences", "POST"): Operation(
        "Tell nobody of a rule for a while",
        {201: schemas.AlertSilence, **BODY_ERRORS},
        body=schemas.NewSilence,
        security=EDIT,
    ),
    ("/api/v1/alerts/silences/{silence}", "DELETE"): Operation("End a silence", {204: None, **ERRORS}, security=EDIT),
    ("/api/v1/alerts/test", "POST"): Operation(
        "Tell a rule's actions that this is a test",
        {200: schemas.Tested, **BODY_ERRORS},
        body=PageRule,
        security=EDIT,
    ),
    ("/api/v1/alerts/preview", "POST"): Operation(
        "What a rule would have done on the last day",
        {200: schemas.AlertPreview, **BODY_ERRORS},
        body=PageRule,
        security=EDIT,
    ),
    ("/api/v1/buckets/{bucket}/alerts", "GET"): Operation(
        "How a bucket's streams stand under the alert rules", {200: schemas.BucketAlerts, **ERRORS}, security=READ
    ),
}
