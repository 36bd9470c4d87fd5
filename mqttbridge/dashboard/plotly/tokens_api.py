"""Stream tokens over HTTP: what `mqttbridge token` does, for the settings page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from mqttbridge.config.model import Config
from mqttbridge.dashboard.bodies import model_in
from mqttbridge.dashboard.http import in_thread, json_answer, problem, unavailable
from mqttbridge.dashboard.plotly.schemas import NewStreamToken
from mqttbridge.dashboard.plotly.tokens import Token, TokenFile
from mqttbridge.errors import DataDirError

_FRESH: Final = {"Cache-Control": "no-store"}


class TokensApi:
    """Handlers of `/api/v1/plotly/tokens`. The listener notices within a second what changes here."""

    def __init__(self, config: Config, executor: Executor) -> None:
        self._listen, self._executor = config.plotly.listen, executor
        self._file, self._lock = TokenFile(Path(config.data_dir)), threading.Lock()

    async def tokens(self, request: Request) -> Response:
        """Every token (GET); a new one (POST)."""
        if request.method != "POST":
            return await self._answer(self._list)
        sent = await model_in(request, NewStreamToken)
        if isinstance(sent, Response):
            return sent
        return await self._answer(partial(self._add, sent))

    async def remove(self, request: Request) -> Response:
        """Remove a token by its id; its stream is ended."""
        return await self._answer(partial(self._remove, request.path_params["token"]))

    def _list(self) -> Response:
        shown = [_shown(token) for token in self._file.all()]
        return json_answer({"tokens": shown, "listen": self._listen}, headers=_FRESH)

    def _add(self, sent: NewStreamToken) -> Response:
        try:
            made = self._file.add(sent.figure, sent.trace, sent.maxpoints, sent.mode, sent.token or None)
        except ValueError as error:
            return problem(400, str(error))
        token = self._file.find(made)
        assert token is not None  # noqa: S101  # it was just added
        return json_answer({"secret": made, "token": _shown(token)}, 201, _FRESH)

    def _remove(self, token_id: str) -> Response:
        # By the id alone: an address is no place for a token.
        if not any(one.id == token_id for one in self._file.all()) or self._file.remove(token_id) is None:
            return problem(404, "there is no such token")
        return Response(status_code=204)

    async def _answer(self, work: Callable[[], Response]) -> Response:
        def alone() -> Response:
            with self._lock:
                return work()

        try:
            return await in_thread(self._executor, alone)
        except DataDirError as error:
            return unavailable(error)


def _shown(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "figure": token.figure,
        "trace": token.trace,
        "maxpoints": token.maxpoints,
        "mode": token.mode,
        "created": token.created,
    }
