"""What every client of an HTTP API here shares: failures in words, and texts without the key."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

import requests

from mqttbridge.destinations.http_outcome import one_line


def masked(text: str, access_key: str) -> str:
    """The text without the access key, which errors and error pages like to repeat."""
    if access_key:
        for form in (access_key, quote(access_key), quote_plus(access_key)):
            text = text.replace(form, "***")
    return text


def in_words(error: Exception, timeout: float) -> str:
    """What went wrong on the way, from the innermost cause: the outer ones repeat the URL and its keys.

    Args:
        error: as `requests` raised it.
        timeout: the request's, in seconds.
    """
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {timeout:g} s"
    if isinstance(error, requests.Timeout):
        return f"no answer within {timeout:g} s"
    cause: BaseException = error
    while inner := cause.__cause__ or cause.__context__:
        cause = inner
    return f"no answer: {one_line(str(cause)) or type(cause).__name__}"
