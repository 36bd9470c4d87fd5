"""The operations of the dashboards that people arrange, for `/openapi.json`."""

from __future__ import annotations

from typing import Final

from mqttbridge.config.dashboards import DashboardDocument
from mqttbridge.dashboard.boards import schemas
from mqttbridge.dashboard.operation import EDIT, ERRORS, READ, Answers, Operation, Operations
from mqttbridge.dashboard.schemas import Error

_BOARD: Final = "/api/v1/buckets/{bucket}/dashboard"
_BOARD_ERRORS: Final[Answers] = {**ERRORS, 500: Error}
_BOARD_CHANGES: Final[Answers] = {**_BOARD_ERRORS, 400: Error, 408: Error, 413: Error}

OPERATIONS: Final[Operations] = {
    (_BOARD, "GET"): Operation(
        "What a bucket's page is drawn by",
        {200: schemas.BoardAnswer, **_BOARD_ERRORS},
        {"version": "An earlier version, as `versions` lists them. Default: the one of now."},
        security=READ,
    ),
    (_BOARD, "PUT"): Operation(
        'Save a dashboard. `If-Match: "n"` names the version that it replaces, "0" for none',
        {200: schemas.BoardSaved, 409: schemas.BoardConflict, 428: Error, **_BOARD_CHANGES},
        body=DashboardDocument,
        security=EDIT,
    ),
    (_BOARD, "DELETE"): Operation(
        "Back to the dashboard that the page makes by itself; with `If-Match` only if nobody saved since",
        {200: schemas.BoardDeleted, 409: schemas.BoardConflict, **_BOARD_CHANGES},
        security=EDIT,
    ),
    (f"{_BOARD}/versions", "GET"): Operation(
        "The versions that are kept, to go back to", {200: schemas.BoardVersions, **_BOARD_ERRORS}, security=READ
    ),
    (f"{_BOARD}/background", "GET"): Operation(
        "The picture behind the tiles", {200: "image/*", 304: None, **_BOARD_ERRORS}, security=READ
    ),
    (f"{_BOARD}/background", "PUT"): Operation(
        "Keep the body as the picture behind the tiles: PNG, JPEG, GIF or WebP, 1 MB at most",
        {200: schemas.PictureKept, 415: Error, **_BOARD_CHANGES},
        security=EDIT,
    ),
    (f"{_BOARD}/background", "DELETE"): Operation(
        "Keep no picture", {200: schemas.BoardDeleted, **_BOARD_CHANGES}, security=EDIT
    ),
}
