"""What one operation of the API is to `/openapi.json`, and what many of them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pydantic import BaseModel

from mqttbridge.dashboard.schemas import Error

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
        parts: models of what stands in an answer that has none itself, such as a stream of events.
    """

    summary: str
    answers: Answers
    query: Mapping[str, str] = field(default_factory=dict)
    body: type[BaseModel] | None = None
    many: bool = False
    security: Sequence[str] = ()
    parts: Sequence[type[BaseModel]] = ()


# By path, as in the routes, and method.
Operations: TypeAlias = Mapping[tuple[str, str], Operation]

READ: Final = ("viewToken",)
WRITE: Final = ("accessKeyHeader", "accessKeyQuery")
EDIT: Final = ("accessKeyHeader", "writeKey", "session")

ERRORS: Final[Answers] = {401: "text/plain", 403: "text/plain", 404: Error, 429: "text/plain", 503: Error}
BODY_ERRORS: Final[Answers] = {**ERRORS, 400: Error, 408: Error, 413: Error}
CONFLICT_ERRORS: Final[Answers] = {**BODY_ERRORS, 409: Error}
