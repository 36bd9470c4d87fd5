"""Reading what a request sends as JSON, as a pydantic model or the answer that says what is wrong with it."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mqttbridge.dashboard.http import BodyTooLarge, problem, read_body

Model = TypeVar("Model", bound=BaseModel)


async def model_in(request: Request, model: type[Model]) -> Model | Response:
    """The request's body as the model, or the answer to a body that is none."""
    try:
        body = await read_body(request)
    except BodyTooLarge:
        return problem(413, "a request's body may be 1 MB at most", Connection="close")
    except (TimeoutError, ClientDisconnect):
        return problem(408, "the request's body did not come in time", Connection="close")
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        # Without what was sent, which may be a key.
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        return problem(400, f"{where}: {first['msg']}" if where else first["msg"])
