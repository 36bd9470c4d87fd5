"""Share links: whoever has one reads one bucket, without a key of their own.

Its token is made from a key and the bucket's name, so nothing is stored, and changing the key revokes it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from mqttbridge.dashboard.http import bucket_of, json_answer

if TYPE_CHECKING:
    from mqttbridge.dashboard.security import Security

PREFIX: Final = "share-"
_DOTS: Final = frozenset({".", ".."})


def token_for(key: bytes, bucket: str) -> str:
    """The token that reads this bucket: 160 bits, which only who has the key can make."""
    return PREFIX + hmac.new(key, b"share:" + bucket.encode(), hashlib.sha256).hexdigest()[:40]


def cookie_for(bucket: str) -> str:
    """A cookie of its own, so that a link does not displace a better token, nor one bucket another."""
    return f"mqttbridge_share_{hashlib.sha256(bucket.encode()).hexdigest()[:16]}"


class Share:
    """Handler of `/api/v1/buckets/{bucket}/share`."""

    def __init__(self, security: Security) -> None:
        self._security = security

    async def link(self, request: Request) -> Response:
        """The address, on this server, of the bucket's page for others. Without keys it is just the page's."""
        bucket = bucket_of(request)
        query = {"bucket": bucket} if bucket in _DOTS else {}
        token = self._security.share_token(bucket)
        if token is not None:
            query["token"] = token
        path = "/b/-" if bucket in _DOTS else f"/b/{quote(bucket, safe='')}"
        return json_answer({"url": f"{path}?{urlencode(query)}" if query else path})
