"""The operations of signing in, keys and links, for `/openapi.json`."""

from __future__ import annotations

from typing import Final

from mqttbridge.dashboard.access import schemas
from mqttbridge.dashboard.operation import CONFLICT_ERRORS, EDIT, Answers, Operation, Operations
from mqttbridge.dashboard.schemas import Error

_SIGN_IN_ERRORS: Final[Answers] = {
    400: Error,
    401: Error,
    403: Error,
    408: Error,
    413: Error,
    429: "text/plain",
    503: Error,
}

OPERATIONS: Final[Operations] = {
    ("/api/v1/session", "GET"): Operation("Who the sender of this request is here", {200: schemas.Session}),
    ("/api/v1/session", "POST"): Operation(
        "Sign in: a cookie for a key", {200: schemas.Session, **_SIGN_IN_ERRORS}, body=schemas.SignIn
    ),
    ("/api/v1/session", "DELETE"): Operation("Sign out", {204: None, 403: Error}),
    ("/api/v1/first-key", "POST"): Operation(
        "Make the first key, with the code that the log gave at the first start",
        {201: schemas.MadeKey, **_SIGN_IN_ERRORS},
        body=schemas.FirstKey,
    ),
    ("/api/v1/keys", "GET"): Operation("Every key", {200: schemas.AccessKeys, **CONFLICT_ERRORS}, security=EDIT),
    ("/api/v1/keys", "POST"): Operation(
        "Make a key", {201: schemas.MadeKey, **CONFLICT_ERRORS}, body=schemas.NewKey, security=EDIT
    ),
    ("/api/v1/keys/{key}", "DELETE"): Operation("Revoke a key", {204: None, **CONFLICT_ERRORS}, security=EDIT),
    ("/api/v1/links", "GET"): Operation(
        "Every share link", {200: schemas.ShareLinks, **CONFLICT_ERRORS}, security=EDIT
    ),
    ("/api/v1/buckets/{bucket}/links", "GET"): Operation(
        "The share links of a bucket", {200: schemas.ShareLinks, **CONFLICT_ERRORS}, security=EDIT
    ),
    ("/api/v1/buckets/{bucket}/links", "POST"): Operation(
        "Make a share link, which reads this bucket alone",
        {201: schemas.MadeLink, **CONFLICT_ERRORS},
        body=schemas.NewLink,
        security=EDIT,
    ),
    ("/api/v1/links/{link}", "DELETE"): Operation("Revoke a share link", {204: None, **CONFLICT_ERRORS}, security=EDIT),
}
