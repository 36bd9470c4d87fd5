"""What a control on the page says: a value for a stream and, where the configuration allows it, a message for a topic.

The message goes out first. A broker that does not take it is an answer to the person who pressed the button, and then
the stream does not say that it happened.
"""

from __future__ import annotations

import time
from concurrent.futures import Executor
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.commit import GroupCommit
from mqttbridge.dashboard.events.pushed import name_problem
from mqttbridge.dashboard.http import BodyTooLarge, bucket_of, in_thread, problem, read_body, unavailable
from mqttbridge.errors import BridgeError, BrokerError
from mqttbridge.events import INT64_MAX, INT64_MIN, MAX_NAME_CHARS, MAX_TEXT_CHARS, Batch
from mqttbridge.mapping.topics import FilterTrie

MAX_TOPIC_BYTES: Final = 65_535
PUBLISHERS: Final = 4
"""Threads that wait for the broker's confirmation. A broker that gives none holds up nothing else."""
# Pressed and not confirmed. A broker that confirms at all takes thousands a second, so more are told to come again.
MAX_UNCONFIRMED: Final = 32


class ControlValue(BaseModel):
    """What a control says."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    stream: Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS)]
    """Where the value goes."""
    value: (
        bool
        | Annotated[int, Field(ge=INT64_MIN, le=INT64_MAX)]
        | Annotated[float, Field(allow_inf_nan=False)]
        | Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
    )
    """A number, a boolean or a text."""
    topic: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """An MQTT topic that gets the value, too: `true` and `false` for booleans. One of `http.publish_topics`."""
    retain: bool = False
    """Whether the broker keeps the message for those who come later."""


class ControlsApi:
    """Handler of `/api/v1/buckets/{bucket}/value`.

    Args:
        backend: takes the event, and publishes.
        commits: the thread that writes to the spool.
        executor: PUBLISHERS threads, to wait for the broker.
    """

    def __init__(self, backend: Backend, commits: Executor, executor: Executor) -> None:
        self._backend, self._executor = backend, executor
        self._unconfirmed = 0
        self._allowed = FilterTrie(text.split("/") for text in backend.config.http.publish_topics)
        self._commit = GroupCommit(
            lambda batches, rejected: backend.spool.append(batches, rejected, source="http"), commits
        )

    async def say(self, request: Request) -> Response:
        """Publish the value if a topic is given, then store it. 204 once it is synced."""
        bucket = bucket_of(request)
        if (wrong := name_problem("the bucket", bucket)) is not None:
            return problem(400, wrong.text)
        try:
            said = ControlValue.model_validate_json(await read_body(request))
        except BodyTooLarge:
            return problem(413, "a request's body may be 1 MB at most", Connection="close")
        except (TimeoutError, ClientDisconnect):
            return problem(408, "the request's body did not come in time", Connection="close")
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            return problem(400, f"{'.'.join(map(str, first['loc'][:1])) or 'body'}: {first['msg']}")
        try:
            if said.topic is not None and (refused := await self._publish(said.topic, said)) is not None:
                return refused
            await self._commit.push(Batch([(bucket, said.stream, said.value, time.time())]))
        except BridgeError as error:
            return unavailable(error)
        self._backend.metrics.received.add(1, source="http")
        return Response(status_code=204)

    async def _publish(self, topic: str, said: ControlValue) -> Response | None:
        publish = self._backend.publish
        if publish is None:
            return problem(409, "this server has no MQTT broker to publish to")
        if not is_topic(topic) or not self._allowed.matching(topic.split("/")):
            return problem(
                403,
                f"controls may not publish to {topic!r}: http.publish_topics in the configuration names where they may",
            )
        if self._unconfirmed >= MAX_UNCONFIRMED:
            raise BrokerError("the broker has not confirmed what was pressed before")
        self._unconfirmed += 1
        try:
            await in_thread(self._executor, lambda: publish(topic, payload_of(said.value), 1, said.retain))
        finally:
            self._unconfirmed -= 1
        return None


def is_topic(topic: str) -> bool:
    """Whether a message can be published to it: no wildcard, no NUL, not a broker's own, and UTF-8."""
    if "+" in topic or "#" in topic or "\0" in topic or topic.startswith("$"):
        return False
    try:
        return len(topic.encode()) <= MAX_TOPIC_BYTES
    except UnicodeEncodeError:
        return False


def payload_of(value: Any) -> bytes:
    """A value as devices read it: `true`, `21.5`, or the text itself."""
    return (str(value).lower() if isinstance(value, bool) else str(value)).encode("utf-8", "replace")
