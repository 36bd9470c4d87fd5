"""Handlers of `/api/v1/alerts...` and of a bucket's alerts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mqttbridge.config.alerts import PageRule
from mqttbridge.dashboard.alerts.desk import AlertsDesk, NoSuchAlert, NotAcceptable
from mqttbridge.dashboard.alerts.schemas import NewSilence
from mqttbridge.dashboard.api import no_dashboard
from mqttbridge.dashboard.http import BodyTooLarge, bucket_of, in_thread, json_answer, problem, read_body, unavailable
from mqttbridge.dashboard.records import Conflict
from mqttbridge.dashboard.security import Access, Security
from mqttbridge.errors import BridgeError

MAX_RULE_BYTES: Final = 16 * 1024
MOST_FIRINGS: Final = 1000
_FRESH: Final = {"Cache-Control": "no-store"}

Body = TypeVar("Body", bound=BaseModel)


class AlertsApi:
    """Handlers, over what the bridge's alerts answer.

    Args:
        desk: None where there is no dashboard to watch over.
        security: who may see secrets.
        executor: where the work is done, beside the event loop.
        tests: where tests are sent: they wait for other people's servers.
    """

    def __init__(self, desk: AlertsDesk | None, security: Security, executor: Executor, tests: Executor) -> None:
        self._desk, self._security, self._executor, self._tests = desk, security, executor, tests

    async def overview(self, request: Request) -> Response:
        """Every rule with its states, the actions and the silences."""
        secrets = self._security.refusal(request, Access.EDIT) is None
        return await self._answer(lambda desk: desk.overview(secrets=secrets))

    async def history(self, request: Request) -> Response:
        """Firings, the newest first."""
        limit = request.query_params.get("limit", "100")
        if not (limit.isascii() and limit.isdigit() and len(limit) < 10):
            return problem(400, "limit must be a whole number")
        rule = request.query_params.get("rule")
        return await self._answer(lambda desk: desk.history(min(int(limit), MOST_FIRINGS), rule))

    async def of_bucket(self, request: Request) -> Response:
        """How one bucket's streams stand."""
        bucket = bucket_of(request)
        return await self._answer(lambda desk: desk.states(bucket))

    async def create(self, request: Request) -> Response:
        """Make a rule."""
        rule = await _read(request, PageRule)
        if isinstance(rule, Response):
            return rule
        return await self._answer(lambda desk: desk.create(rule), status=201)

    async def rule(self, request: Request) -> Response:
        """PUT changes a rule of the page, DELETE removes it."""
        name, expected = unquote(request.path_params["rule"]), _expected(request)
        if isinstance(expected, Response):
            return expected
        if request.method == "DELETE":
            return await self._answer(lambda desk: desk.remove(name, expected), status=204)
        rule = await _read(request, PageRule)
        if isinstance(rule, Response):
            return rule
        return await self._answer(lambda desk: desk.change(name, rule, expected))

    async def silence(self, request: Request) -> Response:
        """Tell nobody of a rule, or of one stream of it, for a while."""
        wanted = await _read(request, NewSilence)
        if isinstance(wanted, Response):
            return wanted
        if (wanted.bucket is None) != (wanted.stream is None):
            return problem(400, "bucket and stream belong together: give both or none")
        return await self._answer(
            lambda desk: desk.silence(wanted.rule, wanted.bucket, wanted.stream, wanted.seconds, wanted.comment),
            status=201,
        )

    async def unsilence(self, request: Request) -> Response:
        """End a silence."""
        name = unquote(request.path_params["silence"])
        return await self._answer(lambda desk: desk.unsilence(name), status=204)

    async def test(self, request: Request) -> Response:
        """Tell a rule's actions that this is a test."""
        rule = await _read(request, PageRule)
        if isinstance(rule, Response):
            return rule
        return await self._answer(lambda desk: desk.test(rule), executor=self._tests)

    async def preview(self, request: Request) -> Response:
        """What a rule would have done on the last day."""
        rule = await _read(request, PageRule)
        if isinstance(rule, Response):
            return rule
        return await self._answer(lambda desk: desk.preview(rule))

    async def _answer(
        self, ask: Callable[[AlertsDesk], Any], *, status: int = 200, executor: Executor | None = None
    ) -> Response:
        desk = self._desk
        if desk is None:
            return no_dashboard()

        def work() -> Response:
            content = ask(desk)
            return Response(status_code=204) if status == 204 else json_answer(content, status, _FRESH)

        try:
            return await in_thread(executor or self._executor, work)
        except NoSuchAlert as error:
            return problem(404, str(error))
        except NotAcceptable as error:
            return problem(400, str(error))
        except Conflict as conflict:
            current = conflict.current
            version = 0 if current is None else current.version
            return json_answer({"error": "somebody else changed it meanwhile", "version": version}, 409, _FRESH)
        except BridgeError as error:
            return unavailable(error)


async def _read(request: Request, model: type[Body]) -> Body | Response:
    """The request's body; or what to answer."""
    try:
        body = await read_body(request)
    except BodyTooLarge:
        return problem(413, f"a body may be {MAX_RULE_BYTES} bytes at most", Connection="close")
    except (TimeoutError, ClientDisconnect):
        return problem(408, "the request's body did not come in time", Connection="close")
    if len(body) > MAX_RULE_BYTES:
        return problem(413, f"a body may be {MAX_RULE_BYTES} bytes at most")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        return problem(400, f"{where}: {what}" if where else what)


def _expected(request: Request) -> int | Response | None:
    """The version in `If-Match`; None where any will do."""
    given = request.headers.get("if-match", "*").strip().strip('"')
    if given == "*":
        return None
    if given.isascii() and given.isdigit() and len(given) < 10:
        return int(given)
    return problem(400, 'If-Match is a version in quotes, as "3"')
