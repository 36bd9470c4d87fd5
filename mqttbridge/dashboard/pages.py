"""The page and its files: a fixed table read once, so that no path of a request ever reaches the disk."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mqttbridge.dashboard.modules import imported, preloading, without_comments

FOLDER: Final = Path(__file__).with_name("static")
TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/vnd.microsoft.icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_PLAIN: Final = "text/plain; charset=utf-8"
_PACKED: Final = frozenset({".png", ".ico", ".woff2"})
_WORTH_PACKING: Final = 1024
_COMMENTED: Final = frozenset({".css", ".js"})

# What every view begins with.
_ALWAYS: Final = ("js/main.js", "texts/en.js")


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    gzipped: bytes | None
    type: str
    etag: str

    def answer(self, request: Request) -> Response:
        # Names do not change with the content, so browsers ask each time and mostly hear 304.
        headers = {"ETag": self.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        known = request.headers.get("if-none-match", "")
        if self.etag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
            return Response(status_code=304, headers=headers)
        if self.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self.gzipped, 200, headers | {"Content-Encoding": "gzip"}, self.type)
        return Response(self.body, 200, headers, self.type)


def _file(body: bytes, suffix: str) -> _File:
    worth = len(body) >= _WORTH_PACKING and suffix not in _PACKED
    packed = gzip.compress(body, 6, mtime=0) if worth else None
    etag = '"' + hashlib.sha256(body).hexdigest()[:20] + '"'
    return _File(body, packed, TYPES.get(suffix, _PLAIN), etag)


def _read(path: Path, name: str) -> bytes:
    body = path.read_bytes()
    ours = path.suffix in _COMMENTED and not name.startswith("vendor/")
    return without_comments(body) if ours else body


class Pages:
    """Handlers of the pages' addresses and of `/static/...`."""

    def __init__(self, folder: Path = FOLDER) -> None:
        paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        self._bodies = {name: _read(path, name) for name, path in paths.items() if not name.endswith(".d.ts")}
        self._files = {name: _file(body, Path(name).suffix) for name, body in self._bodies.items()}

    async def page(self, request: Request) -> Response:
        """The one page: which bucket it shows it reads from its own address."""
        return self._serve("index.html", request)

    def view(self, *modules: str) -> Callable[[Request], Awaitable[Response]]:
        """The handler of a view's address: the one page, which asks at once for all that these modules import."""
        wanted = imported((*_ALWAYS, *modules), self._bodies)
        file = _file(preloading(self._bodies["index.html"], wanted), ".html")

        async def page(request: Request) -> Response:
            return file.answer(request)

        return page

    async def static(self, request: Request) -> Response:
        """One of the page's files."""
        return self._serve(request.path_params["path"], request)

    def _serve(self, name: str, request: Request) -> Response:
        file = self._files.get(name)
        return PlainTextResponse("not found", 404) if file is None else file.answer(request)
