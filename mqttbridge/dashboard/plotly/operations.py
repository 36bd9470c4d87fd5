"""The operations of figures and their stream tokens, for `/openapi.json`."""

from __future__ import annotations

from typing import Final

from mqttbridge.dashboard.operation import CONFLICT_ERRORS, EDIT, ERRORS, READ, Operation, Operations
from mqttbridge.dashboard.plotly import schemas

OPERATIONS: Final[Operations] = {
    ("/api/v1/plotly/tokens", "GET"): Operation(
        "Every stream token of Plotly's API", {200: schemas.StreamTokens, **CONFLICT_ERRORS}, security=EDIT
    ),
    ("/api/v1/plotly/tokens", "POST"): Operation(
        "Make a stream token",
        {201: schemas.MadeStreamToken, **CONFLICT_ERRORS},
        body=schemas.NewStreamToken,
        security=EDIT,
    ),
    ("/api/v1/plotly/tokens/{token}", "DELETE"): Operation(
        "Remove a stream token", {204: None, **CONFLICT_ERRORS}, security=EDIT
    ),
    ("/api/v1/figures", "GET"): Operation(
        "Every figure that Plotly streams may draw", {200: schemas.Figures, **ERRORS}, security=READ
    ),
    ("/api/v1/figures/{figure}", "GET"): Operation(
        "A figure with the points on screen", {200: schemas.Figure, **ERRORS}, security=READ
    ),
    ("/api/v1/figures/{figure}/live", "GET"): Operation(
        "Server-sent events: `figure` (the whole, see Figure), then `change` (see FigureChange)",
        {200: "text/event-stream", **ERRORS},
        security=READ,
        parts=(schemas.FigureChange,),
    ),
    ("/f/{figure}", "GET"): Operation("A figure's page", {200: "text/html"}),
}
