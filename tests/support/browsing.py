"""A client that behaves as a browser on the server's own page: keeps cookies, says where it is."""

from __future__ import annotations

from typing import Any

import requests

from tests.support.dashboards import Client

OWN_PAGE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}


class Visitor(Client):
    """Asks as our own page does."""

    def ask(self, method: str, path: str, *, site: str = "same-origin", **how: Any) -> requests.Response:
        headers = OWN_PAGE | {"Sec-Fetch-Site": site} | how.pop("headers", {})
        return self.session.request(method, self.url + path, headers=headers, timeout=10, allow_redirects=False, **how)

    def sign_in(self, key: str) -> requests.Response:
        return self.ask("POST", "/api/v1/session", json={"token": key})
