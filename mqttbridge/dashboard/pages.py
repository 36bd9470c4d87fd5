"""The page and its files: a fixed table read once, so that no path of a request ever reaches the disk."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

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
_COMMENTED: Final = frozenset({".js", ".css"})
# One that has its lines to itself: `/*` inside a text does not begin one, and a type before code stays.
_COMMENTS: Final = re.compile(r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*$|^[ \t]*//[^\n]*$", re.DOTALL | re.MULTILINE)


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


def without_comments(source: str) -> str:
    """A script or a style sheet of ours without the comments that have lines of their own; each line keeps its number.

    Comments are for those who read the source, and are a quarter of what a page would load.
    """
    return _COMMENTS.sub(lambda comment: "\n" * comment[0].count("\n"), source)


def _read(path: Path) -> _File:
    body = path.read_bytes()
    if path.suffix in _COMMENTED and "vendor" not in path.parts:
        body = without_comments(body.decode()).encode()
    worth = len(body) >= _WORTH_PACKING and path.suffix not in _PACKED
    packed = gzip.compress(body, 6, mtime=0) if worth else None
    etag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
    return _File(body, packed, TYPES.get(path.suffix, _PLAIN), etag)


class Pages:
    """Handlers of the pages' addresses and of `/static/...`."""

    def __init__(self, folder: Path = FOLDER) -> None:
        files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".d.ts"))
        self._files = {path.relative_to(folder).as_posix(): _read(path) for path in files}

    async def page(self, request: Request) -> Response:
        """The one page: which bucket it shows it reads from its own address."""
        return self._serve("index.html", request)

    async def static(self, request: Request) -> Response:
        """One of the page's files."""
        return self._serve(request.path_params["path"], request)

    def _serve(self, name: str, request: Request) -> Response:
        file = self._files.get(name)
        return PlainTextResponse("not found", 404) if file is None else file.answer(request)
